#!/usr/bin/env python3
"""Proves that no death of the process loses an item or does one twice.

usage: crash.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [--seed N] [--scenario NAME]…
                [--disk fast|slow] [--points N] [--pairs N|all] [--triples N] [--at-once N]
                [--planted PROGRAM]

The real program is killed before, half-way in and after every call with which it changes the disk
or the wire (tests/support/shim numbers them), in each scenario of tests/support/scenarios.py. Then
what a user does next is done without disturbance, and the judge compares what the simulator
received with what purser reports; besides, each item must end as it does undisturbed. All that
once with a disk that is faster than the server, once with one that is slower.

Pairs: the command that recovers is killed too, at each of its calls, for each death before. Only
`before` and `half` there: after one call is before the next. Triples: so is the next one.
--points, --pairs and --triples draw so many of each scenario, with a seed; without a number it is
all points (and no pair, no triple); --pairs all is every pair.

--planted: a purser that sends before its intent is durable. It must be found out.
"""

import argparse
import collections
import itertools
import os
import random
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from scenarios import BY_NAME, SCENARIOS, Wrong, read_calls  # noqa: E402
from stage_pool import StagePool, scratch_folder  # noqa: E402

HALVED = {"write", "pwrite", "writev", "send"}
SHOWN_MAX = 10
ALIVE = (0, 3, 4, 7, 75)  # of a command that was not killed; 4: a merchant must act


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--shim", required=True, type=os.path.abspath)
    parser.add_argument("--planted", type=os.path.abspath)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", action="append", choices=sorted(BY_NAME))
    parser.add_argument("--disk", choices=["fast", "slow"])
    parser.add_argument("--points", type=int)
    parser.add_argument("--pairs", default="0")
    parser.add_argument("--triples", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=2)
    return parser.parse_args()


def points_of(calls, with_after=True):
    for number, name in enumerate(calls, 1):
        yield f"before:{number}"
        if name in HALVED:
            yield f"half:{number}"
        if with_after:
            yield f"after:{number}"


