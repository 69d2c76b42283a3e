#!/usr/bin/env python3
"""No line of a help text is wider than a terminal.

usage: test_help_width.py PURSER RUTTER_SIM
"""
import re
import subprocess
import sys
import unittest

PURSER, SIM = sys.argv[1:3]
COLUMNS = 80
SECONDS_MAX = 60


def said(*words):
    return subprocess.run(words, check=True, capture_output=True,
                          timeout=SECONDS_MAX).stdout.decode()


def terms(text):
    return re.findall(r"^  ([\w.-]+) ", text, re.MULTILINE)


class Width(unittest.TestCase):
    def check(self, *words, passed_over=None):
        text = said(*words)
        self.assertGreater(len(text), 40, words)
        for line in text.splitlines():
            if passed_over is None or not line.startswith(passed_over):
                self.assertLessEqual(len(line), COLUMNS, f"{' '.join(words[1:])}: {line}")

    def test_of_each_command_and_topic(self):
        names = terms(said(PURSER, "help").split("Commands:")[1])
        self.assertGreater(len(names), 20)
        self.check(PURSER, "help")
        for name in names:
            self.check(PURSER, "help", name)

    def test_of_each_kind_of_schedule(self):
        kinds = set(re.findall(r"^  purser schedule (\w+)", said(PURSER, "help", "schedule"),
                               re.MULTILINE))
        self.assertGreaterEqual(len(kinds), 4)
        for kind in kinds:
            self.check(PURSER, "schedule", kind, "--help")

    def test_of_each_code_of_a_message(self):
        codes = [term for term in terms(said(PURSER, "help", "codes")) if "." in term]
        self.assertGreater(len(codes), 60)
        for code in codes:  # an example stands as it is written in a spec
            self.check(PURSER, "help", code, passed_over="    ")

    def test_of_the_simulator(self):
        self.check(SIM, "--help")
        self.check(SIM, "--outcomes")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
