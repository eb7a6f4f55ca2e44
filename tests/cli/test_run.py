# `assay run` with a fake worker: outcomes, crashes, signals, locks, changed studies.
import json
import os
import pathlib
import pty
import signal
import subprocess
import time

from conftest import assert_same_files, children_of, files_of


def outcomes(folder):
    names = {json.loads((path.parent / "config.json").read_text())["name"]: json.loads(path.read_text())
             for path in pathlib.Path(folder).glob("trials/*/outcome.json")}
    return names


def start(assay, environment, folder, *arguments):
    return subprocess.Popen([assay, "run", *map(str, arguments)], cwd=folder, env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def timing_bytes(folder):
    return [path.stat().st_size for path in sorted(folder.glob("trials/*/timing.jsonl"))]


def test_all_complete(run, study, tmp_path):
    done = run("run", study(("a", {}), ("b", {})), "-o", "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("completed") == 2
    assert "Next: assay report out" in done.stdout
    assert outcomes(tmp_path / "out")["a"] == {"status": "completed", "reason": "", "step": 20}
    assert (tmp_path / "out/.lock").read_bytes() == b""
    assert (tmp_path / "out/study.toml").read_text() == (tmp_path / "study.toml").read_text()
    before = files_of(tmp_path / "out")
    again = run("run", "study.toml", "-o", "out")
    assert again.returncode == 0
    assert files_of(tmp_path / "out") == before


def test_default_folder_is_named_after_the_study(run, study, tmp_path):
    assert run("run", study(("a", {}), name="mine")).returncode == 0
    assert (tmp_path / "runs/mine/study.json").exists()


def test_diverged_is_a_result_and_the_exit_code_tells(run, study):
    done = run("run", study(("a", {}), ("b", {"mode": "diverge"})), "-o", "out", "--json")
    assert done.returncode == 3
    trials = {trial["name"]: trial for trial in json.loads(done.stdout)["trials"]}
    assert trials["b"]["status"] == "diverged" and trials["b"]["reason"] == "loss is NaN"
    assert trials["a"]["heldout_loss"] == 0.25


def test_crash_ends_one_trial_with_its_last_words(run, study, tmp_path):
    path = study(("good", {}), ("bad", {"mode": "segfault"}), ("wrong", {"mode": "error"}),
                 ("mute", {"mode": "mute"}), ("silent", {"mode": "silent"}))
    done = run("run", path, "-o", "out")
    assert done.returncode == 3
    found = outcomes(tmp_path / "out")
    assert found["good"]["status"] == "completed"
    assert found["bad"] == {"status": "failed", "step": 10, "reason":
                            "killed by SIGSEGV; last words: training bad\nabout to do something foolish"}
    assert found["wrong"]["reason"] == "no file nowhere.txt"
    assert "exit status 3" in found["mute"]["reason"]
    assert "without outcome" in found["silent"]["reason"]
    status = run("status", "out")
    assert status.returncode == 0 and "about to do something foolish" in status.stdout
    before = files_of(tmp_path / "out")
    assert run("run", path, "-o", "out").returncode == 3
    assert files_of(tmp_path / "out") == before, "failed trials are not run again by themselves"


def test_retry_failed_goes_on_from_the_checkpoint(run, study, tmp_path):
    path = study(("bad", {"mode": "segfault"}))
    run("run", path, "-o", "out")
    again = run("run", path, "-o", "out", "--retry-failed")
    assert again.returncode == 3 and "1 trial that failed will run again" in again.stderr
    assert outcomes(tmp_path / "out")["bad"]["step"] == 10


def test_a_killed_worker_resumes_by_itself(run, study, tmp_path):
    path = study(("a", {"mode": "sigkill"}), ("t", {"mode": "torn"}))
    done = run("run", path, "-o", "out")
    assert done.returncode == 0, done.stderr
    assert "SIGKILL" in done.stderr
    # The marks remember the kills, so this run is uninterrupted.
    assert run("run", path, "-o", "whole").returncode == 0
    assert_same_files(tmp_path / "out", tmp_path / "whole")


def test_a_worker_killed_again_and_again_is_left_resumable(run, study, tmp_path):
    done = run("run", study(("a", {"mode": "sigkill"})), "-o", "out", FAKE_MARKS="")
    assert done.returncode == 3
    assert "same command resumes" in done.stdout and not outcomes(tmp_path / "out")
    assert "stopped" in run("status", "out").stdout


def test_ctrl_c_is_resumable(assay, environment, run, study, tmp_path):
    path = study(("a", {"steps": 40, "step_seconds": 0.05}), ("b", {"steps": 40, "step_seconds": 0.05}))
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        before = timing_bytes(tmp_path / "out")
        process = start(assay, environment, tmp_path, path, "-o", "out", "--workers", 2)
        wait_for(lambda: sum(a > b for a, b in zip(timing_bytes(tmp_path / "out"), before or [0, 0])) == 2)
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
        assert process.returncode == code, errors
        assert "same command resumes" in out and "checkpoint" in errors
        assert not outcomes(tmp_path / "out")
        assert (tmp_path / "out/.lock").read_bytes() == b""
    assert run("run", path, "-o", "out").returncode == 0
    assert run("run", path, "-o", "whole").returncode == 0
    assert_same_files(tmp_path / "out", tmp_path / "whole")


def test_a_second_ctrl_c_kills_a_stubborn_worker(assay, environment, study, tmp_path):
    path = study(("a", {"mode": "stubborn", "steps": 400, "step_seconds": 0.05}))
    process = start(assay, environment, tmp_path, path, "-o", "out")
    wait_for(lambda: list(tmp_path.glob("out/trials/*/checkpoint.safetensors")))
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None, "waits for the checkpoint"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130


def test_workers_die_with_their_parent(assay, environment, study, tmp_path):
    path = study(("a", {"mode": "stubborn", "steps": 400, "step_seconds": 0.05}))
    process = start(assay, environment, tmp_path, path, "-o", "out")
    wait_for(lambda: list(tmp_path.glob("out/trials/*/checkpoint.safetensors")))
    worker = children_of(process.pid)[0]
    process.kill()
    process.wait()

    def gone():
        stat = pathlib.Path(f"/proc/{worker}/stat")
        return not stat.exists() or stat.read_text().split(")")[1].split()[0] == "Z"

    wait_for(gone)


def test_second_run_refuses_and_names_the_first(assay, environment, run, study, tmp_path):
    path = study(("a", {"steps": 400, "step_seconds": 0.05}))
    process = start(assay, environment, tmp_path, path, "-o", "out")
    wait_for(lambda: list(tmp_path.glob("out/trials/*/checkpoint.safetensors")))
    second = run("run", path, "-o", "out")
    assert second.returncode == 5
    assert "environment.locked" in second.stderr
    assert os.uname().nodename in second.stderr and str(process.pid) in second.stderr
    assert json.loads(run("status", "out", "--json").stdout)["trials"][0]["status"] == "running"
    process.kill()
    process.communicate()
    stopped = json.loads(run("status", "out", "--json").stdout)
    assert stopped["running_on"] == "", "a killed run leaves no stale lock"


def test_changed_study_adds_trials_and_keeps_the_others(run, study, tmp_path):
    run("run", study(("a", {}), ("b", {})), "-o", "out")
    before = files_of(tmp_path / "out")
    done = run("run", study(("b", {}), ("c", {})), "-o", "out")
    assert done.returncode == 0
    assert "1 trial added" in done.stderr and "1 trial in out no longer in the study" in done.stderr
    after = files_of(tmp_path / "out")
    kept = {name: data for name, data in before.items() if name.startswith("trials/")}
    assert all(after[name] == data for name, data in kept.items())
    trials = json.loads(run("status", "out", "--json").stdout)["trials"]
    assert [(trial["name"], trial["in_study"]) for trial in trials] == [("b", True), ("c", True), ("a", False)]


def test_full_disk_in_a_worker_stops_the_run_and_keeps_it_resumable(run, study, tmp_path):
    done = run("run", study(("a", {"mode": "disk_full"})), "-o", "out")
    assert done.returncode == 5
    assert "environment.disk_full" in done.stderr and not outcomes(tmp_path / "out")


def test_longest_trial_first(run, study):
    done = run("-v", "run", study(("short", {"flops_per_step": 1e5}), ("long", {"flops_per_step": 1e9})),
               "-o", "out", "--workers", "1")
    started = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("start")]
    assert started == ["long", "short"]


def test_quiet_and_no_progress(run, study):
    path = study(("a", {}), more="")
    assert run("-q", "run", path, "-o", "out").stderr == ""
    assert "completed" not in run("run", path, "-o", "other", "--no-progress").stderr


def test_live_line_on_a_terminal(assay, environment, study, tmp_path):
    path = study(("a", {"steps": 30, "step_seconds": 0.1}))
    parent, child = pty.openpty()
    process = subprocess.Popen([assay, "run", path, "-o", "out"], cwd=tmp_path, env=environment, stderr=child,
                               stdout=subprocess.DEVNULL)
    os.close(child)
    text = b""
    try:
        while block := os.read(parent, 4096):
            text += block
    except OSError:
        pass  # the other end was closed
    assert process.wait() == 0
    live = text.decode()
    assert "\r\x1b[K" in live and "step " in live and "%" in live and " left" in live
