#!/usr/bin/env python3
# A worker without LibTorch that honours the protocol of assay-worker: for tests of scheduling.
"""The study file names its trials itself: [[trial]] name, mode, steps, step_seconds.

Modes: ok, diverge, segfault, sigkill (once), error (exit 1 with an error as its last line), mute (exit 3
without a word), stubborn (ignores SIGTERM), torn (half a record, then killed once), disk_full, silent (exit 0
without outcome).
"""
import atexit
import fcntl
import hashlib
import json
import os
import pathlib
import signal
import sys
import time
import tomllib

stop = None


def on_signal(number, _frame):
    global stop
    stop = number


def fail(document, code, stream):
    print(json.dumps({"error": document}), file=stream, flush=True)
    sys.exit(code)


def resolve(study, assignments):
    text = pathlib.Path(study).read_text() if os.path.exists(study) else fail(
        {"code": "config.missing_file", "message": f"cannot read {study}", "help": "check the path"}, 2, sys.stdout)
    table = tomllib.loads(text)
    if "unknown" in table:
        line = 1 + text[: text.index("unknown")].count("\n")
        fail({"code": "config.unknown_key", "message": "unknown key `unknown`", "help": "did you mean `study`?",
              "file": study, "line": line, "column": 1, "length": 7, "text": text.splitlines()[line - 1]},
             2, sys.stdout)
    trials = []
    for trial in table["trial"]:
        config = {"format": 1, "name": trial["name"], "mode": trial.get("mode", "ok"),
                  "steps": trial.get("steps", 20), "step_seconds": trial.get("step_seconds", 0.0)}
        trials.append({"id": hashlib.sha256(json.dumps(config).encode()).hexdigest()[:16],
                       "name": trial["name"], "config": config, "steps": config["steps"],
                       "flops": config["steps"] * trial.get("flops_per_step", 1e6), "parameters": 1234,
                       "flops_per_step": trial.get("flops_per_step", 1e6)})
    print(json.dumps({"format": 1, "name": table["study"]["name"], "question": "does it run?",
                      "base": str(pathlib.Path(study).resolve().parent), "toml": text, "set": assignments,
                      "trials": trials, "warnings": table["study"].get("warnings", [])}))


def write(path, text):
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    os.rename(temporary, path)


def once(folder):
    """True the first time, remembered outside the study folder."""
    marks = os.environ.get("FAKE_MARKS")
    if not marks:
        return True
    mark = pathlib.Path(marks) / folder.name
    if mark.exists():
        return False
    mark.touch()
    return True


def misbehave(mode, folder, records):
    if mode == "segfault":
        print("about to do something foolish", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode == "sigkill" and once(folder):
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "torn" and once(folder):
        os.write(records, b'{"kind":"step","st')
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "error":
        print("reading data", file=sys.stderr)
        fail({"code": "data.missing_file", "message": "no file nowhere.txt", "help": "check the path"}, 1, sys.stderr)
    if mode == "disk_full":
        fail({"code": "environment.disk_full", "message": "cannot write records.jsonl: No space left on device",
              "help": "make room"}, 5, sys.stderr)
    if mode == "mute":
        sys.exit(3)
    if mode == "silent":
        sys.exit(0)


def train(folder, base):
    del base
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in (folder / "config.json").read_text() else on_signal)
    signal.signal(signal.SIGINT, on_signal)
    config = json.loads((folder / "config.json").read_text())
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fail({"code": "environment.locked", "message": "in use", "help": ""}, 5, sys.stderr)
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.uname().nodename} {os.getpid()}\n".encode())
    atexit.register(os.ftruncate, lock, 0)
    print(f"training {config['name']}", file=sys.stderr, flush=True)
    checkpoint = folder / "checkpoint.safetensors"
    state = json.loads(checkpoint.read_text()) if checkpoint.exists() else {"step": 0, "bytes": 0}
    records = os.open(folder / "records.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.ftruncate(records, state["bytes"])
    timing = open(folder / "timing.jsonl", "a", buffering=1)
    begun = time.monotonic()

    def save(step):
        write(checkpoint, json.dumps({"step": step, "bytes": os.fstat(records).st_size}))

    for step in range(state["step"] + 1, config["steps"] + 1):
        time.sleep(config["step_seconds"])
        record = {"kind": "step", "step": step, "loss": 1 / step, "learning_rate": 0.1, "flops": step * 1e6}
        os.write(records, (json.dumps(record) + "\n").encode())
        seconds = time.monotonic() - begun
        timing.write(json.dumps({"kind": "timing", "step": step, "seconds": seconds, "steps_per_second": 1.0}) + "\n")
        if step == config["steps"] // 2:
            misbehave(config["mode"], folder, records)
        if step % 5 == 0 or stop:
            save(step)
        if stop:
            sys.exit(128 + stop)
    diverged = config["mode"] == "diverge"
    measurement = {"kind": "measurement", "meter": "heldout_loss", "quantity": "loss_per_target", "unit": "nat",
                   "step": config["steps"], "fraction": 1.0, "flops": config["steps"] * 1e6,
                   "labels": {"weights": "averaged", "term": "all"}, "value": 0.25, "n": 10, "method": "mean"}
    if not diverged and state["step"] < config["steps"]:
        os.write(records, (json.dumps(measurement) + "\n").encode())
        save(config["steps"])
    write(folder / "outcome.json", json.dumps(
        {"status": "diverged" if diverged else "completed", "reason": "loss is NaN" if diverged else "",
         "step": config["steps"]}))


def main(arguments):
    if arguments[0] == "resolve":
        resolve(arguments[1], arguments[3::2])
    elif arguments[0] == "train":
        train(pathlib.Path(arguments[2]), arguments[4])
    elif arguments[0] == "list":
        print(json.dumps([{"name": "mae", "summary": "masked pixels", "options": [
            {"name": "ratio", "type": "real", "default": 0.75, "help": "share of masked patches"}]}]))
    elif arguments[0] == "doctor":
        print(json.dumps({"torch": "0.0"}))


main(sys.argv[1:])
