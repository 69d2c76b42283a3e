#!/usr/bin/env python3
"""Worlds that went alike have one digest, and any difference gives another one (stage.py).

usage: test_stage.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [TEST…]
"""

import os
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import programs  # noqa: E402  (found through the path above)
from scenarios import BY_NAME, INSTALL, RUN  # noqa: E402
from stage import NS_A_S, Stage, Worlds  # noqa: E402

FIRST_RUN = BY_NAME["first-run"]


class Digest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="purser-stage-")
        self.addCleanup(self.folder.cleanup)
        self.stage = self.make("one")

    def make(self, name):
        folder = os.path.join(self.folder.name, name)
        os.makedirs(folder)
        stage = Stage(programs.given.purser, programs.given.sim, programs.given.shim, folder, Worlds(folder))
        self.addCleanup(stage.close)
        return stage

    def dead_at(self, point, stage=None):
        stage = stage or self.stage
        stage.begin(FIRST_RUN)
        self.assertEqual(stage.purser(RUN, **{"": point})[0], -signal.SIGKILL)
        return stage.digest()

    def test_the_same_death_leaves_the_same_world_on_every_stage(self):
        number = len(self.stage.calls(FIRST_RUN, RUN)) - 5
        digests = {self.dead_at(f"after:{number}", stage)
                   for stage in (self.stage, self.stage, self.make("other"))}
        self.assertEqual(len(digests), 1)

    def test_a_world_that_was_kept_is_gone_back_to_as_it_was(self):
        digest = self.dead_at("after:60")
        world = self.stage.keep()
        self.stage.go_back(world)
        self.assertEqual(self.stage.digest(), digest)
        self.stage.purser(RUN)
        self.assertNotEqual(self.stage.digest(), digest)
        self.stage.go_back(world)
        self.assertEqual(self.stage.digest(), digest)
        self.stage.finish(FIRST_RUN)
        self.stage.judge(FIRST_RUN, 1)

    def test_each_difference_counts(self):
        seen = {self.dead_at("after:60")}
        data = self.stage.file("state/purser/world/data.mdb")

        def note():
            digest = self.stage.digest()
            self.assertNotIn(digest, seen)
            seen.add(digest)

        with open(data, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read()
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last[0] ^ 1]))
        note()
        os.chmod(data, 0o400)
        note()
        self.stage.write("another", "")
        note()
        os.mkdir(self.stage.file("empty"))
        note()
        self.stage.simulator.ask("/versioned/jobs/none", ok=False)
        note()
        with open(self.stage.file("clock"), "r+b") as file:
            now = int.from_bytes(file.read(8), "little")
            file.seek(0)
            file.write((now + NS_A_S).to_bytes(8, "little"))
        note()
        self.assertEqual(self.stage.purser(INSTALL)[0], 2)  # the spec has no schedule
        note()  # an attempt takes time at least

    def test_what_is_below_home_counts(self):
        self.stage.begin(BY_NAME["schedule-install"])
        before = self.stage.digest()
        os.makedirs(self.stage.file("home/.config"))
        self.stage.write("home/.config/unit", "")
        self.assertNotEqual(self.stage.digest(), before)


if __name__ == "__main__":
    programs.main(__doc__, "purser", "sim", "shim")
