#!/usr/bin/env python3
"""Every command that `purser help` names has a scene in each proof, and in the search for secrets.

usage: test_scenes.py PURSER
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "prove", "oom"), os.path.join(TESTS, "canary")]
import canary  # noqa: E402  (found through the path above)
import scenarios  # noqa: E402
import scenes  # noqa: E402


def commands_of(purser):
    text = subprocess.run([purser, "help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    block = text.split("Commands:\n")[1].split("\n\n")[0]
    commands = re.findall(r"^  (\w+) ", block, re.MULTILINE)
    deeper = subprocess.run([purser, "schedule", "--help"], check=True, stdout=subprocess.PIPE,
                            text=True).stdout
    parts = re.match(r"usage: purser schedule ([\w|]+)", deeper).group(1).split("|")
    assert len(commands) > 10 and len(parts) > 3, "the help is not understood"
    return ({(command,) for command in commands if command != "schedule"}
            | {("schedule", part) for part in parts})


def first(words):
    return tuple(words[:2 if words[0] == "schedule" else 1])


def main():
    wanted = commands_of(sys.argv[1])
    missing = 0
    for name, found in (
            ("prove-errors and prove-crash", {first(one.victim) for one in scenarios.BY_NAME.values()}),
            ("prove-oom", {first(one.command) for one in scenes.all_scenes()}),
            ("the canary", {first(words) for words, _ in canary.ALL})):
        for command in sorted(wanted - found):
            print(f"{name}: no scene of purser {' '.join(command)}")
            missing += 1
    print(f"{len(wanted)} commands, {missing} without a scene")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