class Proof:
    """What is tried on the stages, and what that has found."""

    def __init__(self, options, folder, wrong_max=SHOWN_MAX):
        self.options = options
        self.wrong_max = wrong_max
        self.pool = StagePool(options, folder)
        self.chance = random.Random(options.seed)
        self.counts = collections.Counter()
        self.wrong = []
        self.lock = threading.Lock()
        self.undisturbed = {}

    def count(self, kind, more=1):
        with self.lock:
            self.counts[kind] += more

    def look_at(self, scenario):
        """The calls of the victim, twice the same, and how the items end."""
        with self.pool.stage() as stage:
            calls = stage.calls(scenario, scenario.victim)
            again = stage.calls(scenario, scenario.victim)
            if calls != again and not scenario.has_child:
                raise Wrong(f"{scenario.name}: the calls of two undisturbed processes differ")
            stage.finish(scenario)
            self.undisturbed[scenario.name] = stage.judge(scenario, 0)
            return calls

    def die(self, stage, scenario, words, point):
        status, _, talk = stage.purser(words, **{"": point})
        if status == -signal.SIGKILL:
            self.count("deaths")
            return True
        if status not in ALIVE:
            raise Wrong(f"{' '.join(words)} ended with {status}:\n{talk}")
        return False

    def try_deaths(self, stage, scenario, deaths):
        """The victim dies at the first point, what follows it at the others; then all is done."""
        stage.begin(scenario)
        words = [scenario.victim] + [self.recovery(scenario)] * (len(deaths) - 1)
        died = sum([self.die(stage, scenario, one, point) for one, point in zip(words, deaths)])
        stage.finish(scenario)
        stage.judge_as(scenario, self.undisturbed[scenario.name], len(deaths),
                       whole=len(deaths) == 1)
        self.count("missed", len(deaths) - died)

    @staticmethod
    def recovery(scenario):
        return next(step for step in scenario.after if step[0] != "sim")

    def try_all(self, kind, scenario, series):
        """Each series of deaths, on all stages."""
        def work(stage, deaths):
            if len(self.wrong) >= self.wrong_max:
                return
            try:
                self.try_deaths(stage, scenario, deaths)
            except Wrong as wrong:
                self.wrong.append((scenario.name, deaths, str(wrong)))
            self.count(kind)

        self.pool.each(series, work)

    def draw(self, series, count):
        return series if count is None or count >= len(series) else self.chance.sample(series, count)

    def recovery_calls(self, scenario, point):
        """The calls of the command that recovers from a death."""
        with self.pool.stage() as stage:
            stage.begin(scenario)
            self.die(stage, scenario, scenario.victim, point)
            listed = stage.file("calls")
            stage.purser(self.recovery(scenario), LIST=listed)
            return read_calls(listed)

    def pairs_of(self, scenario, calls, count):
        """All pairs, or some of which both deaths are drawn."""
        first = list(points_of(calls, with_after=False))
        if count is None:
            for point in first:
                for second in points_of(self.recovery_calls(scenario, point), with_after=False):
                    yield point, second
            return
        for point in itertools.islice(self.endless(first), count):
            second = list(points_of(self.recovery_calls(scenario, point), with_after=False))
            yield point, self.chance.choice(second)

    def endless(self, points):
        while True:
            yield self.chance.choice(points)

    def prove(self, scenario):
        for disk in [self.options.disk] if self.options.disk else ["fast", "slow"]:
            self.pool.set_disk(disk)
            self.prove_with(scenario, disk)

    def prove_with(self, scenario, disk):
        begin = time.monotonic()
        before = collections.Counter(self.counts)
        calls = self.look_at(scenario)
        points = list(points_of(calls))
        self.try_all("points", scenario,
                     [(point,) for point in self.draw(points, self.options.points)])
        pairs = None if self.options.pairs == "all" else int(self.options.pairs)
        if pairs != 0:
            self.try_all("pairs", scenario, list(self.pairs_of(scenario, calls, pairs)))
        if self.options.triples:
            first = list(points_of(calls, with_after=False))
            triples = [tuple(self.chance.choice(first) for _ in range(3))
                       for _ in range(self.options.triples)]
            self.try_all("triples", scenario, triples)
        done = self.counts - before
        print(f"{scenario.name}, disk {disk}: {len(calls)} calls, {done['points']} of {len(points)} points, "
              f"{done['pairs']} pairs, {done['triples']} triples, {done['deaths']} deaths, "
              f"{time.monotonic() - begin:.1f} s", flush=True)


def show(wrong):
    for name, deaths, text in wrong[:SHOWN_MAX]:
        print(f"prove-crash: WRONG: {name}, {' then '.join(deaths)}:\n{text}")


def find_planted(options, folder):
    """The planted bug does an item twice; True when that is seen."""
    options = argparse.Namespace(**{**vars(options), "purser": options.planted, "points": 120,
                                    "disk": "slow", "pairs": "0", "triples": 0})
    proof = Proof(options, folder, wrong_max=1)
    try:
        proof.prove(BY_NAME["at-most-once"])
    finally:
        proof.pool.close()
    twice = [text for _, _, text in proof.wrong if "twice" in text]
    print(f"planted: {len(proof.wrong)} found, of {proof.counts['points']} points; "
          f"{twice[0] if twice else 'nothing was done twice'}")
    return bool(twice)


def main():
    options = read_options()
    chosen = [scenario for scenario in SCENARIOS
              if options.scenario is None or scenario.name in options.scenario]
    with scratch_folder("prove-crash") as folder:
        proof = Proof(options, folder)
        try:
            for scenario in chosen:
                proof.prove(scenario)
        except Wrong as wrong:
            proof.wrong.append((scenario.name, (), str(wrong)))
        finally:
            proof.pool.close()
        is_found = options.planted is None or find_planted(options, os.path.join(folder, "planted"))
    show(proof.wrong)
    counts = proof.counts
    print(f"prove-crash: {len(chosen)} scenarios, {counts['points']} points, {counts['pairs']} pairs, "
          f"{counts['triples']} triples, {counts['deaths']} deaths, {counts['missed']} not reached, "
          f"seed {options.seed}; {len(proof.wrong)} wrong"
          + ("" if options.planted is None else f", planted bug {'' if is_found else 'NOT '}found"))
    return 1 if proof.wrong or not is_found or not counts["points"] else 0


if __name__ == "__main__":
    sys.exit(main())
