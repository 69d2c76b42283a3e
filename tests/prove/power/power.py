#!/usr/bin/env python3
"""Proves that no loss of power takes from the ledger what purser has acted upon.

usage: power.py --purser PROGRAM --sim PROGRAM --shim LIBRARY --images PROGRAM [--planted PROGRAM]
                [--scenario NAME]… [--count N] [--seed N] [--at-once N]
                [--failed-syncs] [--state FOLDER] [--shard K/N]

The real program runs against the simulator while the shim records what it writes, syncs, names and
sends. From each recording, power_images makes the images of the data file that a loss of power at any
point can leave (power_images.c says which), and looks at each of them with purser's own code.

The scenarios are those of tests/support/scenarios.py, with a disk that is faster and with one that
is slower than the server, and one run of 30 items. About --count images are made of all, shared out
equally.

--failed-syncs: instead of these, the first run with each of its syncs failing with EIO, as if nothing of
what was to be synced were there. --state FOLDER remembers what was looked at and goes on with the rest,
--shard K/N shares it out (tests/support/tried.py): a case is so many images of one recording.

Controls that must be found out: the same recordings with syncs that do nothing (a disk that lies, or
LMDB's NOSYNC), and --planted, a purser that sends before its intent is durable.
"""

import argparse
import collections
import concurrent.futures
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from scenarios import BY_NAME, SCENARIOS, Scenario  # noqa: E402
from stage import Stage, Wrong  # noqa: E402
import tried  # noqa: E402
from stage_pool import scratch_folder  # noqa: E402

SPEC_NAME = "world"
CONTROL_IMAGES = 2000
IMAGES_A_CASE = 100000
SYNCS = ("fdatasync", "fsync")
FIRST = ("first-run", "thirty", "at-most-once", "resume", "dependency", "retry", "undo")
THIRTY = Scenario("thirty", items="sku,name\n" + "".join(f"B-{n},name {n}\n" for n in range(30)),
                  wanted=tuple(f"B-{n}" for n in range(30)))
ALL = {**BY_NAME, "thirty": THIRTY}


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("--purser", "--sim", "--shim", "--images"):
        parser.add_argument(name, required=True, type=os.path.abspath)
    parser.add_argument("--planted", type=os.path.abspath)
    parser.add_argument("--scenario", action="append", choices=sorted(ALL))
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--failed-syncs", action="store_true")
    tried.add_options(parser)
    return parser.parse_args()


