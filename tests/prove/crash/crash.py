#!/usr/bin/env python3
"""Proves that no death of the process loses an item or does one twice.

usage: crash.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [--seed N] [--scenario NAME]…
                [--disk fast|slow] [--points N] [--pairs N|all] [--triples N] [--at-once N]
                [--planted PROGRAM] [--state FOLDER] [--shard K/N]

The real program is killed before, half-way in and after every call with which it changes the disk
or the wire (tests/support/shim numbers them), in each scenario of tests/support/scenarios.py. Then
what a user does next is done without disturbance, and the judge compares what the simulator
received with what purser reports; besides, each item must end as it does undisturbed. All that
once with a disk that is faster than the server, once with one that is slower.

Pairs: the command that recovers is killed too, at each of its calls, for each death before. Only
`before` and `half` there: after one call is before the next. Triples: so is the next one.
--points, --pairs and --triples draw so many of each scenario, with a seed; without a number it is
all points (and no pair, no triple); --pairs all is every pair.

What two series of deaths have left is often the same, byte for byte: the files, the clock, and all
that the server was asked (stage.digest). What follows is then the same as well and is not done
again: the last line says how often. --state FOLDER remembers what was tried and goes on with the
rest, --shard K/N shares the first deaths out (tests/support/tried.py).

--planted: a purser that sends before its intent is durable. It must be found out.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import sys
import threading
import time
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import tried  # noqa: E402
from scenarios import BY_NAME, COMMANDS, SCENARIOS  # noqa: E402
from stage import EXIT_REFUSED, Wrong  # noqa: E402
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
    tried.add_options(parser)
    return parser.parse_args()


def points_of(calls, with_after=True):
    for number, name in enumerate(calls, 1):
        yield f"before:{number}"
        if name in HALVED:
            yield f"half:{number}"
        if with_after:
            yield f"after:{number}"


class Memory:
    """The digests of one scenario's worlds that were met."""

    def __init__(self):
        self.lock = threading.Lock()
        self.begun = set()  # digests after a first death
        self.ended = set()  # digests from which all ended well

    def is_known_end(self, digest):
        with self.lock:
            return digest in self.ended

    def is_new_begin(self, digest):
        with self.lock:
            is_new = digest not in self.begun
            self.begun.add(digest)
            return is_new

    def note_end(self, digest):
        with self.lock:
            self.ended.add(digest)


class After(NamedTuple):
    """One state that a first death leaves; `points`: where what recovers can die."""

    point: str
    world: object
    points: list


