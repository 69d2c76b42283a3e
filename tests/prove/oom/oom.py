#!/usr/bin/env python3
"""Makes every allocation of every command fail, and looks at what is left.

usage: oom.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [--each N] [--seed N]
              [--scene NAME]… [--point T:N[-M][+]] [--at-once N] [--no-leaks] [--keep FOLDER]
              [--state FOLDER] [--shard K/N]

A scene is one command and the state that it meets (scenes.py). It is first run undisturbed and its
allocations are numbered: malloc and its kin, mmap and the start of threads, of purser, its
libraries and libc (tests/support/memory_shim.c). Then, for each number twice, the scene is set up
anew and that allocation fails once, or it and all after it. What must hold:

  - the command ends: no signal, no hang, and nothing is leaked;
  - it either does what it does undisturbed, with the same output and exit status, or it ends with
    status 1 and says that memory was short;
  - the same command afterwards ends as it does undisturbed, and the items are what they would have
    been; where writes are sent, the judge of wire ledgers finds nothing lost and nothing done twice;
  - the credentials are in nothing that it prints or leaves behind, in no encoding.

Without --each all numbers are taken; with it so many a scene, drawn from the seed: first one of each
call stack, then any. --point takes only this one of one scene and shows everything.

--state FOLDER remembers what was tried and goes on with the rest, --shard K/N shares the cases out
(tests/support/tried.py).

What comes before main (the dynamic linker, start-up code of libraries) is the same for all commands
and is a scene of its own.
"""

import argparse
import collections
import concurrent.futures
import itertools
import os
import random
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
import scenes  # noqa: E402  (found through the path above)
import tried  # noqa: E402
from simulator import Simulator  # noqa: E402
from stage_pool import scratch_folder  # noqa: E402
from starter import Starters  # noqa: E402

COMMAND_SECONDS_MAX = 60
EXIT_INTERNAL = 1
SHOWN_MAX = 8
MODES = ("", "+")
# What these leave behind when they find no memory is their own affair (docs/PROOF.md).
LIBRARIES = ("/lib/x86_64-linux-gnu/libcrypto.", "/lib/x86_64-linux-gnu/libssl.")
# What belongs to the stack of a thread that has ended; libc keeps that for the next one.
KEPT = ("/lib64/ld-linux-x86-64.so.2",)


class Wrong(Exception):
    """A law that does not hold. The first word is its kind."""


