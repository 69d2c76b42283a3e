#!/usr/bin/env python3
"""prove-coverage: which lines, branches and conditions of the layers the tests reach.

usage: coverage.py --build DIR --profiles DIR --counted FILE --llvm-cov FILE --llvm-profdata FILE
                   [--core] [--only REGEX] [--no-run] [--missing LAYER]

The build is that of the preset `coverage`: clang's source-based coverage of the layers' own files,
assertions on, as in release. A line counts when it was executed; a branch when its condition was
both true and false (each case of a switch: when it was taken); a condition of a decision with
several when two executions show that it alone changes the outcome (MC/DC).

--core      core by the unit tests of core alone: all lines, branches and conditions
(without)   all layers by the tests of SUITE and FAILURES; core as above, the others by MIN_BRANCHES
--only      the tests whose names match instead of SUITE (what they alone reach)
--no-run    the profiles of the last run
--missing   lists what is missing of this layer, too, though it is not below its bound

Ends with 1 when a test fails, when a file was not counted, or when a layer is below its bound.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

LAYERS = ("base", "core", "codec", "engine", "io", "cli")
ROOT = pathlib.Path(__file__).resolve().parents[3]
MIN_BRANCHES = 90.0

# What does not count, and why; nothing else is left out. A place is told by the text before it, the
# text from it on, and the next line.
EXCLUDED = (
    # Its false side is a wrong program and ends the process (CONTRIBUTING.md, Errors). clang gives a
    # macro of a system header no width.
    ("", r"assert\(", ""),
    # "None of the cases" of a switch over an enumeration: -Wswitch-enum demands every value.
    (r"switch \($", "", r"\s*case [A-Z][A-Z0-9_]*:"),
    # The number of values, which is none of them; -Wswitch-enum demands it as well.
    ("", r"case [A-Z0-9_]+_COUNT:", ""),
)


class Count:
    """How many of something there are and how many of them were reached."""

    def __init__(self):
        self.total = 0
        self.reached = 0

    def add(self, reached):
        self.total += 1
        self.reached += 1 if reached else 0

    def add_all(self, other):
        self.total += other.total
        self.reached += other.reached

    def percent(self):
        return 100.0 if self.total == 0 else 100.0 * self.reached / self.total

    def __str__(self):
        if self.total == 0:
            return "-"
        # Rounded down, so that only all of them are 100.
        return f"{self.reached} of {self.total} {int(self.percent() * 10) / 10:5.1f}"


class Module:
    """One source file: its counts, and the places that no test reached."""

    def __init__(self, name):
        self.name = name
        self.lines, self.branches, self.conditions = Count(), Count(), Count()
        self.missing_lines, self.missing = [], []

    def miss(self, line, column, what):
        self.missing.append((line, column, what))


def line_counts(segments):
    """{line: executions} by llvm's rule: the largest count of the regions on the line. The lines of
    a macro of the project's own count as well.

    Source: llvm 19, lib/ProfileData/Coverage/CoverageMapping.cpp, LineCoverageStats.
    """
    by_line = {}
    for segment in segments:
        by_line.setdefault(segment[0], []).append(segment)
    counts = {}
    wrapped = None
    for line in range(min(by_line, default=1), max(by_line, default=0) + 1):
        here = by_line.get(line, [])
        entries = [s for s in here if s[3] and s[4] and not s[5]]
        starts_skipped = bool(here) and not here[0][3] and here[0][4]
        mapped = not starts_skipped and ((wrapped is not None and wrapped[3]) or bool(entries))
        if mapped:
            inherited = [wrapped[2]] if wrapped is not None and wrapped[3] else []
            counts[line] = max(inherited + [s[2] for s in entries])
        if here:
            wrapped = here[-1]
    return counts


def is_excluded(source, line, column):
    before, after = source[line - 1][:column - 1], source[line - 1][column - 1:]
    next_line = source[line] if line < len(source) else ""
    return any(re.search(left, before) and re.match(right, after) and re.match(below, next_line)
               for left, right, below in EXCLUDED)


def read_lines(module, entry):
    for line, count in sorted(line_counts(entry["segments"]).items()):
        module.lines.add(count > 0)
        if count == 0:
            module.missing_lines.append(line)


def read_branches(module, entry, source):
    sides = {}
    for line, column, end, end_column, true, false, *_ in entry["branches"]:
        if is_excluded(source, line, column):
            continue
        side = sides.setdefault((line, column, end, end_column), [0, 0])
        side[0] += true
        side[1] += false
    for (line, column, _, _), (true, false) in sorted(sides.items()):
        # A case of a switch has no condition of its own: it is taken or not.
        if source[line - 1][column - 1:].startswith(("case ", "default:")):
            module.branches.add(true > 0)
            if true == 0:
                module.miss(line, column, "case never taken")
            continue
        for count, word in ((true, "true"), (false, "false")):
            module.branches.add(count > 0)
            if count == 0:
                module.miss(line, column, f"never {word}")


def read_conditions(module, entry, source):
    decisions = {}
    for line, column, end, end_column, _, _, shown in entry["mcdc_records"]:
        if is_excluded(source, line, column):
            continue
        known = decisions.setdefault((line, column, end, end_column), [False] * len(shown))
        decisions[line, column, end, end_column] = [a or b for a, b in zip(known, shown)]
    for (line, column, _, _), shown in sorted(decisions.items()):
        for number, independent in enumerate(shown, 1):
            module.conditions.add(independent)
            if not independent:
                module.miss(line, column,
                            f"condition {number} of {len(shown)} never shown to decide alone")


def run_tests(options, selection):
    shutil.rmtree(options.profiles, ignore_errors=True)
    command = ["ctest", "--test-dir", options.build, "--output-on-failure", "--no-tests=error",
               "-j2", *selection]
    print(f"prove-coverage: {' '.join(command)}", flush=True)
    log = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         errors="replace", check=False)
    tail = log.stdout if log.returncode else log.stdout[log.stdout.rfind("% tests passed") - 4:]
    print(tail.strip(), flush=True)
    return log.returncode == 0


def play_failures(options):
    for program, shim, arguments in FAILURES:
        command = [sys.executable, "-B", str(ROOT / "tests/prove" / program), *arguments,
                   "--purser", os.path.join(options.build, "bin/purser"),
                   "--sim", os.path.join(options.build, "bin/rutter-sim"),
                   "--shim", os.path.join(options.build, f"tests/support/lib{shim}.so")]
        played = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, errors="replace", check=False)
        print(f"prove-coverage: {program} {shim}: {played.stdout.strip().splitlines()[-1:]}",
              flush=True)


def export(options):
    """What llvm-cov says of a program that has every object of the layers."""
    merged = os.path.join(options.build, "tests.profdata")
    raw = sorted(str(path) for path in pathlib.Path(options.profiles).glob("*.profraw"))
    if not raw:
        sys.exit(f"prove-coverage: no profiles in {options.profiles}")
    # A process that was killed while it wrote spoils its own file, not the others.
    subprocess.run([options.llvm_profdata, "merge", "--failure-mode=all", "-o", merged, *raw],
                   check=True)
    report = subprocess.run(
        [options.llvm_cov, "export", f"--instr-profile={merged}", "--skip-expansions",
         "--skip-functions", options.counted],
        check=True, stdout=subprocess.PIPE)
    return json.loads(report.stdout)["data"][0]["files"]


def read_modules(files):
    """{layer: [Module]} of the project's own files."""
    layers = {}
    for entry in files:
        path = pathlib.Path(entry["filename"]).resolve()
        name = str(path.relative_to(ROOT))
        found = re.match(r"(?:src|include/purser)/(\w+)/", name)
        if not found:
            continue
        source = path.read_text().splitlines()
        module = Module(name)
        read_lines(module, entry)
        read_branches(module, entry, source)
        read_conditions(module, entry, source)
        layers.setdefault(found[1], []).append(module)
    return layers


