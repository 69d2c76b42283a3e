#!/usr/bin/env python3
"""Proves that a damaged ledger is refused, or that the damage stays with the item that has it.

usage: damage.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [--seed N] [--draw N] [--kind NAME]…
                 [--at-once N] [--long]

A real run against rutter-sim leaves a ledger with items that are done, failed, in doubt, on the wire
and not begun. Then its data file is damaged at places drawn with the seed, --draw of each kind; and
`status`, `items`, `explain`, `plan`, `results` and `run` look at it. The laws:

- no signal and no hang, and an exit status that is documented;
- what is refused says why and names the ledger;
- what is told is what the undamaged ledger told, or the item says that it is damaged;
- after it the simulator has no effect twice.

--long: the file is made so long, by a hole behind its end, that what reads few items does not look
over all of it first. What they meet then is a message, never a signal.
"""

import argparse
import collections
import json
import os
import queue
import random
import shutil
import socket
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import judge  # noqa: E402
from scenarios import CREATE, HEAD, RUN, Scenario, Stage, Wrong  # noqa: E402

PAGE = 4096
DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 75}
SHOWN_MAX = 30
ITEMS = 60
LONG_FILE = 80 * 1024 * 1024
LONG = 6000  # a body that has pages of its own
CANARY = ITEMS // 2


def text_of_rows():
    lines = ["sku,name,text"]
    for number in range(ITEMS):
        name = {3: "sim:job-450", 5: "sim:job-550", 9: "sim:400"}.get(number % 20, f"item {number}")
        lines.append(f"A-{number},{name},{'x' * (LONG if number % 7 == 0 else 200)}")
    return "\n".join(lines) + "\n"


WORLD = Scenario("damage", HEAD + CREATE.replace("made by a test", "\"${{row.text}}\""),
                 text_of_rows(), before=((*RUN, "--canary", str(CANARY)), ("die", "send", 9, *RUN)))
LOOKS = [("status", "spec.yaml", "--output", "json"), ("items", "spec.yaml", "--output", "ndjson"),
         ("explain", "spec.yaml", "products/A-1"), ("plan", "spec.yaml"),
         ("results", "spec.yaml", "-o", "out")]