class Outcome:
    """One command that has ended: how, what it printed, what the shim reports."""

    def __init__(self, status, out, talk, report):
        self.status, self.out, self.talk = status, out, talk
        self.before, self.threads, self.failed, self.leaks = 0, {}, 0, []
        self.complete = report.endswith("end\n")
        for line in report.splitlines():
            words = line.split()
            if words[0] == "before":
                self.before = int(words[1])
            elif words[0] == "thread":
                self.threads[int(words[1])] = int(words[2])
            elif words[0] == "failed":
                self.failed = int(words[1])
            elif words[0] == "leak":
                if not words[3].startswith(KEPT):
                    self.leaks.append(line)


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def run_loaded(options, world, command, settings):
    """As Maker.run, of a process that is loaded anew: what comes before main fails as well."""
    try:
        done = subprocess.run(
            [options.purser, *command], cwd=world.folder, capture_output=True,
            env={**world.environment, "LD_PRELOAD": options.shim, **settings},
            stdin=subprocess.DEVNULL, timeout=COMMAND_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        raise Wrong(f"hang: no end after {COMMAND_SECONDS_MAX} s") from None
    return scenes.Done(done.returncode, done.stdout.decode(errors="replace"),
                       done.stderr.decode(errors="replace"))


def run_shimmed(options, maker, world, scene, stacks=None, point=None):
    """The scene's command under the shim."""
    report = os.path.join(world.folder, "memory-report")
    settings = {"PURSER_MEMORY_REPORT": report}
    if options.no_leaks:
        settings["PURSER_MEMORY_LEAKS"] = "off"
    if stacks:
        settings["PURSER_MEMORY_STACKS"] = stacks
    if point:
        settings["PURSER_MEMORY_FAIL"] = point
    done = (run_loaded(options, world, scene.command, settings) if scene.before_main
            else maker.run(world, scene.command, settings))
    outcome = Outcome(*done, read(report))
    if os.path.exists(report):
        os.unlink(report)
    return outcome


def check_end(outcome, scene, base):
    """The laws that one command must keep by itself."""
    talk = outcome.talk.strip()
    if outcome.status < 0:
        raise Wrong(f"signal: ended by {-outcome.status}: {talk[-300:]}")
    if not outcome.complete:
        raise Wrong(f"report: the shim reports nothing, status {outcome.status}: {talk[-300:]}")
    if any(not leak.split()[3].startswith(LIBRARIES) for leak in outcome.leaks):
        raise Wrong(f"leak: {len(outcome.leaks)} blocks, status {outcome.status}: {outcome.leaks[:4]}")
    if outcome.status in (base.status, *scene.may_end):
        if scene.same_output and scenes.plain(outcome.out) != scenes.plain(base.out):
            raise Wrong(f"pretended: status {outcome.status} with another output: "
                        f"{outcome.out[-300:]!r} {talk[-300:]}")
        return "went on"
    if outcome.status != EXIT_INTERNAL:
        raise Wrong(f"status: {outcome.status}: {talk[-300:]}")
    if "memory" not in talk + outcome.out:
        raise Wrong(f"silent: status 1 and no word of memory: {talk[-300:]}")
    return "said so"


class Prover:
    def __init__(self, options, folder, simulator):
        self.options, self.folder = options, folder
        self.starters = Starters(options.purser, options.shim, os.path.join(folder, "starters"),
                                 options.at_once)
        self.maker = scenes.Maker(folder, self.starters, simulator)
        self.tried = tried.Tried("prove-oom", options,
                                 [options.purser, options.sim, options.shim],
                                 [os.path.dirname(os.path.abspath(__file__))])
        self.numbers = itertools.count()
        self.problems = collections.defaultdict(list)
        self.lock = threading.Lock()

    def undisturbed(self, scene):
        """What the command does, and the points that it passes: [(T, N)], one of each stack first."""
        world = self.maker.make(scene, "base")
        stacks = os.path.join(world.folder, "stacks")
        base = run_shimmed(self.options, self.maker, world, scene, stacks=stacks)
        if base.status != scene.status or not base.complete:
            raise Wrong(f"undisturbed: {scene.name} ends with {base.status}: {base.talk}")
        if base.leaks and not self.options.no_leaks:
            raise Wrong(f"undisturbed: {scene.name} leaks {base.leaks}")
        scene.after = self.maker.finish(scene, world)
        seen, first, rest = set(), [], []
        for line in read(stacks).splitlines():
            place, stack = line.split()
            thread, number = map(int, place.split(":"))
            if (thread == 0 and number < base.before) != scene.before_main:
                continue
            (rest if stack in seen else first).append((thread, number))
            seen.add(stack)
        if scene.before_main:
            first, rest = [(0, number) for number in range(base.before)], []
        return base, first, rest

    def try_point(self, scene, base, point):
        """One case: set up, fail, look, go on, look."""
        world = self.maker.make(scene, next(self.numbers))
        kind, text = "not reached", ""
        try:
            outcome = run_shimmed(self.options, self.maker, world, scene, point=point)
            if self.options.point:
                print(f"status {outcome.status}, failed {outcome.failed}, leaks {outcome.leaks}\n"
                      f"{outcome.out}--\n{outcome.talk}")
            if not scene.before_main:
                kind = check_end(outcome, scene, base)
            elif outcome.status < 0:
                raise Wrong(f"signal: ended by {-outcome.status}: {outcome.talk[-300:]}")
            else:
                kind = "went on" if outcome.status == base.status else "said so"
            if outcome.failed == 0 and outcome.complete:
                kind = "not reached"
            self.go_on(scene, base, world, outcome)
            for file, what, _ in world.hidden.find_below(world.folder):
                raise Wrong(f"secret: {what} is in {file}")
        except (Wrong, scenes.Wrong) as wrong:
            kind = tried.WRONG
            text = str(wrong)
            with self.lock:
                found = self.problems[scene.name, text.split(":")[0]]
                found.append((point, text))
            if len(found) == 1:
                print(f"prove-oom: WRONG: --scene {scene.name} --point {point}: {text}", flush=True)
        self.tried.note(scene.name, point, kind, text)
        if not self.options.keep:
            shutil.rmtree(world.folder, ignore_errors=True)

    def go_on(self, scene, base, world, outcome):
        """The same command without faults, and what is left when all has ended."""
        if not scene.changes and outcome.status == base.status:
            return
        again = self.maker.ask(world, scene.command)
        if again.returncode not in (base.status, *scene.may_end, *scene.status_again):
            raise Wrong(f"afterwards: ended with {again.returncode}: {again.stderr[-400:]}")
        if not scene.changes:
            if scene.same_output and scenes.plain(again.stdout) != scenes.plain(base.out):
                raise Wrong(f"afterwards: another output: {again.stdout[-300:]!r}")
            return
        after = self.maker.finish(scene, world)
        if again.returncode in scene.may_end and again.returncode != base.status:
            return
        if after != scene.after:
            raise Wrong(f"afterwards: not as undisturbed: {after} instead of {scene.after}")


def draw(options, chance, first, rest):
    """Points with their modes, in the order in which they are tried."""
    if options.point:
        return [options.point]
    if options.each is None:
        return [f"{thread}:{number}{mode}" for thread, number in first + rest for mode in MODES]
    chance.shuffle(first)
    chance.shuffle(rest)
    # Half of the first draw fails once, the other half from then on; the second draw changes them.
    places = [(place, MODES[i % 2]) for i, place in enumerate(first)]
    places += [(place, MODES[(i + 1) % 2]) for i, place in enumerate(first)]
    places += [(place, mode) for place in rest for mode in MODES]
    return [f"{thread}:{number}{mode}" for (thread, number), mode in places[:options.each]]


def prove(options, folder):
    chance = random.Random(options.seed)
    chosen = [scene for scene in scenes.all_scenes()
              if not options.scene or scene.name in options.scene]
    with Simulator(options.sim, ["--seed", str(options.seed)]) as simulator:
        prover = Prover(options, folder, simulator)
        queues = []
        total = 0
        with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
            for scene, (base, first, rest) in zip(chosen, pool.map(prover.undisturbed, chosen)):
                total += 2 * len(first + rest)
                points = draw(options, chance, list(first), list(rest))
                queues.append([(scene, base, point)
                               for point in prover.tried.left(scene.name, points)])
            # In turn, so that what is interrupted has tried some of all.
            cases = [case for turn in itertools.zip_longest(*queues) for case in turn if case]
            list(pool.map(lambda case: prover.try_point(*case), cases))
        prover.starters.close()
        prover.tried.close()
    return prover, chosen, total


def show(prover, chosen, total, seed):
    kinds = ("went on", "said so", "not reached", tried.WRONG)
    for scene in chosen:
        counts = prover.tried.counts(scene.name)
        print(f"  {scene.name:24} " + ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts[kind]))
    for name, point, text in prover.tried.wrong():
        if all(point != known for known, _ in prover.problems[name, text.split(":")[0]]):
            prover.problems[name, text.split(":")[0]].append((point, text))
    for (name, kind), cases in sorted(prover.problems.items()):
        print(f"prove-oom: WRONG: {name}: {kind}: {len(cases)} cases, such as")
        for point, text in cases[:SHOWN_MAX]:
            print(f"    --scene {name} --point {point}: {text}")
    counts = prover.tried.counts()
    print(f"prove-oom: {counts.total()} of {total} failures of {len(chosen)} scenes: {prover.tried}"
          f"{counts['said so']} said so, {counts['went on']} went on, "
          f"{counts['not reached']} not reached, {counts[tried.WRONG]} wrong (seed {seed})")
    return counts.total()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--shim", required=True, type=os.path.abspath)
    parser.add_argument("--each", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scene", action="append")
    parser.add_argument("--point")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--no-leaks", action="store_true")
    parser.add_argument("--keep", type=os.path.abspath)
    tried.add_options(parser)
    options = parser.parse_args()
    try:
        with scratch_folder("purser-oom") as folder:
            prover, chosen, total = prove(options, options.keep or folder)
            count = show(prover, chosen, total, options.seed)
            return 1 if prover.tried.wrong_count or not count else 0
    except (Wrong, scenes.Wrong) as wrong:
        print(f"prove-oom: WRONG (seed {options.seed}): {wrong}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
