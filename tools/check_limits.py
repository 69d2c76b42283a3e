#!/usr/bin/env python3
"""Checks docs/LIMITS.md against purser/core/limits.h: each limit has its line, with the value that it has, and with
tests that exist.

usage: check_limits.py --build FOLDER [LIMITS.md]

A line is `| constant | limit | of what, and what happens above it | test |`; the last column as in check_faults.py. The
limit is a number, with a unit where there is one: KiB, MiB, h, d. Exit status 1 when something is wrong.
"""

import argparse
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from check_faults import ROOT, Tests, judge_tests  # noqa: E402

HEADER = os.path.join(ROOT, "include", "purser", "core", "limits.h")
DEFINE = re.compile(r"^#define (\w+)\s+([^/\n\\]*(?:\\\n[^/\n]*)?)", re.MULTILINE)
LIMIT = re.compile(r"([\d,]+)(?: (KiB|MiB|h|d))?$")
UNITS = {None: 1, "KiB": 1024, "MiB": 1024 ** 2, "h": 3600 * 1000, "d": 24 * 3600 * 1000}


def read_header(path):
    """The limits by name."""
    limits = {}
    with open(path, encoding="utf-8") as file:
        for name, text in DEFINE.findall(file.read()):
            terms = re.sub(r"(\d)(u|LL)\b", r"\1", text.replace("\\\n", " "))
            terms = re.sub(r"[A-Z]\w+", lambda other: str(limits[other.group(0)]), terms).strip()
            if terms:
                limits[name] = int(eval(terms, {"__builtins__": {}}))  # numbers and operators alone
    return limits


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            cells = [cell.strip() for cell in line.rstrip("\n").split("|")][1:-1]
            if cells and re.match(r"`?[A-Z_]+`?$", cells[0]):
                yield number, cells


def check(path, limits, tests):
    problems, seen = [], set()
    for line, cells in read_lines(path):
        name = cells[0].strip("`")
        where = f"{path}:{line}: {name}: "
        if name not in limits or name in seen:
            problems.append(where + ("stands here twice" if name in seen else "limits.h has it not"))
            continue
        seen.add(name)
        if len(cells) != 4 or "" in cells or not LIMIT.match(cells[1]):
            problems.append(where + "a line has four cells: constant, limit, of what and what happens above, test")
            continue
        number, unit = LIMIT.match(cells[1]).groups()
        if int(number.replace(",", "")) * UNITS[unit] != limits[name]:
            problems.append(where + f"it is {limits[name]} in limits.h")
        kind, wrong = judge_tests(cells[3], tests)
        problems += [where + text for text in wrong]
        if kind != "shown":
            problems.append(where + "it has no test")
    return problems + [f"{HEADER}: {name} has no line in {path}" for name in limits if name not in seen]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("path", nargs="?", default=os.path.join(ROOT, "docs", "LIMITS.md"))
    options = parser.parse_args()
    limits = read_header(HEADER)
    problems = check(options.path, limits, Tests(options.build))
    for problem in problems:
        print(problem)
    print(f"check_limits: {len(limits)} limits, {len(problems)} problems")
    return 1 if problems or not limits else 0


if __name__ == "__main__":
    sys.exit(main())