class Damage:
    """What is done to the data file: `bytes` in, bytes out; a kind is one method."""

    def __init__(self, chance):
        self.chance = chance

    def pages(self, data):
        return len(data) // PAGE

    def flip_bit(self, data):
        place = self.chance.randrange(len(data))
        return self.changed(data, place, bytes([data[place] ^ 1 << self.chance.randrange(8)]))

    def flip_bit_of_meta(self, data):
        place = self.chance.randrange(2) * PAGE + self.chance.randrange(152)
        return self.changed(data, place, bytes([data[place] ^ 1 << self.chance.randrange(8)]))

    def flip_bit_of_header(self, data):
        """Of a page: its number, kind, bounds and the offsets of its nodes."""
        place = self.chance.randrange(2, self.pages(data)) * PAGE + self.chance.randrange(64)
        return self.changed(data, place, bytes([data[place] ^ 1 << self.chance.randrange(8)]))

    def other_byte(self, data):
        return self.changed(data, self.chance.randrange(len(data)), self.chance.randbytes(1))

    def other_bytes(self, data):
        return self.changed(data, self.chance.randrange(len(data)),
                            self.chance.randbytes(self.chance.randrange(2, 600)))

    def zero_sector(self, data):
        return self.changed(data, self.chance.randrange(len(data) // 512) * 512, bytes(512))

    def zero_page(self, data):
        return self.changed(data, self.chance.randrange(self.pages(data)) * PAGE, bytes(PAGE))

    def garbage_page(self, data):
        return self.changed(data, self.chance.randrange(self.pages(data)) * PAGE,
                            self.chance.randbytes(PAGE))

    def swap_pages(self, data):
        one, two = sorted(self.chance.sample(range(self.pages(data)), 2))
        first, second = (data[page * PAGE:(page + 1) * PAGE] for page in (one, two))
        return self.changed(self.changed(data, one * PAGE, second), two * PAGE, first)

    def copy_page(self, data):
        one, two = self.chance.sample(range(self.pages(data)), 2)
        return self.changed(data, one * PAGE, data[two * PAGE:(two + 1) * PAGE])

    def cut_at_page(self, data):
        return data[:self.chance.randrange(self.pages(data)) * PAGE]

    def cut_anywhere(self, data):
        return data[:self.chance.randrange(len(data))]

    def longer_by_zeros(self, data):
        return data + bytes(self.chance.randrange(1, 3 * PAGE))

    def longer_by_garbage(self, data):
        return data + self.chance.randbytes(self.chance.randrange(1, 3 * PAGE))

    def text(self, _):
        return b"this is no ledger\n" * self.chance.randrange(1, 1000)

    @staticmethod
    def changed(data, place, by):
        by = by[:len(data) - place]
        return data[:place] + by + data[place + len(by):]


KINDS = [name for name, made in vars(Damage).items()
         if callable(made) and name not in ("__init__", "pages", "changed")]
# Other things in the place of the file, and older copies: what is done in the file system.
PLACES = ["no_file", "folder", "fifo", "socket", "link", "older_file", "older_bytes", "other_spec"]


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--shim", required=True, type=os.path.abspath)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draw", type=int, default=100)
    parser.add_argument("--kind", action="append", choices=KINDS + PLACES)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--long", action="store_true")
    return parser.parse_args()


def data_file(stage):
    for place, _, names in os.walk(stage.folder):
        if "data.mdb" in names:
            return os.path.join(place, "data.mdb")
    raise Wrong("there is no ledger")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def overwrite(path, data):
    """In place: it stays the file that it was."""
    with open(path, "r+b") as file:
        file.truncate(0)
        file.write(data)


def replace(kind, path, older, other):
    if kind == "older_bytes":
        return overwrite(path, older)
    os.unlink(path)
    if kind == "folder":
        os.mkdir(path)
    elif kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            here = os.getcwd()
            listener.bind(path) if len(path) < 100 else listener.bind(os.path.relpath(path, here))
    elif kind == "link":
        os.symlink("/etc/passwd", path)
    elif kind in ("older_file", "other_spec"):
        with open(path, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(older if kind == "older_file" else other)
    return None


def items_of(text):
    return {(item["job"], item["key"]): item for item in judge.items_from(text)}


def is_isolated(item):
    """It says itself that it is damaged: the record, the request or the result."""
    return (item["state"] == "in_doubt" and item["reason"] == "record_damaged"
            or " damaged in the ledger" in (item["error_message"] or ""))


class Proof:
    def __init__(self, options, folder):
        self.options = options
        self.stages = queue.Queue()
        for number in range(options.at_once):
            self.stages.put(Stage(options.purser, options.sim, options.shim,
                                  os.path.join(folder, str(number))))
        self.counts = collections.Counter()
        self.wrong = []
        self.lock = threading.Lock()

    def close(self):
        while not self.stages.empty():
            self.stages.get().close()

    def command(self, stage, words):
        """The output, or None when it was refused as it should be."""
        status, out, talk = stage.purser(words)
        if status not in DOCUMENTED:
            raise Wrong(f"{words[0]} ended with {status}:\n{talk}")
        if status in (0, 3, 7, 75):
            return out
        if not any(word in talk for word in ("ledger", "data.mdb")):
            raise Wrong(f"{words[0]} is refused ({status}) and does not say why:\n{talk}")
        return None

    def compare(self, words, out, usual):
        if words[0] == "items":
            told, known = items_of(out), items_of(usual)
            lost = [key for key, item in told.items() if not is_isolated(item)
                    and item != known.get(key)]
            isolated = sum(is_isolated(item) for item in told.values())
            if lost or len(told) != len(known):
                raise Wrong(f"items: {len(told)} of {len(known)}, otherwise than it was {lost[:3]}: "
                            f"{[told[key] for key in lost[:1]]}")
            return isolated
        if words[0] == "status" and "record_damaged" not in out:
            told, known = json.loads(out)["jobs"], json.loads(usual)["jobs"]
            if told != known:
                raise Wrong(f"status: {told}, and it was {known}")
        return 0

    def look(self, stage, usual):
        refused = isolated = 0
        for words in LOOKS:
            shutil.rmtree(stage.file("out"), ignore_errors=True)
            out = self.command(stage, words)
            if out is None:
                refused += 1
            else:
                isolated += self.compare(words, out, usual[words[0]])
        return refused, isolated

    def attempt(self, stage, kind, chance):
        stage.begin(WORLD, WORLD.before[:1])
        path = data_file(stage)
        older = read(path)
        status, _, talk = stage.purser(RUN, **{"": "after:" + str(self.victim(stage))})
        if status != -9:
            raise Wrong(f"not killed, {status}: {talk}")
        data = read(path)
        usual = {words[0]: self.command(stage, words) for words in LOOKS}
        if None in usual.values():
            raise Wrong("the undamaged ledger is refused")
        if kind in KINDS:
            overwrite(path, getattr(Damage(chance), kind)(data))
            if self.options.long and not kind.startswith("cut"):
                os.truncate(path, LONG_FILE)
        else:
            replace(kind, path, older, data.replace(b"world", b"other"))
        refused, isolated = self.look(stage, usual)
        out = self.command(stage, RUN)
        skus = collections.Counter(effect["sku"] for effect in judge.effects_of(stage.simulator.ledger()))
        twice = [sku for sku, count in skus.items() if count > 1]
        if twice:
            raise Wrong(f"done twice: {twice}")
        return "refused" if out is None else "isolated" if isolated else "unharmed"

    def victim(self, stage):
        return self.calls

    def prepare(self):
        """Which call of the second run is the one that it dies behind: some intents have no answer."""
        stage = self.stages.get()
        try:
            calls = stage.calls(WORLD, RUN, WORLD.before[:1])
            sends = [number for number, call in enumerate(calls, 1) if call == "send"]
            self.calls = sends[len(sends) // 2]
        finally:
            self.stages.put(stage)

    def work(self, tasks):
        while True:
            try:
                kind, number = tasks.get_nowait()
            except queue.Empty:
                return
            stage = self.stages.get()
            try:
                chance = random.Random(f"{self.options.seed} {kind} {number}")
                result = self.attempt(stage, kind, chance)
                with self.lock:
                    self.counts[result] += 1
            except Wrong as error:
                with self.lock:
                    self.counts["wrong"] += 1
                    self.wrong.append(f"{kind} {number}: {error}")
            finally:
                self.stages.put(stage)

    def run(self):
        self.prepare()
        tasks = queue.Queue()
        for kind in self.options.kind or KINDS + PLACES:
            for number in range(self.options.draw if kind in KINDS else 1):
                tasks.put((kind, number))
        threads = [threading.Thread(target=self.work, args=(tasks,))
                   for _ in range(self.options.at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main():
    options = read_options()
    with tempfile.TemporaryDirectory(prefix="purser-damage-") as folder:
        proof = Proof(options, folder)
        try:
            proof.run()
        finally:
            proof.close()
    for line in proof.wrong[:SHOWN_MAX]:
        print(line)
    counts = proof.counts
    print(f"prove-damage: seed {options.seed}: {sum(counts.values())} damaged ledgers, "
          f"{counts['refused']} refused, {counts['isolated']} with damaged items, "
          f"{counts['unharmed']} where it was not in use, {counts['wrong']} wrong")
    return 1 if proof.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
