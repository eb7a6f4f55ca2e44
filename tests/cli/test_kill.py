# The real worker under faults: 20 kills, Ctrl-C, two runs, a full disk, a changed study.
import json
import os
import random
import resource
import signal
import subprocess
import time

import pytest

from conftest import assert_same_files, children_of, command_of, files_of

STUDY = """
[study]
name = "kill"

[data.scenes]
kind = "world"
examples = 2000
heldout = 2000

[model]
width = 32
depth = 2
heads = 2

[train]
budget = {{ steps = {steps} }}
batch = 16
seed = {seeds}

[[objective]]
preset = "mae"

[[objective]]
preset = "denoise"

[measure]
at = [0, 0.5, 1]
objective_snr = {{ units = 8, level_units = 8, band_units = 8 }}
probe = {{ train = 100, validation = 40, test = 60, attentive_steps = 20 }}

[run]
checkpoint_seconds = 0.3
"""
WORKERS = ["--workers", "2", "--no-progress"]


@pytest.fixture
def write_study(tmp_path):
    def write(steps=600, seeds="[0]"):
        path = tmp_path / "study.toml"
        path.write_text(STUDY.format(steps=steps, seeds=seeds))
        return path

    return write


@pytest.fixture
def start(assay, real_worker, tmp_path):
    processes = []

    def call(study, folder, **options):
        processes.append(subprocess.Popen([assay, "run", study, "-o", folder, *WORKERS], cwd=tmp_path, text=True,
                                          env=real_worker, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options))
        return processes[-1]

    yield call
    for process in processes:
        if process.poll() is None:
            process.kill()


def complete(start, study, folder, **options):
    process = start(study, folder, **options)
    out, errors = process.communicate(timeout=280)
    assert process.returncode == 0, out + errors
    return out


def workers_of(process):
    return [pid for pid in children_of(process.pid) if b"train" in command_of(pid)]


def kill(process):
    try:
        os.kill(process if isinstance(process, int) else process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended by itself in between


def wait_for_step(folder, seconds=60):
    deadline = time.monotonic() + seconds
    while not any(path.stat().st_size for path in folder.glob("trials/*/checkpoint.safetensors")):
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.02)


@pytest.mark.timeout(600)
def test_twenty_kills_leave_the_same_files(start, write_study, tmp_path):
    study = write_study()
    complete(start, study, "whole")
    folder, random_moment = tmp_path / "killed", random.Random(3)
    kills, process, deadline = 0, None, time.monotonic() + 400
    while kills < 20 and time.monotonic() < deadline:
        if process is None or process.poll() is not None:
            if process is not None and process.returncode in (0, 3):
                break  # all ended before the twentieth kill
            process = start(study, folder)
        time.sleep(random_moment.uniform(0.05, 1.2))
        workers = workers_of(process)
        victim = random_moment.choice(["worker", "parent", "both"])
        if victim != "parent" and workers:
            kill(random_moment.choice(workers))
        if victim != "worker":
            kill(process)
            process.wait()
        kills += 1
    if process.poll() is None:
        kill(process)
        process.wait()
    assert kills == 20, "the runs ended too soon: more steps"
    complete(start, study, folder)
    assert_same_files(tmp_path / "whole", folder)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_runs_resume_to_the_same_files(start, write_study, tmp_path, number, code):
    study = write_study(steps=200)
    complete(start, study, "whole")
    process = start(study, "stopped")
    wait_for_step(tmp_path / "stopped")
    process.send_signal(number)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    assert "same command resumes" in out
    complete(start, study, "stopped")
    assert_same_files(tmp_path / "whole", tmp_path / "stopped")


@pytest.mark.timeout(300)
def test_second_run_refuses(start, write_study, tmp_path):
    study = write_study()
    first = start(study, "out")
    wait_for_step(tmp_path / "out")
    second = start(study, "out")
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 5
    assert os.uname().nodename in errors and str(first.pid) in errors
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=120)


@pytest.mark.timeout(300)
def test_changed_study_adds_trials_and_touches_no_other(start, write_study, tmp_path):
    complete(start, write_study(steps=20, seeds="[0]"), "out")
    before = files_of(tmp_path / "out/trials")
    complete(start, write_study(steps=20, seeds="[0, 1]"), "out")
    after = files_of(tmp_path / "out/trials")
    assert {name: after[name] for name in before} == before
    assert len(list((tmp_path / "out/trials").iterdir())) == 4


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", folder], capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.timeout(300)
def test_full_disk_is_said_and_nothing_complete_is_lost(start, write_study, tmp_path, small_disk):
    study = write_study(steps=100)
    process = start(study, small_disk / "out")
    out, errors = process.communicate(timeout=200)
    assert process.returncode == 5, out + errors
    assert "No space left on device" in errors
    for path in small_disk.rglob("*.json"):
        json.loads(path.read_text())
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    complete(start, study, small_disk / "out")
    complete(start, study, "whole")
    assert_same_files(tmp_path / "whole", small_disk / "out")


@pytest.mark.timeout(300)
def test_a_limit_of_file_sizes_is_said_too(start, write_study):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # kept across exec: the write fails instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    process = start(write_study(steps=50), "out", preexec_fn=limit)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 5
    assert "File too large" in errors
