"""What a proof has tried, kept so that a run of hours can be interrupted, continued and shared out.

Each case is one line of FOLDER/NAME.tried, written when it is over: what was being tried when the
process ended is tried again, nothing else is. The first line is a digest of the programs and
scripts that the cases depend on: with others all begins anew.
"""

import argparse
import collections
import hashlib
import json
import os
import threading
import zlib

WRONG = "wrong"  # the verdict that fails a proof; others are the proof's own words
HERE = os.path.dirname(os.path.abspath(__file__))


def add_options(parser):
    parser.add_argument("--state", metavar="FOLDER",
                        help="keep there what was tried, and go on after an interruption")
    parser.add_argument("--shard", metavar="K/N", type=read_shard, default=(1, 1),
                        help="only each N-th case, beginning with the K-th kind")


def read_shard(text):
    number, _, count = text.partition("/")
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError("K/N, with K from 1 to N")
    return int(number), int(count)


def digest_of(files, folders):
    """Of the programs, and of all scripts in the folders and beside this file."""
    scripts = {os.path.join(folder, name) for folder in (*folders, HERE)
               for name in os.listdir(folder) if name.endswith(".py")}
    digest = hashlib.sha256()
    for path in [*files, *sorted(scripts)]:
        with open(path, "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


class Tried:
    """The cases of one proof: `left` says which are to be tried, `note` what one has shown."""

    def __init__(self, name, options, files, folders):
        self.shard = options.shard
        self.verdicts = {}  # (scene, case) -> (verdict, text)
        self.wrong_count = 0  # of the scenes of this run
        self.before = collections.Counter()  # by scene
        self.scenes = set()  # of this run
        self.file = None
        self.lock = threading.Lock()
        if options.state is not None:
            os.makedirs(options.state, exist_ok=True)
            self.open(os.path.join(options.state, name + ".tried"), digest_of(files, folders))

    def open(self, path, digest):
        lines = []
        if os.path.exists(path):
            with open(path, "r+b") as file:
                whole = file.read().rpartition(b"\n")[0]
                lines = whole.decode().split("\n")
                file.truncate(len(whole) + 1 if whole else 0)
        is_same = lines[:1] == [digest]
        self.file = open(path, "a" if is_same else "w", encoding="utf-8")
        if not is_same:
            self.write(digest)
            lines = []
        for line in lines[1:]:
            scene, case, verdict, text = json.loads(line)
            self.verdicts[scene, case] = verdict, text
        self.before = collections.Counter(scene for scene, _ in self.verdicts)

    def write(self, line):
        self.file.write(line + "\n")
        self.file.flush()

    def close(self):
        if self.file is not None:
            self.file.close()

    def left(self, scene, cases, name=str):
        """Those of the shard that were not tried; `name` gives the text that a case is known by."""
        number, count = self.shard
        if scene not in self.scenes:
            self.scenes.add(scene)
            self.wrong_count += self.counts(scene)[WRONG]
        return [case for case in cases
                if (scene, name(case)) not in self.verdicts
                and zlib.crc32(f"{scene} {name(case)}".encode()) % count == number - 1]

    def note(self, scene, case, verdict, text=""):
        with self.lock:
            self.verdicts[scene, case] = verdict, text
            self.wrong_count += verdict == WRONG
            if self.file is not None:
                self.write(json.dumps([scene, case, verdict, text]))

    def counts(self, scene=None):
        """How often there was each verdict, now and before, in the scenes of this run."""
        scenes = self.scenes if scene is None else {scene}
        return collections.Counter(verdict for (one, _), (verdict, _) in self.verdicts.items()
                                   if one in scenes)

    def wrong(self):
        """(scene, case, text) of each case that has shown something wrong."""
        return [(scene, case, text) for (scene, case), (verdict, text) in self.verdicts.items()
                if verdict == WRONG and scene in self.scenes]

    def __str__(self):
        """For the last line of a proof."""
        number, count = self.shard
        before = sum(self.before[scene] for scene in self.scenes)
        return ((f"shard {number} of {count}, " if count > 1 else "")
                + (f"{before} of them tried before, " if before else ""))
