#!/usr/bin/env python3
"""Proves that the ordering oracle sees what it is for, and nothing else.

usage: order.py --purser PROGRAM --planted PROGRAM --sim PROGRAM --shim LIBRARY

Both programs have the oracle (src/io/ordering_oracle.h). PROGRAM is sound: it must do the scenarios of
tests/support/scenarios.py, those that die half-way too, with a disk that is faster and with one that is slower than the
server, as if the oracle were not there. The planted one sends before the intent is durable: whatever sends something
new, a first run, a retry, a correction, an undo, must end by abort, with the item and the attempt in its last words.
For that the disk is the slower one: on the other one an intent may be durable in time by luck.
"""

import argparse
import os
import re
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from scenarios import BY_NAME, SCENARIOS, Stage, Wrong  # noqa: E402
from stage_pool import scratch_folder  # noqa: E402

# What is done in them makes intents and sends what they are of; in the others there is nothing new to send.
SENDING = ["first-run", "retry", "changed-row", "parked-connection", "dependency", "import", "canary", "new-version",
           "at-most-once", "correction", "undo", "undo-at-most-once"]
LAST_WORDS = re.compile(r"purser: ordering: item \d+ \([A-C]-?\d(#\d)?\), attempt \d+, (POST|PATCH|DELETE) /\S+: a byte "
                        r"would leave before its intent is durable; on disk: .+")


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("purser", "planted", "sim", "shim"):
        parser.add_argument(f"--{name}", required=True, type=os.path.abspath)
    return parser.parse_args()


def check_sound(stage, scenario):
    stage.begin(scenario)
    status, _, talk = stage.purser(scenario.victim)
    if status < 0:
        raise Wrong(f"{' '.join(scenario.victim)} ended by signal {-status}:\n{talk}")
    stage.finish(scenario)
    stage.judge(scenario, 1)


def check_is_caught(status, talk):
    if status != -signal.SIGABRT or not LAST_WORDS.search(talk):
        raise Wrong(f"the planted one ended with {status}, not by the oracle:\n{talk}")
    print(LAST_WORDS.search(talk).group(0), flush=True)


def check_planted(stage, scenario, planted):
    stage.begin(scenario)
    sound = stage.starter.program
    stage.use(planted)
    try:
        for step in (scenario.victim, *scenario.after):
            status, _, talk = stage.step(scenario, step) or (0, "", "")
            if status < 0:
                break
    finally:
        stage.use(sound)
    check_is_caught(status, talk)


def prove(stage, options):
    for stage.disk in "fast", "slow":
        for scenario in SCENARIOS:
            check_sound(stage, scenario)
    for name in SENDING:
        check_planted(stage, BY_NAME[name], options.planted)


def main():
    options = read_options()
    with scratch_folder("prove-order") as folder:
        stage = Stage(options.purser, options.sim, options.shim, folder)
        try:
            prove(stage, options)
        except Wrong as wrong:
            print(f"prove-order: WRONG: {wrong}")
            return 1
        finally:
            stage.close()
    print(f"prove-order: {2 * len(SCENARIOS)} of {2 * len(SCENARIOS)} sound, "
          f"{len(SENDING)} of {len(SENDING)} planted ones caught")
    return 0


if __name__ == "__main__":
    sys.exit(main())