class Recording:
    """What one command has done to its ledger."""

    def __init__(self, stage, scenario, disk, fault, folder):
        self.name = name_of(scenario.name, disk, fault)
        self.folder = folder
        stage.disk = disk
        stage.begin(scenario)
        self.data = os.path.join(stage.folder, "state", "purser", SPEC_NAME, "data.mdb")
        self.base, self.file = self.place("base"), self.place("recording")
        if os.path.exists(self.data):
            shutil.copyfile(self.data, self.base)
        else:
            open(self.base, "wb").close()
        status, _, talk = stage.purser(scenario.victim, RECORD=self.file, **{"": fault})
        if status < 0:
            raise Wrong(f"{self.name} ended with {status}:\n{talk}")

    def place(self, name):
        return os.path.join(self.folder, name)

    def images(self, program, count, seed, *more):
        """The counts of power_images, and what it says of what is wrong."""
        root = tempfile.mkdtemp(prefix="root-", dir=self.folder)
        done = subprocess.run([program, self.file, self.base, self.data, root, SPEC_NAME, str(count),
                               str(seed), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        shutil.rmtree(root)
        if done.returncode not in (0, 1):
            raise Wrong(f"{self.name}: power_images ended with {done.returncode}:\n{done.stderr}")
        return collections.Counter({name: int(number) for name, number in
                                    re.findall(r"(\w+) (\d+)", done.stdout)}), done.stderr


def name_of(name, disk, fault):
    return f"{name}, disk {disk}" + (f", {fault}" if fault else "")


class Proof:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.tried = tried.Tried("prove-power", options,
                                 [options.purser, options.sim, options.shim, options.images], [HERE])
        self.counts = collections.Counter()
        self.wrong = []

    def record(self, program, name, disk, fault=None):
        stage = Stage(program, self.options.sim, self.options.shim,
                      tempfile.mkdtemp(prefix="stage-", dir=self.folder))
        try:
            return Recording(stage, ALL[name], disk, fault, tempfile.mkdtemp(prefix="of-", dir=self.folder))
        finally:
            stage.close()

    def failing(self, name, disk):
        """A world for each sync of it."""
        stage = Stage(self.options.purser, self.options.sim, self.options.shim,
                      tempfile.mkdtemp(prefix="stage-", dir=self.folder))
        try:
            stage.disk = disk
            calls = stage.calls(ALL[name], ALL[name].victim)
        finally:
            stage.close()
        return [(name, disk, f"fail:{errno.EIO}:{number}") for number, call in enumerate(calls, 1)
                if call in SYNCS]

    def prove(self, name, disk, fault, count):
        """The counts of one world."""
        begin = time.monotonic()
        parts = range(-(-count // IMAGES_A_CASE))
        left = self.tried.left(name_of(name, disk, fault), parts, lambda part: f"{self.options.seed}.{part}")
        counts = collections.Counter()
        if left:
            recording = self.record(self.options.purser, name, disk, fault)
            for part in left:
                counts += self.look(recording, part, min(count, IMAGES_A_CASE))
            shutil.rmtree(recording.folder)
        seconds = time.monotonic() - begin
        print(f"{name_of(name, disk, fault)}: {counts['commits']} commits, {counts['sends']} writes sent, "
              f"{counts['points']} points, {counts['images']} images, "
              f"{counts['no_ledger_yet']} of them before there is a ledger, {counts['bad']} wrong, "
              f"{counts['images'] / seconds:.0f} a second", flush=True)
        return counts

    def look(self, recording, part, count):
        """One case: the counts of the recording count once, those of the images each time."""
        counts, talk = recording.images(self.options.images, count, self.options.seed + 1000 * part)
        for once in ("commits", "sends", "points") if part else ():
            del counts[once]
        if counts["bad"]:
            self.wrong.append(f"{recording.name}: {talk}")
        self.tried.note(recording.name, f"{self.options.seed}.{part}",
                        tried.WRONG if counts["bad"] else "whole", json.dumps([counts, talk]))
        return counts

    def earlier(self):
        """The counts of what was tried before."""
        counts = collections.Counter()
        for _, text in self.tried.verdicts.values():
            counts += collections.Counter(json.loads(text)[0])
        return counts

    def prove_all(self, worlds):
        count = max(self.options.count // len(worlds), 1)
        with concurrent.futures.ThreadPoolExecutor(self.options.at_once) as workers:
            for counts in workers.map(lambda world: self.prove(*world, count), worlds):
                self.counts += counts

    def find(self, what, program, name, disk, *more):
        """A control: True when it was found out."""
        counts, talk = self.record(program, name, disk).images(
            self.options.images, CONTROL_IMAGES, self.options.seed, *more)
        print(f"{what}: {counts['bad']} wrong of {counts['images']} images, "
              f"{counts['signals']} signals", flush=True)
        return counts["bad"] > 0, talk


def main():
    options = read_options()
    names = options.scenario or [*FIRST, *(scenario.name for scenario in SCENARIOS
                                           if scenario.name not in FIRST)]
    worlds = [(name, disk, None) for name in names for disk in ("fast", "slow")]
    with scratch_folder("prove-power") as folder:
        proof = Proof(options, folder)
        unseen = []
        if not proof.find("syncs that do nothing", options.purser, "first-run", "fast",
                          "--ignore-syncs")[0]:
            unseen.append("syncs that do nothing")
        if options.planted:
            _, talk = proof.find("a write before its intent", options.planted, "at-most-once", "slow")
            if "whose intent is not durable" not in talk:
                unseen.append("a write before its intent")
        proof.counts += proof.earlier()
        try:
            if options.failed_syncs:
                worlds = proof.failing("first-run", "fast") + proof.failing("first-run", "slow")
            proof.prove_all(worlds)
        except Wrong as wrong:
            proof.wrong.append(str(wrong))
    for text in proof.wrong:
        print(f"prove-power: WRONG: {text}")
    proof.tried.close()
    counts = proof.counts
    print(f"prove-power: {len(worlds)} recordings, "
          f"{counts['commits']} commits, {counts['sends']} writes sent, {counts['points']} points, "
          f"{counts['images']} images, {proof.tried}seed {options.seed}; {counts['bad']} wrong, "
          f"{counts['signals']} signals; " +
          (f"NOT found out: {', '.join(unseen)}" if unseen else "controls found out"))
    return 1 if proof.wrong or unseen or not counts["images"] else 0


if __name__ == "__main__":
    sys.exit(main())
