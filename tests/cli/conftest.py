# Fixtures of the command-line tests: the executables, a fake worker, study files, folders to compare.
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ASSAY_BIN", ROOT / "build" / "bin")).resolve()
FAKE = pathlib.Path(__file__).with_name("fake_worker.py")


@pytest.fixture(scope="session")
def assay():
    path = BIN / "assay"
    if not path.exists():
        pytest.skip(f"{path} is not built (ASSAY_BIN names its folder)")
    return path


@pytest.fixture(scope="session")
def real_worker():
    """The environment for the real worker; tests that need it are skipped where it is not built."""
    path = BIN / "assay-worker"
    if not path.exists():
        pytest.skip(f"{path} is not built: these tests need the LibTorch half")
    return {**os.environ, "ASSAY_WORKER": str(path)}


@pytest.fixture
def environment(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    launcher = tmp_path / "worker"  # the interpreter of the tests, whatever PATH says
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {FAKE} "$@"\n')
    launcher.chmod(0o755)
    return {**os.environ, "ASSAY_WORKER": str(launcher), "FAKE_MARKS": str(marks), "NO_COLOR": "1"}


@pytest.fixture
def run(assay, environment, tmp_path):
    """run("status", "x") -> CompletedProcess, in tmp_path, with the fake worker."""

    def call(*arguments, **changes):
        return subprocess.run([assay, *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True,
                              timeout=60, env={**environment, **changes})

    return call


@pytest.fixture
def study(tmp_path):
    """study(("a", {"mode": "ok"}), …) writes study.toml and returns its path."""

    def write(*trials, name="test", more=""):
        text = f'{more}\n[study]\nname = "{name}"\n'
        for trial, options in trials:
            text += f'[[trial]]\nname = "{trial}"\n'
            for key, value in options.items():
                text += f'{key} = "{value}"\n' if isinstance(value, str) else f"{key} = {value}\n"
        path = tmp_path / "study.toml"
        path.write_text(text)
        return path

    return write


def files_of(folder):
    """Every file of a study folder but timing.jsonl, by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file() and path.name != "timing.jsonl"}


def assert_same_files(one, other):
    first, second = files_of(one), files_of(other)
    assert first.keys() == second.keys()
    differing = [name for name in first if first[name] != second[name]]
    assert not differing, f"these files differ: {differing}"


def children_of(pid):
    """Process ids of its children; empty when it is gone. (A bare Debian has no `ps`.)"""
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
