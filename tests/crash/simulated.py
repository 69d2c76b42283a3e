#!/usr/bin/env python3
"""Kills purser while its own simulator runs: the next run must find the same server again.

usage: simulated.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [--plant forget]

The spec says `environment: simulator`, so each run starts a rutter-sim and its death ends it. For
each point one run dies there and another one finishes; then nothing may be in doubt, and the wire
ledgers of both simulators together must show each item created exactly once.

--plant forget: does the test notice? The simulator's world is removed after each death.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
from stage import number_of, read_calls  # noqa: E402
from workload import Workload  # noqa: E402

ITEMS = 60
SECONDS_MAX = 120
POINTS = (("after", "send", 1), ("after", "send", 20), ("before", "recv", 20), ("after", "recv", 40),
          ("half", "send", 50), ("after", "send", 75), ("after", "recv", 90), ("after", "fdatasync", 3))
# The simulator's own record goes on over all its processes.
WRAPPER = """\
#!/bin/sh
exec '{sim}' "$@" --ledger '{folder}/ledger.ndjson' --job-time 0-200
"""


class Wrong(Exception):
    """What makes the test fail."""


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--shim", required=True, type=os.path.abspath)
    parser.add_argument("--plant", choices=["forget"])
    return parser.parse_args()


def run(workload, *words, **environment):
    process = workload.start(*words, **environment)
    try:
        return process.wait(timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Wrong("purser hangs:\n" + workload.text("stderr")) from None


def start(options, folder):
    workload = Workload(folder, options.purser, "simulator", ITEMS, in_flight=8)
    wrapper = os.path.join(folder, "simulator")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(WRAPPER.format(sim=options.sim, folder=folder))
    os.chmod(wrapper, 0o755)
    workload.environment["PURSER_SIMULATOR"] = wrapper
    return workload


def points(options):
    """Where an undisturbed run passes the points; another one does so nearly."""
    with tempfile.TemporaryDirectory(prefix="purser-simulated-") as folder:
        workload = start(options, folder)
        listed = os.path.join(folder, "calls")
        status = run(workload, LD_PRELOAD=options.shim, PURSER_SHIM_LIST=listed)
        if status != 0:
            raise Wrong(f"the undisturbed run ended with {status}:\n" + workload.text("stderr"))
        calls = read_calls(listed)
    return [f"{when}:{number_of(calls, name, count)}" for when, name, count in POINTS]


def forget(folder):
    for place, _, files in os.walk(os.path.join(folder, "state")):
        if "simulator.world" in files:
            os.remove(os.path.join(place, "simulator.world"))


def die_and_go_on(options, folder, point):
    """Whether the run died at the point."""
    workload = start(options, folder)
    status = run(workload, LD_PRELOAD=options.shim, PURSER_SHIM=point)
    died = status == -signal.SIGKILL
    if not died and status != 0:
        raise Wrong(f"the first run ended with {status}:\n" + workload.text("stderr"))
    if options.plant:
        forget(folder)
    # A server that forgot is asked for its jobs for minutes; that is too long for a planted lie.
    status = run(workload, *(["--wait", "10s"] if options.plant else []))
    if status != 0:
        raise Wrong(f"the second run ended with {status}:\n" + workload.text("stderr"))
    items = json.loads(workload.text("stdout"))["items"]
    if items["succeeded"] != ITEMS:
        raise Wrong(f"not all succeeded: {items}")
    with open(os.path.join(folder, "ledger.ndjson"), encoding="utf-8") as file:
        verdicts = workload.judge([json.loads(line) for line in file])
    if verdicts:
        raise Wrong(judge.shown(verdicts))
    return died


def main():
    options = read_options()
    died = 0
    for point in points(options):
        folder = tempfile.mkdtemp(prefix="purser-simulated-")
        try:
            died += die_and_go_on(options, folder, point)
        except Wrong as wrong:
            print(f"simulated: WRONG at {point}: {wrong}")
            return 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"simulated: {died} deaths at {len(POINTS)} points, all went on with the same server")
    return 0 if died > len(POINTS) // 2 else 1


if __name__ == "__main__":
    sys.exit(main())
