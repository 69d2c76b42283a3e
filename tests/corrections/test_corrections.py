#!/usr/bin/env python3
"""What a corrected row changes, against a model: the uncorrected row is never sent again.

usage: test_corrections.py --purser PROGRAM --sim PROGRAM [--seed N] [--steps N]

Random steps: the source changes, `run`, some rows of failed.csv are corrected and given to
`retry --input`. The simulator refuses a name that begins with "sim:450". After each step the
simulator must have received exactly the writes that the model expects, by number and by effect.
"""
import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402
from workload import SPEC, environment_of  # noqa: E402

COMMAND_SECONDS_MAX = 60
KEYS = 6


@dataclass
class Item:
    source: str  # the name in its row of the source
    counts: Optional[str] = None  # the name whose request counts; None = no run has seen it
    left: Optional[str] = None  # what the source said when it was corrected first; None = it was not
    failed: bool = False
    resends: bool = False  # a row that changes after its success is sent again

    def send(self, name):
        self.counts, self.failed = name, name.startswith("sim:450")
        return name

    def run(self):
        """The name that an ordinary run sends; None = nothing."""
        if self.counts is not None and self.source == self.counts:
            self.left = None
            return None
        if self.source == self.left:
            return None
        if self.counts is not None and not self.failed and not self.resends:
            return None
        self.left = None
        return self.send(self.source)

    def correct(self, name):
        if self.left is None:
            self.left = self.counts
        return self.send(name)


class World:
    def __init__(self, options, folder, simulator, method):
        self.options, self.folder, self.simulator = options, Path(folder), simulator
        self.random = random.Random(options.seed)
        self.names = 0
        self.items = {f"S-{i}": Item(self.new_name(), resends=method == "PATCH")
                      for i in range(KEYS)}
        self.method = method
        self.seen = 0
        self.done = Counter()  # effects by key
        spec = SPEC.format(name="corrections", base=simulator.base, in_flight=4)
        if method == "PATCH":
            spec = spec.replace("POST /products", "PATCH /products/${row.sku}")
        (self.folder / "spec.yaml").write_text(spec, encoding="utf-8")
        self.write_source()

    def new_name(self):
        self.names += 1
        return f"{'sim:450 ' if self.random.random() < 0.5 else ''}Name {self.names}"

    def write_source(self):
        with open(self.folder / "items.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["sku", "name", "price"])
            writer.writerows([key, item.source, "1"] for key, item in self.items.items())

    def purser(self, *words):
        done = subprocess.run([self.options.purser, *words, "--quiet"], cwd=self.folder,
                              env=environment_of(str(self.folder)), capture_output=True,
                              timeout=COMMAND_SECONDS_MAX, check=False)
        if done.returncode not in (0, 3):
            raise AssertionError(f"{words}: {done.returncode}\n{done.stderr.decode()}")
        return done.stdout.decode()

    def judge(self):
        report = judge.read_report(self.purser, self.folder / "report")
        verdicts = judge.judge(self.simulator.ledger(), report, effects=self.done)
        if verdicts:
            raise AssertionError(judge.shown(verdicts))

    def check(self, what, expected):
        """`expected`: the names that must have been sent since the last check, by key."""
        lines = self.simulator.ledger()
        new, self.seen = lines[self.seen:], len(lines)
        sent = sum("seq" in line and line["method"] == self.method for line in new)
        effects = Counter(line["name"] for line in new if "request" in line)
        wanted = Counter(name for name in expected.values() if not name.startswith("sim:450"))
        self.done.update(key for key, name in expected.items() if name in wanted)
        if sent != len(expected) or effects != wanted:
            raise AssertionError(f"{what}: {sent} writes with the effects {dict(effects)}, "
                                 f"expected {expected}\n{self.items}")

    def change_source(self):
        for key in self.random.sample(sorted(self.items), 2):
            self.items[key].source = self.new_name()
        self.write_source()

    def run(self):
        self.purser("run", "spec.yaml")
        self.check("run", {key: name for key, item in self.items.items() if (name := item.run())})

    def correct(self):
        self.purser("results", "spec.yaml", "-o", "out")
        with open(self.folder / "out" / "failed.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        failed = {key for key, item in self.items.items() if item.failed}
        if {row["sku"] for row in rows} != failed:
            raise AssertionError(f"failed.csv has {[row['sku'] for row in rows]}\n{self.items}")
        rows = [row for row in rows if self.random.random() < 0.6]
        if not rows:
            return
        for row in rows:
            row["name"] = self.new_name()
        with open(self.folder / "fixed.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        self.purser("retry", "spec.yaml", "--input", "fixed.csv")
        self.check("retry --input", {row["sku"]: self.items[row["sku"]].correct(row["name"])
                                      for row in rows})

    def step(self):
        kind = self.random.random()
        if kind < 0.25:
            self.change_source()
        elif kind < 0.6 or all(item.counts is None for item in self.items.values()):
            self.run()
        else:
            self.correct()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True)
    parser.add_argument("--sim", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    options.purser = os.path.abspath(options.purser)
    for method in ("POST", "PATCH"):
        with tempfile.TemporaryDirectory(prefix="purser-corrections-") as folder, \
                Simulator(options.sim, ["--seed", "1"]) as simulator:
            world = World(options, folder, simulator, method)
            print(f"{method}, seed {options.seed}")
            for _ in range(options.steps):
                world.step()
            world.judge()
        print(f"{options.steps} steps as in the model")


if __name__ == "__main__":
    main()
