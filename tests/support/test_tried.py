#!/usr/bin/env python3
"""A proof that is interrupted and continued tries each case exactly once (tried.py).

usage: test_tried.py --purser PROGRAM --sim PROGRAM --shim LIBRARY
"""

import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import programs
import tried

HERE = os.path.dirname(os.path.abspath(__file__))
PROOF = os.path.join(HERE, "..", "prove", "errors", "errors.py")
SCENE = "check"
KILLED_AFTER = 20
SECONDS_MAX = 120


class Interrupted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="purser-tried-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.shim = programs.given.shim

    def start(self, folder, *more):
        return subprocess.Popen(
            [sys.executable, "-B", PROOF, "--purser", programs.given.purser, "--sim", programs.given.sim,
             "--shim", self.shim, "--command", SCENE, "--error", "EIO",
             "--state", os.path.join(self.folder, folder), *more],
            stdout=subprocess.PIPE, text=True)

    def run_to_end(self, folder, *more):
        """The counts of its last line: tried, of all, of them tried before."""
        process = self.start(folder, *more)
        last = process.communicate(timeout=SECONDS_MAX)[0].splitlines()[-1]
        self.assertEqual(process.returncode, 0, last)
        counts = re.search(r"(\d+) of (\d+) faults, (?:.*?(\d+) of them tried before)?", last)
        return tuple(int(number or 0) for number in counts.groups())

    def lines(self, folder):
        """The digest that the file begins with, and its cases, in order."""
        path = os.path.join(self.folder, folder, "prove-errors.tried")
        if not os.path.exists(path):
            return None, []
        with open(path, encoding="utf-8") as file:
            digest, *cases = file.read().split("\n")[:-1] or [None]
        return digest, [json.loads(line)[1] for line in cases]

    def test_what_was_tried_before_an_interruption_is_not_tried_again(self):
        process = self.start("killed")
        while len(self.lines("killed")[1]) < KILLED_AFTER:
            self.assertIsNone(process.poll(), "it ended before it could be interrupted")
        process.kill()
        process.communicate()
        before = self.lines("killed")[1]
        with open(os.path.join(self.folder, "killed", "prove-errors.tried"), "a") as file:
            file.write('["check", "half a li')  # as a loss of power may leave it
        tried, all_, earlier = self.run_to_end("killed")
        after = self.lines("killed")[1]
        self.assertEqual((tried, earlier), (all_, len(before)))
        self.assertEqual(after[:len(before)], before)
        self.assertEqual(set(collections.Counter(after).values()), {1})
        self.assertEqual(len(after), all_)
        self.assertEqual(self.run_to_end("killed"), (all_, all_, all_))
        self.assertEqual(self.lines("killed")[1], after)

    def test_shards_are_all_cases_and_none_twice(self):
        cases = []
        for number in (1, 2, 3):
            tried, all_, _ = self.run_to_end(f"shard-{number}", "--shard", f"{number}/3")
            cases += self.lines(f"shard-{number}")[1]
            self.assertLess(tried, all_)
        self.assertEqual(len(cases), all_)
        self.assertEqual(len(set(cases)), all_)

    def test_another_build_begins_anew(self):
        self.run_to_end("build")
        digest, cases = self.lines("build")
        folder = os.path.join(self.folder, "library")
        shutil.copytree(os.path.dirname(self.shim), folder,
                        ignore=lambda parent, names: [name for name in names
                                                      if not name.endswith(".so")])
        self.shim = os.path.join(folder, os.path.basename(self.shim))
        with open(self.shim, "ab") as file:
            file.write(b"\0")
        tried, all_, earlier = self.run_to_end("build")
        self.assertEqual((tried, earlier), (all_, 0))
        self.assertNotEqual(self.lines("build")[0], digest)
        self.assertEqual(sorted(self.lines("build")[1]), sorted(cases))


class OfSomeScenes(unittest.TestCase):
    def test_what_another_scene_has_shown_does_not_count(self):
        with tempfile.TemporaryDirectory(prefix="purser-tried-") as folder:
            options = argparse.Namespace(state=folder, shard=(1, 1))
            all_ = tried.Tried("proof", options, [], [])
            for scene, verdict in (("one", "sound"), ("one", "sound"), ("other", tried.WRONG)):
                cases = all_.left(scene, ["first", "second"])
                all_.note(scene, cases[0], verdict)
            all_.close()
            again = tried.Tried("proof", options, [], [])
            self.assertEqual(again.left("one", ["first", "second", "third"]), ["third"])
            self.assertEqual((again.counts().total(), again.wrong_count, again.wrong()), (2, 0, []))
            self.assertEqual(str(again), "2 of them tried before, ")
            again.left("other", [])
            self.assertEqual((again.counts().total(), again.wrong_count, len(again.wrong())), (3, 1, 1))
            again.close()


if __name__ == "__main__":
    programs.main(__doc__, "purser", "sim", "shim")
