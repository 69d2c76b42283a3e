#!/usr/bin/env python3
"""tools/check_faults.py against made-up tables: each kind of mistake is found, and a right table is not."""

import contextlib
import importlib.util
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPEC = importlib.util.spec_from_file_location("check_faults", os.path.join(ROOT, "tools", "check_faults.py"))
check_faults = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_faults)


class Made(check_faults.Tests):
    """The tests of a build, without one: the parts are read from this repository."""

    def __init__(self):
        self.places = {"unit_base_text": "tests/CMakeLists.txt", "cli_state_locked": "tests/cli/CMakeLists.txt",
                       "hostile_server": "tests/hostile/CMakeLists.txt",
                       "schedule_ticks": "tests/schedule/CMakeLists.txt"}
        self.parts = {}


class Table(unittest.TestCase):
    def judge(self, tests="no test yet", number="Y03", more=""):
        """What is said of a whole table in which one line has this number and these tests."""
        lines = [f"| {letter}{n:02} | what | what then | no test yet |\n"
                 for letter, count in check_faults.COUNTS.items() for n in range(1, count + 1)]
        at = next(i for i, line in enumerate(lines) if "Y03" in line)
        lines[at] = f"| {number} | what | what then | {tests} |\n{more}"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "FAULTS.md")
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(["# Faults\n", "| number | fault | behaviour | test |\n", "|---|---|---|---|\n", *lines])
            with contextlib.redirect_stdout(sys.stderr):
                return check_faults.check(path, Made())

    def assert_right(self, tests, kind):
        problems, kinds = self.judge(tests)
        self.assertEqual(problems, [])
        self.assertEqual([line for line in kinds[kind] if line.startswith("Y03")], [f"Y03 what: {tests}"])

    def assert_wrong(self, said, **changes):
        problems, _ = self.judge(**changes)
        self.assertTrue(any(said in problem for problem in problems), problems)

    def test_right_lines_are_counted_by_their_kind(self):
        self.assert_right("`unit_base_text: durations_have_one_unit_and_a_maximum`, `cli_state_locked`", "shown")
        self.assert_right("`hostile_server: answer: HTTP 9.9`", "shown")
        self.assert_right("`schedule_ticks: setUp`", "shown")
        self.assert_right("`cli_state_locked`; not yet: the rest", "in part")
        self.assert_right("no test yet", "no test yet")
        self.assert_right("no test: nobody can see it", "cannot be shown")
        self.assert_right("not part of purser today", "not part of purser today")

    def test_a_test_that_does_not_exist_is_found(self):
        self.assert_wrong("Y03: there is no test `cli_state_lokced`", tests="`cli_state_lokced`")
        self.assert_wrong("there is no test `unit_base_text: durations`", tests="`unit_base_text: durations`")
        # A helper of a unit test is no test, and a comment is none.
        self.assert_wrong("there is no test", tests="`unit_base_text: assert_true`")
        self.assert_wrong("there is no test", tests="`hostile_server: no such scene`")
        self.assert_wrong("there is no test", tests="`cli_state_locked`, `cli_nothing`")

    def test_a_column_that_says_nothing_is_found(self):
        for tests in ("later", "cli_state_locked", "`cli_state_locked` and so on", "no test: ",
                      "`cli_state_locked`; not yet: "):
            self.assert_wrong("Y03: ", tests=tests)
        self.assert_wrong("Y03: a line has four cells", tests="")

    def test_numbers_are_complete_and_unique(self):
        self.assert_wrong("Y03 is missing", number="Y21")
        self.assert_wrong("there is no such number", number="Y21")
        self.assert_wrong("there is no such number", number="Q01")
        self.assert_wrong("there is no such number", number="Y003")
        self.assert_wrong("stands in line", more="| Y03 | again | what then | no test yet |\n")


class Promises(unittest.TestCase):
    def judge(self, line):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "SECURITY.md")
            with open(path, "w", encoding="utf-8") as file:
                file.write("# Security\n\n| promise | test |\n|---|---|\n" + line + "\n")
            return check_faults.check_promises(path, Made())

    def test_a_promise_with_its_test_is_right(self):
        self.assertEqual(self.judge("| It is locked. | `cli_state_locked` |"), ([], 1))

    def test_a_promise_without_a_test_that_exists_is_none(self):
        for tests in ("`cli_state_unlocked`", "no test yet", "`cli_state_locked`; not yet: half of it", ""):
            problems, _ = self.judge(f"| It is locked. | {tests} |")
            self.assertTrue(problems, tests)


if __name__ == "__main__":
    unittest.main()
