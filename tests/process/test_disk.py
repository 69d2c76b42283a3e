#!/usr/bin/env python3
"""A disk that takes its time, and files that are written when the process dies.

usage: test_disk.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [TEST…]

The clock is the shim's (tests/support/shim), so nothing here waits.
"""

import os
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
import programs  # noqa: E402
from scenarios import BY_NAME, RUN, THREE, rows  # noqa: E402
from stage import Stage  # noqa: E402

SYNC_SECONDS = (5, 90)  # the exchange's timeout is 60 s
PLAN = ("plan", "spec.yaml", "-o", "plan.json")
RESULTS = ("results", "spec.yaml", "-o", "out")


class Disk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="purser-disk-")
        self.addCleanup(folder.cleanup)
        self.stage = Stage(programs.given.purser, programs.given.sim, programs.given.shim, folder.name)
        self.addCleanup(self.stage.close)

    def test_while_a_slow_disk_is_waited_for_nothing_times_out(self):
        for self.stage.disk in ("fast", "slow"):
            for seconds in SYNC_SECONDS:
                with self.subTest(disk=self.stage.disk, seconds=seconds):
                    scenario = BY_NAME["first-run"]
                    self.stage.begin(scenario)
                    status, _, talk = self.stage.purser(RUN, SYNC_MS=str(1000 * seconds))
                    self.assertEqual(status, 0, talk)
                    self.assertGreater(self.stage.seconds(), 3 * seconds, "no sync was slow")
                    lines = self.stage.simulator.ledger()
                    self.assertEqual(len(judge.sends_of(lines)), 3, "a write was sent again")
                    self.stage.judge(scenario, 0)

    def files(self, paths):
        """The bytes of all files at or below these paths."""
        found = {}
        for path in paths:
            whole = self.stage.file(path)
            below = [os.path.join(parent, name) for parent, _, names in os.walk(whole) for name in names]
            for name in below or [whole]:
                if os.path.exists(name):
                    with open(name, "rb") as file:
                        found[os.path.relpath(name, self.stage.folder)] = file.read()
        return found

    def assert_old_or_new(self, scenario, path):
        """Wherever the victim dies, each file below the path is what it was or what it is to be."""
        self.stage.begin(scenario)
        old = self.files([path])
        count = len(self.stage.calls(scenario, scenario.victim))
        new = self.files([path])
        self.assertTrue(old and new)
        self.assertNotEqual(old, new, "the test shows nothing")
        seen = set()
        for number in range(1, count + 1):
            for point in ("before", "half", "after"):
                self.stage.begin(scenario)
                status, _, _ = self.stage.purser(scenario.victim, **{"": f"{point}:{number}"})
                self.assertEqual(status, -signal.SIGKILL)
                for name, content in self.files([path]).items():
                    if name in old or name in new:
                        self.assertIn(content, (old.get(name), new.get(name)), f"{name}, {point}:{number}")
                        seen.add(content == new.get(name))
        self.assertEqual(seen, {False, True})

    def test_a_plan_file_is_the_old_one_or_the_new_one(self):
        other = ("write", "items.csv", rows("one", "other", "three"))
        self.assert_old_or_new(BY_NAME["plan-file"]._replace(before=(PLAN, other), victim=PLAN), "plan.json")

    def test_results_are_the_old_ones_or_the_new_ones(self):
        more = ("write", "items.csv", THREE + "A-4,four\n")
        self.assert_old_or_new(BY_NAME["results"]._replace(before=(RUN, RESULTS, more, RUN), victim=RESULTS), "out")


if __name__ == "__main__":
    programs.main(__doc__, "purser", "sim", "shim")
