# Help, errors, exit codes and JSON.
import json
import re
import subprocess

import pytest

COMMANDS = ["run", "status", "report", "check", "list", "doctor"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(run, command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"Example: assay {command}" in done.stdout


def test_alone_it_shows_examples(run):
    done = run()
    assert done.returncode == 0 and "assay run" in done.stdout
    assert re.match(r"assay \d+\.\d+\.\d+ \(.+\)\n", run("--version").stdout)


@pytest.mark.parametrize("arguments, code, near", [
    (["statsu", "x"], "usage.unknown_command", "did you mean `status`?"),
    (["run", "x.toml", "--worker", "3"], "usage.unknown_option", "did you mean `--workers`?"),
    (["status", "x", "--jsno"], "usage.unknown_option", "did you mean `--json`?"),
    (["status"], "usage.arguments", "assay status --help"),
    (["run", "x.toml", "--workers", "0"], "usage.arguments", "--help"),
    (["list", "preset"], "usage.unknown_name", "did you mean `presets`?"),
    (["status", "a", "b"], "usage.unexpected_argument", "--help"),
])
def test_wrong_use(run, arguments, code, near):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error[{code}]: ") and near in done.stderr
    assert done.stdout == ""
    error = json.loads(run(*arguments, "--json").stdout)["error"]
    assert error["code"] == code


def test_error_in_a_study_has_its_place(run, study):
    path = study(("a", {}), more="unknown = 3")
    for command in ("run", "check"):
        done = run(command, path)
        assert done.returncode == 2
        assert f"--> {path}:1:1" in done.stderr and "^^^^^^^" in done.stderr
    error = json.loads(run("check", path, "--json").stdout)["error"]
    assert (error["code"], error["line"], error["column"]) == ("config.unknown_key", 1, 1)


def test_missing_things(run, tmp_path):
    done = run("status", "nowhere")
    assert done.returncode == 1 and "there is no folder nowhere" in done.stderr
    (tmp_path / "empty").mkdir()
    assert "has no study.json" in run("status", "empty").stderr
    assert run("check", "nowhere.toml").returncode == 2
    lost = run("check", "x.toml", ASSAY_WORKER="/nowhere/worker")
    assert lost.returncode == 5 and "environment.no_worker" in lost.stderr


def test_a_worker_that_says_nothing(run):
    done = run("check", "x.toml", ASSAY_WORKER="/bin/true")
    assert done.returncode == 5 and "gave no answer" in done.stderr


def test_check_shows_trials_and_cost(run, study):
    path = study(("a", {"flops_per_step": 1e12}), ("b", {}))
    done = run("check", path)
    assert done.returncode == 0
    assert "GFLOP/s per core" in done.stdout and "400 s" in done.stdout.replace("6 min 40 s", "400 s")
    assert json.loads(run("check", path, "--json").stdout)["estimated_seconds"] > 100


def test_check_prints_warnings(run, tmp_path):
    (tmp_path / "s.toml").write_text('[study]\nname = "w"\nwarnings = ["one seed"]\n[[trial]]\nname = "a"\n')
    assert "warning: one seed" in run("check", "s.toml").stderr


def test_color(run):
    assert "\x1b[" not in run("status", "nowhere").stderr
    assert "\x1b[" in run("status", "nowhere", "--color", "always").stderr
    assert "\x1b[" not in run("status", "nowhere", "--color", "never").stderr


def test_list_and_doctor(run):
    assert "masked pixels" in run("list", "presets").stdout
    assert "ratio" in run("list", "presets", "mae").stdout
    assert isinstance(json.loads(run("list", "presets", "--json").stdout), list)
    assert isinstance(json.loads(run("list", "studies", "--json").stdout), list)
    report = json.loads(run("doctor", "--json").stdout)
    assert report["worker"] == {"torch": "0.0"} and report["cores"] >= 1
    assert run("doctor", ASSAY_WORKER="/nowhere").returncode == 5


def test_status_tolerates_torn_records(run, study, tmp_path):
    run("run", study(("a", {})), "-o", "out")
    trial = next((tmp_path / "out/trials").iterdir())
    (trial / "outcome.json").unlink()
    with open(trial / "records.jsonl", "a") as records:
        records.write('{"kind":"st')
    done = run("status", "out")
    assert done.returncode == 0 and "stopped" in done.stdout


def test_report_writes_one_page(run, study, tmp_path):
    run("run", study(("a", {})), "-o", "out")
    done = run("report", "out", "-o", "page.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "page.html"
    assert (tmp_path / "page.html").read_text().lstrip().lower().startswith("<!doctype html>")
    assert isinstance(json.loads(run("report", "out", "--json").stdout), dict)