class Proof:
    """What is tried on the stages, and what that has found."""

    def __init__(self, options, folder, wrong_max=SHOWN_MAX):
        self.options = options
        self.wrong_max = wrong_max
        self.pool = StagePool(options, folder)
        self.tried = tried.Tried("prove-crash", options,
                                 [options.purser, options.sim, options.shim], [HERE])
        self.all = collections.Counter()
        self.counts = collections.Counter()
        self.wrong = []  # what could not be tried at all
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

    def die(self, stage, words, point, may_refuse=False):
        status, _, talk = stage.purser(words, **{"": point})
        if status == -signal.SIGKILL:
            self.count("deaths")
        elif status in ALIVE or may_refuse and status == EXIT_REFUSED:
            self.count("missed")
        else:
            raise Wrong(f"{' '.join(words)} ended with {status}:\n{talk}")

    def end(self, stage, scenario, memory, deaths):
        """All is done and judged, unless that is known from here."""
        digest = stage.digest()
        if memory.is_known_end(digest):
            self.count("as before")
            return
        stage.finish(scenario)
        stage.judge_as(scenario, self.undisturbed[scenario.name], deaths, whole=deaths == 1)
        memory.note_end(digest)

    @staticmethod
    def recovery(scenario):
        return next(step[step[0] == "unless-done":] for step in scenario.after
                    if step[0] not in ("sim", "edit"))

    def try_all(self, kind, scenario, disk, series, work):
        """work(stage, deaths) for each series of deaths that is left to be tried."""
        def one(stage, deaths):
            if self.tried.wrong_count < self.wrong_max:
                name = " then ".join(deaths)
                try:
                    work(stage, deaths)
                    self.tried.note(f"{scenario.name} {disk}", name, kind)
                except Wrong as wrong:
                    self.tried.note(f"{scenario.name} {disk}", name, tried.WRONG, str(wrong))

        left = self.tried.left(f"{scenario.name} {disk}", series, " then ".join)
        # What has one first death in common stands together: its world is there then.
        self.pool.each(left, one)

    def try_point(self, scenario, memory):
        def work(stage, deaths):
            stage.begin(scenario)
            self.die(stage, scenario.victim, deaths[0])
            self.end(stage, scenario, memory, 1)
        return work

    def look_behind(self, scenario, memory, points):
        """For each first death the state that it leaves; equal ones are one."""
        found = {}

        def work(stage, point):
            stage.begin(scenario)
            self.die(stage, scenario.victim, point)
            digest = stage.digest()
            found[point] = digest
            if memory.is_new_begin(digest):
                world = stage.keep()
                stage.go_back(world)
                calls = stage.calls_here(self.recovery(scenario))
                behind[digest] = After(point, world, list(points_of(calls, with_after=False)))

        behind = {}
        self.pool.each(points, work)
        return {point: behind[digest] for point, digest in found.items()}

    def try_deaths(self, scenario, memory, behind):
        """The recovery dies too, once or twice, in the world after the first death."""
        def work(stage, deaths):
            stage.go_back(behind[deaths[0]].world)
            # What the first death left to be done may be done when the second one comes.
            may_refuse = any(step[0] == "unless-done" for step in scenario.after)
            for point in deaths[1:]:
                self.die(stage, self.recovery(scenario), point, may_refuse)
            self.end(stage, scenario, memory, len(deaths))
        return work

    def prove(self, scenario):
        for disk in [self.options.disk] if self.options.disk else ["fast", "slow"]:
            self.pool.set_disk(disk)
            self.prove_with(scenario, disk)

    def prove_with(self, scenario, disk):
        begin = time.monotonic()
        before = self.tried.counts(f"{scenario.name} {disk}")
        memory = Memory()
        chance = random.Random(f"{self.options.seed} {scenario.name} {disk}")
        calls = self.look_at(scenario)
        points = list(points_of(calls))
        drawn = draw(chance, points, self.options.points)
        self.try_all("points", scenario, disk, [(point,) for point in drawn],
                     self.try_point(scenario, memory))
        first = list(points_of(calls, with_after=False))
        if first and (self.options.pairs != "0" or self.options.triples):
            self.prove_more(scenario, disk, memory, chance, first)
        counts = self.tried.counts(f"{scenario.name} {disk}")
        seconds = time.monotonic() - begin
        self.all["points"] += len(points)
        print(f"{scenario.name}, disk {disk}: {len(calls)} calls, {counts['points']} of {len(points)} points, "
              f"{counts['pairs']} pairs, {counts['triples']} triples, {counts['wrong']} wrong, {seconds:.1f} s, "
              f"{(counts.total() - before.total()) / seconds:.1f} a second", flush=True)

    def prove_more(self, scenario, disk, memory, chance, first):
        pairs = None if self.options.pairs == "all" else int(self.options.pairs)
        count = (pairs or 0) + self.options.triples
        begins = first if pairs is None or count >= len(first) else draw(chance, first, count)
        behind = self.look_behind(scenario, memory, begins)
        work = self.try_deaths(scenario, memory, behind)
        # Equal states are gone on from once.
        states = list({after.point: after for after in behind.values()}.values())
        whole = [(after.point, second) for after in states for second in after.points]
        self.all["pairs"] += sum(len(behind[point].points) for point in begins)
        self.count("pairs as another", sum(len(behind[point].points) for point in begins) - len(whole))
        self.try_all("pairs", scenario, disk, draw(chance, whole, pairs), work)
        states = [after for after in states if after.points]
        triples = set()
        for _ in range(self.options.triples if states else 0):
            after = chance.choice(states)
            triples.add((after.point, chance.choice(after.points), chance.choice(after.points)))
        self.try_all("triples", scenario, disk, sorted(triples), work)
        for after in states:
            shutil.rmtree(after.world.folder)


def draw(chance, series, count):
    return series if count is None or count >= len(series) else chance.sample(series, count)


def show(wrong):
    for name, deaths, text in wrong[:SHOWN_MAX]:
        print(f"prove-crash: WRONG: {name}, {deaths}:\n{text}")


def find_planted(options, folder):
    """The planted bug does an item twice; True when that is seen."""
    options = argparse.Namespace(**{**vars(options), "purser": options.planted, "points": 120,
                                    "disk": "slow", "pairs": "0", "triples": 0, "state": None})
    proof = Proof(options, folder, wrong_max=1)
    try:
        proof.prove(BY_NAME["at-most-once"])
    finally:
        proof.pool.close()
    wrong = proof.tried.wrong()
    twice = [text for _, _, text in wrong if "twice" in text]
    print(f"planted: {len(wrong)} found, of {proof.tried.counts().total()} points; "
          f"{twice[0] if twice else 'nothing was done twice'}")
    return bool(twice)


def main():
    options = read_options()
    chosen = [scenario for scenario in [*SCENARIOS, *COMMANDS]
              if options.scenario is None or scenario.name in options.scenario]
    with scratch_folder("prove-crash") as folder:
        proof = Proof(options, folder)
        try:
            for scenario in chosen:
                proof.prove(scenario)
        except Wrong as wrong:
            proof.wrong.append((scenario.name, "", str(wrong)))
        finally:
            proof.pool.close()
            proof.tried.close()
        is_found = options.planted is None or find_planted(options, os.path.join(folder, "planted"))
    wrong = proof.tried.wrong() + proof.wrong
    show(wrong)
    counts, seen = proof.counts, proof.tried.counts()
    same = ("" if options.pairs != "all" else
            f" and {counts['pairs as another']} that are the same as one of them, of {proof.all['pairs']}")
    print(f"prove-crash: {len(chosen)} scenarios, {seen['points']} of {proof.all['points']} points, "
          f"{seen['pairs']} pairs{same}, {seen['triples']} triples, {proof.tried}{counts['deaths']} deaths now, "
          f"{counts['missed']} not reached, {counts['as before']} ended in a known state, "
          f"seed {options.seed}; {len(wrong)} wrong"
          + ("" if options.planted is None else f", planted bug {'' if is_found else 'NOT '}found"))
    return 1 if wrong or not is_found or not seen["points"] else 0


if __name__ == "__main__":
    sys.exit(main())
