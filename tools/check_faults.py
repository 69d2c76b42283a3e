#!/usr/bin/env python3
"""Checks docs/FAULTS.md: every number is there once, and every test that a line names exists; and the
tests of the promises in SECURITY.md (`| promise | test |`).

usage: check_faults.py --build FOLDER [--list] [FAULTS.md]

A line is `| number | fault | required behaviour | test |`. The last column is one of

  `NAME`, `NAME: PART`, ...      tests as `ctest` lists them in the build folder. PART is a place in one of
                                 them: a function of a unit test, a scene of hostile_server, for any
                                 other a function of the Python files beside its CMakeLists.txt
  ...; not yet: WHAT             the same, with the part of the fault that no test shows
  no test yet
  no test: REASON                what cannot be shown by a test, and why
  not part of purser today

What has no test is counted and printed (--list: each line). Exit status 1 when something is wrong.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COUNTS = {"P": 23, "D": 30, "M": 14, "C": 10, "N": 30, "H": 26, "B": 15, "R": 12, "S": 14, "J": 13,
          "X": 15, "Y": 20, "O": 6, "W": 16, "L": 6}
NUMBER = re.compile(r"[A-Z]\d\d$")
NAMES = re.compile(r"`[^`]+`(, `[^`]+`)*$")
KINDS = ("shown", "in part", "no test yet", "cannot be shown", "not part of purser today")


class Tests:
    """The tests of a build folder, and the parts that they have."""

    def __init__(self, build):
        listing = json.loads(subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, check=True,
                                            stdout=subprocess.PIPE).stdout)
        graph = listing["backtraceGraph"]
        self.places = {test["name"]: graph["files"][graph["nodes"][test["backtrace"]]["file"]]
                       for test in listing["tests"]}
        self.parts = {}

    def has(self, name, part):
        if name not in self.places:
            return False
        if part is None:
            return True
        if name not in self.parts:
            self.parts[name] = self.read_parts(name)
        return part in self.parts[name]

    def read_parts(self, name):
        folder = os.path.dirname(os.path.join(ROOT, self.places[name]))
        if name == "hostile_server":
            return scenes_of(os.path.join(folder, "scenes.py"))
        if name.startswith("unit_"):
            layer, module = name[len("unit_"):].split("_", 1)
            files = [os.path.join(folder, "unit", layer, f"test_{module}.c")]
            pattern = r"(?i)\b\w*test\w*\(\s*(\w+)"
        else:
            files = [os.path.join(folder, file) for file in os.listdir(folder) if file.endswith(".py")]
            pattern = r"^ *def (\w+)\("
        found = set()
        for file in files:
            with open(file, encoding="utf-8") as opened:
                found |= set(re.findall(pattern, opened.read(), re.MULTILINE))
        return found


def scenes_of(path):
    spec = importlib.util.spec_from_file_location("scenes", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["scenes"] = module  # dataclasses look for their module
    spec.loader.exec_module(module)
    scenes = [*module.wire_scenes(), *module.address_scenes(""), *module.job_scenes()]
    return {scene.name for scene in scenes}


def read_lines(path):
    """The table's lines: (line number, cells)."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            # A bar within a cell is written \|.
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.rstrip("\n"))]
            if len(cells) > 2 and re.match(r"[A-Z]\d", cells[1]):
                yield number, cells[1:-1]


def judge_tests(text, tests):
    """The kind of the column, and what is wrong with it."""
    if text == "no test yet":
        return "no test yet", []
    if text == "not part of purser today":
        return "not part of purser today", []
    if text.startswith("no test: ") and len(text) > len("no test: "):
        return "cannot be shown", []
    names, _, rest = text.partition("; not yet: ")
    if not NAMES.match(names) or ("; not yet:" in text and not rest):
        return "shown", [f"the test column is not understood: {text}"]
    problems = []
    for name in re.findall(r"`([^`]+)`", names):
        test, _, part = name.partition(": ")
        if not tests.has(test, part or None):
            problems.append(f"there is no test `{name}`")
    return "in part" if rest else "shown", problems


def check(path, tests):
    """(problems, lines by kind)"""
    problems, seen = [], {}
    kinds = {kind: [] for kind in KINDS}
    for line, cells in read_lines(path):
        where = f"{path}:{line}: {cells[0]}: "
        if not NUMBER.match(cells[0]) or int(cells[0][1:]) not in range(1, COUNTS.get(cells[0][0], 0) + 1):
            problems.append(where + "there is no such number")
        if cells[0] in seen:
            problems.append(where + f"stands in line {seen[cells[0]]} already")
        seen[cells[0]] = line
        if len(cells) != 4 or "" in cells:
            problems.append(where + "a line has four cells: number, fault, required behaviour, test")
            continue
        kind, wrong = judge_tests(cells[3], tests)
        kinds[kind].append(f"{cells[0]} {cells[1]}: {cells[3]}")
        problems += [where + text for text in wrong]
    for letter, count in COUNTS.items():
        problems += [f"{path}: {letter}{number:02} is missing" for number in range(1, count + 1)
                     if f"{letter}{number:02}" not in seen]
    return problems, kinds


def check_promises(path, tests):
    """(problems, number of promises)"""
    problems, count = [], 0
    with open(path, encoding="utf-8") as file:
        for line, text in enumerate(file, 1):
            cells = [cell.strip() for cell in text.rstrip("\n").split("|")][1:-1]
            if not cells or set(cells[0]) == {"-"} or cells == ["promise", "test"]:
                continue
            count += 1
            kind, wrong = judge_tests(cells[-1], tests)
            if len(cells) != 2 or kind != "shown":
                wrong.append("a line has two cells: promise and tests")
            problems += [f"{path}:{line}: {text}" for text in wrong]
    return problems, count


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("path", nargs="?", default=os.path.join(ROOT, "docs", "FAULTS.md"))
    options = parser.parse_args()
    tests = Tests(options.build)
    problems, kinds = check(options.path, tests)
    more, promises = check_promises(os.path.join(ROOT, "SECURITY.md"), tests)
    problems += more
    for problem in problems:
        print(problem)
    for kind in KINDS[1:]:
        if options.list:
            print("".join(f"{kind}: {line}\n" for line in kinds[kind]), end="")
    total = sum(map(len, kinds.values()))
    print(f"check_faults: {total} faults; " + ", ".join(f"{len(kinds[kind])} {kind}" for kind in KINDS)
          + f"; {promises} promises of SECURITY.md; {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