def files_not_counted(options, layers, modules):
    """Source files of this build with a function of which the report does not know."""
    commands = pathlib.Path(options.build, "compile_commands.json").read_text()
    built = {os.path.relpath(command["file"], ROOT) for command in json.loads(commands)}
    known = {module.name for layer in layers for module in modules.get(layer, [])}
    for layer in layers:
        for path in sorted((ROOT / "src" / layer).glob("*.c")):
            name = str(path.relative_to(ROOT))
            if name in built - known and re.search(r"^{", path.read_text(), re.MULTILINE):
                yield name


def total_of(name, modules):
    total = Module(name)
    for module in modules:
        total.lines.add_all(module.lines)
        total.branches.add_all(module.branches)
        total.conditions.add_all(module.conditions)
    return total


def print_row(module):
    print(f"{module.name:<40} {module.lines!s:>22} {module.branches!s:>22} "
          f"{module.conditions!s:>22}")


def print_missing(module):
    first = last = None  # of lines in a row
    for line in module.missing_lines + [None]:
        if last is not None and line != last + 1:
            lines = f"{first}" if first == last else f"{first}-{last}"
            print(f"{module.name}:{lines}: never executed")
            first = None
        first = line if first is None else first
        last = line
    for line, column, what in sorted(module.missing):
        print(f"{module.name}:{line}:{column}: {what}")


def below_bound(layer, total):
    if layer == "core":
        return [what for what, count in (("lines", total.lines), ("branches", total.branches),
                                         ("conditions", total.conditions))
                if count.reached < count.total]
    return ["branches"] if total.branches.percent() < MIN_BRANCHES else []


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    for name in ("--build", "--profiles", "--counted", "--llvm-cov", "--llvm-profdata"):
        parser.add_argument(name, required=True)
    parser.add_argument("--core", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--no-run", action="store_true")
    parser.add_argument("--missing", choices=LAYERS, action="append", default=[])
    options = parser.parse_args()

    layers = ("core",) if options.core else LAYERS
    selection = ["-R", "^unit_core_"] if options.core else SUITE
    if options.only:
        selection = ["-R", options.only]
    passed = options.no_run or run_tests(options, selection)
    if not (options.no_run or options.core or options.only):
        play_failures(options)
    modules = read_modules(export(options))

    wrong = [] if passed else ["tests failed"]
    print(f"{'':<40} {'lines':>22} {'branches':>22} {'conditions (MC/DC)':>22}")
    last_lines = []
    for layer in layers:
        rows = sorted(modules.get(layer, []), key=lambda module: module.name)
        total = total_of(f"{layer} in all", rows)
        for row in rows:
            print_row(row)
        print_row(total)
        below = below_bound(layer, total)
        for row in rows if below or layer in options.missing else []:
            print_missing(row)
        wrong += [f"{layer}: too few {what}" for what in below]
        last_lines.append(f"prove-coverage: {layer}: lines {total.lines}, branches "
                          f"{total.branches}, conditions {total.conditions}")
    wrong += [f"{name}: not counted" for name in files_not_counted(options, layers, modules)]
    for text in last_lines + [f"prove-coverage: {text}" for text in wrong]:
        print(re.sub(" +", " ", text))
    return 1 if wrong else 0


# All that runs the program or its parts, but for the checkers of texts, for programs with planted
# bugs, and for proofs whose faults would hit the writing of a profile as well.
SUITE = ["-LE", "^(house|peer|crash)$", "-E", "^(sim_planted|prove_)|_notices_|^process_hardening$"]

# Scenes in which calls fail, played in turn until the time is over. Whether they end as they should
# is for prove-oom and prove-errors to say: here a profile may be hit as well, and where that is one
# of several processes that write it at the same time, they die of it.
FAILURES = (
    ("oom/oom.py", "memory_shim", ("--no-leaks", "--each", "1000", "--seconds", "400")),
    ("oom/oom.py", "ledger_shim", ("--no-leaks", "--each", "1000", "--seconds", "400")),
    ("errors/errors.py", "purser_shim", ("--at-once", "1", "--draw", "300")),
)

if __name__ == "__main__":
    sys.exit(main())
