#!/usr/bin/env python3
"""purser at work for long, against a server and a machine that go wrong all the time.

usage: soak.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [--seconds N] [--seed N] [--rows N]
               [--kinds NAME,NAME…] [--gap SECONDS] [--plan] [--expect KIND] [--keep FOLDER]

Four jobs (creates, updates that are sent at most once, writes that need others and go in order) work
against rutter-sim --profile hostile. In rounds rows are added and changed, and purser does what a
user does with it: run, stop, look, retry, undo. A second spec is run for one slot after the other, each until
it has come to its end (slots.py). A nemesis (nemesis.py) kills it, stops it for a while,
sets its clock, fills its disk, starts a second process on the same ledger, cuts, silences and
deafens the network, pauses the server and starts it again. Its plan follows from --seed (`--plan` prints
all of it, and does nothing else); what each blow meets is a matter of the machine.

At the end the nemesis stops and purser runs to the end. Then

- every process has ended with a status that is documented and has a cause: 1 only when its disk was
  full, by a signal only when it was sent one;
- the judge (tests/support/judge.py) holds purser's report against the simulator's wire ledger: nothing
  is lost, twice, wrong, or in doubt without a cause; and no version of a row was done twice or
  overtaken by an older one (rows.py);
- a further run sends nothing;
- memory, descriptors and the ledger are flat (sampling.py says what that means, and its bounds).

It runs in real time, for --seconds and what is then left to do. Time decides only how much is seen: a slow
machine gets through fewer rounds, and its blows meet other moments, but each verdict is about
what was sent, done and said, and none about when. Waits: the nemesis sleeps until its next blow; the sampler
between samples; processes of purser are waited for without a limit, for all that could hold them
up has an end; one that hangs without the nemesis is ended by the time limit of ctest.

--expect KIND: a bug is planted; the exit status is 0 when a verdict of that kind is found (twice, memory,
descriptors), and worlds with further seeds are tried until it is, at most ten.
"""

import argparse
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import judge  # noqa: E402
from nemesis import KINDS, Nemesis, Page, Victim, draw_plan  # noqa: E402
from network import Network  # noqa: E402
from rows import SHOP_IN_FLIGHT, SPEC, Done, Rows, counted, judge_versions, split_versions, waiting  # noqa: E402
from slots import FILE as SLOTS_FILE, TOKEN as SLOTS_TOKEN, Slots  # noqa: E402
from sampling import Sampler, judge_flatness  # noqa: E402
from simulator import Simulator  # noqa: E402
from workload import environment_of  # noqa: E402

ENDS = (0, 3, 7)
STOPPED = 5  # the first items of a job were all refused; those that a retry takes up were refused before
LOCKED = 6
NOT_FINISHED = 75
TALK_SHOWN = 2000
RUNS_OF_A_ROUND = 3
FINAL_RUNS_MAX = 40
WORLDS_MAX = 10
PLAN_SHOWN = 60  # blows


class Wrong(Exception):
    """What the proof finds in a process."""


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--shim", required=True, type=os.path.abspath)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=3, help="customers of a round; 12 other rows for each")
    parser.add_argument("--kinds", help="of nemesis.py; default: all")
    parser.add_argument("--gap", type=float, default=0.5)
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--expect", choices=["twice", "memory", "descriptors"], action="append")
    parser.add_argument("--keep")
    options = parser.parse_args()
    options.kinds = options.kinds.split(",") if options.kinds else sorted(KINDS)
    return options


class Server:
    """rutter-sim, which keeps its world and its wire ledger in files."""

    def __init__(self, options, folder, network):
        self.program, self.network = options.sim, network
        self.ledger = os.path.join(folder, "ledger.ndjson")
        self.options = ["--profile", "hostile", "--seed", str(options.seed), "--rate-limit", "unlimited",
                        "--job-time", "20-200", "--no-echo", "--ledger", self.ledger,
                        "--world", os.path.join(folder, "world")]
        self.begin()

    def begin(self):
        self.simulator = Simulator(self.program, self.options)
        self.network.server_port = self.simulator.port

    def pause(self):
        self.simulator.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.simulator.process.send_signal(signal.SIGCONT)

    def stop(self):
        """Lets it keep its world; a SIGKILL would lose it."""
        self.network.server_port = None
        self.simulator.process.terminate()
        self.simulator.process.wait()
        self.simulator.stop()

    def lines(self):
        with open(self.ledger, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class Talk:
    """The files that a process writes to."""

    def __init__(self, folder, name):
        self.paths = [os.path.join(folder, f"{name}.{kind}") for kind in ("out", "err")]

    def text(self, is_error=False):
        with open(self.paths[is_error], encoding="utf-8", errors="replace") as file:
            return file.read()


class Soak:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.environment = environment_of(folder)
        self.environment.update(
            OTHER_ACCESS_TOKEN="7a0b1c52-7d1e-4a57-9b0e-5a3f7c2d9e11", SLOT_ACCESS_TOKEN=SLOTS_TOKEN,
            LD_PRELOAD=options.shim, PURSER_NEMESIS=os.path.join(folder, "page"))
        os.makedirs(self.environment["HOME"])
        self.page = Page(self.environment["PURSER_NEMESIS"])
        self.network = Network()
        self.server = Server(options, folder, self.network)
        self.sampler = Sampler()
        self.victim = Victim()
        self.chance = random.Random(f"user {options.seed}")
        self.rows = Rows(folder, options.seed, options.rows)
        self.slots = Slots(folder, options.seed, self.network.base, options.rows)
        with open(os.path.join(folder, "spec.yaml"), "w", encoding="utf-8") as file:
            file.write(SPEC.format(base=self.network.base, in_flight=SHOP_IN_FLIGHT))
        self.nemesis = Nemesis(draw_plan(options.seed, options.seconds, options.kinds, options.gap),
                               self.victim, self.page, self.network, self.server, self.start_other)
        self.statuses = Counter()
        self.ledger_sizes = []
        self.talk = Talk(folder, "purser")
        self.is_finished = True  # by the last run
        self.undone = []  # numbers of runs
        self.others = 0
        self.runs = 0

    def start(self, words, talk):
        with open(talk.paths[0], "wb") as out, open(talk.paths[1], "wb") as err:
            process = subprocess.Popen([self.options.purser, *words], cwd=self.folder, stdout=out,
                                       stderr=err, stdin=subprocess.DEVNULL, env=self.environment)
        process.talk = talk
        return process

    def start_other(self, words):
        self.others += 1
        return self.start(words, Talk(self.folder, f"other-{self.others % 32}"))

    def purser(self, *words):
        """Runs a command that the nemesis may meet: its status, when that is as it may be."""
        refused = self.page.refused()
        process = self.start(words, self.talk)
        self.runs += 1
        self.victim.begin(process)
        if self.nemesis.error is not None:
            process.kill()
        self.sampler.begin(process.pid, f"{words[0]} {self.runs}")
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        self.sampler.end()
        signals = self.victim.end()
        status = process.wait()
        self.statuses[status] += 1
        self.check(words, status, process.talk, signals, self.page.refused() > refused)
        return status

    def check(self, words, status, talk, signals, is_full):
        may_be = {*ENDS, STOPPED, LOCKED, NOT_FINISHED} | {-number for number in signals}
        may_be |= {1} if is_full else set()
        may_be |= {128 + number for number in signals & {signal.SIGINT, signal.SIGTERM}}
        if status not in may_be:
            raise Wrong(f"{' '.join(words)} ended with {status}; signals: {sorted(signals)}\n"
                        f"{talk.text()[-TALK_SHOWN:]}{talk.text(True)[-TALK_SHOWN:]}")

    def check_others(self):
        for words, status, talk in self.nemesis.other_statuses:
            self.check(words, status, talk, set(), self.page.refused() > 0)

    def last_run(self):
        """The number of the last run; None = it could not be asked."""
        if self.purser("status", "spec.yaml", "--output", "json") != 0:
            return None
        run = json.loads(self.talk.text())["last_run"]
        return run and run["run"]

    def round(self):
        """What a user does in one round; not every one is taken to its end."""
        # What is left over must not grow from round to round.
        self.rows.next_round(is_small=not self.is_finished)
        for _ in range(self.chance.randint(1, RUNS_OF_A_ROUND)):
            self.is_finished = self.purser("run", "spec.yaml", "--output", "json") in ENDS
            if self.is_finished:
                break
        draw = self.chance.random()
        if draw < 0.2:
            self.purser("retry", "spec.yaml")
        elif draw < 0.35:
            run = self.last_run()
            if run is not None:
                self.undone.append(run)
                self.purser("undo", "spec.yaml", "--run", str(run))
        elif draw < 0.45:
            self.purser("items", "spec.yaml", "--output", "csv")
        self.run_slot(self.slots.next())
        again = self.slots.again()
        if again is not None:
            self.purser(*self.slots.words(again))
        data = os.path.join(self.environment["XDG_STATE_HOME"], "purser", "soak", "data.mdb")
        if os.path.exists(data):
            self.ledger_sizes.append((os.stat(data).st_size, len(self.rows.all())))

    def run_slot(self, slot):
        self.slots.is_over = self.purser(*self.slots.words(slot)) in ENDS

    def disturb(self):
        """Rounds until the time is over. The first run is spared, so that there is a ledger to ask."""
        self.rows.next_round()
        if self.purser("run", "spec.yaml") not in ENDS:
            raise Wrong("the undisturbed run did not finish:\n" + self.talk.text(True))
        end = time.monotonic() + self.options.seconds
        self.nemesis.begin()
        try:
            while time.monotonic() < end and self.nemesis.error is None:
                self.round()
        finally:
            self.nemesis.stop()
        self.check_others()

    def finish(self):
        """Undisturbed: until nothing is left to do, and once more, which must do nothing."""
        self.run_to_the_end()
        for run in self.undone:
            self.run_to_the_end("undo", "spec.yaml", "--run", str(run))
        self.purser("retry", "spec.yaml", "--where", "state=failed")
        self.run_to_the_end()
        self.run_to_the_end(*self.slots.words(self.slots.next()))
        before = self.sent()
        self.run_to_the_end()
        if self.sent() != before:
            raise Wrong("a run that had nothing left to do has sent something")
        for slot in self.slots.begun:
            self.run_to_the_end(*self.slots.words(slot))
        if self.sent() != before:
            raise Wrong("a slot that was over has sent something")

    def sent(self):
        return json.loads(self.server.simulator._ask("/_sim/stats"))["sends"]

    def run_to_the_end(self, *words):
        for _ in range(FINAL_RUNS_MAX):
            if self.purser(*(words or ("run", "spec.yaml", "--output", "json"))) in ENDS:
                return
        raise Wrong(f"not finished after {FINAL_RUNS_MAX} runs:\n" + self.talk.text(True)[-TALK_SHOWN:])

    def ask(self, *words):
        status = self.purser(*words)
        if status != 0:
            raise Wrong(f"{' '.join(words)} ended with {status}")
        return self.talk.text()

    def read_slots(self):
        """The results of a slot are of the rows that it has read."""
        folder, rows = os.path.join(self.folder, "results-of"), []
        report = judge.read_report(self.ask, folder, SLOTS_FILE)
        for number, slot in enumerate(self.slots.begun):
            self.ask("results", SLOTS_FILE, "--slot", slot, "-o", f"{folder}-{number}")
            rows += judge.results_from(f"{folder}-{number}")
        return report._replace(results=rows)

    def judge(self):
        """What was found, as texts; prints the figures."""
        report = judge.read_report(self.ask, os.path.join(self.folder, "results"))
        of_slots = self.read_slots()
        self.server.stop()
        slot_lines, lines = self.slots.part(self.server.lines(), of_slots.items)
        split_versions(lines)
        rows, items = self.rows.all(), report.items
        done = Done(lines, items)
        verdicts = judge.judge(lines, report, [row.key for row in rows], done.expected(rows),
                               waiting(rows, items), self.nemesis.interruptions(), SHOP_IN_FLIGHT + 1)
        verdicts += judge_versions(rows, items, done)
        verdicts += judge.judge(slot_lines, of_slots, self.slots.keys(), {}, [],
                                self.nemesis.interruptions(), SHOP_IN_FLIGHT + 1)
        if not judge.effects_of(slot_lines):
            raise Wrong("no slot has done anything")
        print("items: " + counted(items + of_slots.items))
        print(f"wire: {sum('seq' in line for line in lines)} requests, "
              f"{sum(line.get('fault') is not None for line in lines)} faults, "
              f"{len(judge.sends_of(lines))} writes, {len(judge.effects_of(lines))} effects, "
              f"{self.network.broken} connections cut")
        return verdicts

    def close(self):
        self.sampler.stop()
        self.server.go_on()
        self.server.stop()
        self.nemesis.leave()
        self.network.stop()


def play(options, folder):
    """One world: what is wrong in it, as (kind, text)."""
    soak = Soak(options, folder)
    found = []
    with contextlib.closing(soak):
        try:
            soak.disturb()
            soak.finish()
            verdicts = soak.judge()
            found += [(verdict.kind, str(verdict)) for verdict in verdicts[:judge.SHOWN_LINES_MAX]]
        except Wrong as wrong:
            found.append(("process", str(wrong)))
    flat = judge_flatness(soak.sampler.lives, soak.ledger_sizes)
    found += [(re.split("[_ ]", text)[0], "not flat: " + text) for text in flat.grown]
    nemesis = soak.nemesis
    print("nemesis: " + ", ".join(f"{kind} {count}" for kind, count in sorted(nemesis.done.items()))
          + f"; met nobody {sum(nemesis.missed.values())}; writes refused {soak.page.refused()}")
    print("ends: " + ", ".join(f"{status} {count}" for status, count in sorted(soak.statuses.items())))
    for text in flat.told:
        print(text)
    for text in flat.untold:
        print(f"too few samples: {text}")
    for kind, text in found:
        print(f"prove-soak: {'found' if options.expect else 'WRONG'}: {text}")
    print(f"prove-soak: {options.seconds:.0f} s, seed {options.seed}, {soak.rows.rounds} rounds, "
          f"{len(soak.rows.all())} rows, {len(soak.slots.begun)} slots, "
          f"{sum(nemesis.done.values())} blows, {soak.runs} processes, "
          f"{soak.sampler.count} samples; {len(found)} wrong", flush=True)
    return found


def play_in_folder(options):
    if options.keep:
        os.makedirs(options.keep)
        return play(options, options.keep)
    with tempfile.TemporaryDirectory(prefix="purser-soak-") as folder:
        return play(options, folder)


def main():
    options = read_options()
    if options.plan:
        print(*draw_plan(options.seed, options.seconds, options.kinds, options.gap), sep="\n")
        return 0
    plan = draw_plan(options.seed, options.seconds, options.kinds, options.gap)
    print(f"plan of seed {options.seed}: {len(plan)} blows, {'; '.join(map(str, plan[:PLAN_SHOWN]))}"
          + ("" if len(plan) <= PLAN_SHOWN else "; … (all: --plan)"), flush=True)
    if not options.expect:
        return 1 if play_in_folder(options) else 0
    for _ in range(WORLDS_MAX):
        kinds = {kind for kind, _ in play_in_folder(options)}
        if kinds >= set(options.expect):
            print("prove-soak: the planted bug is found")
            return 0
        options.seed += 1
    print("prove-soak: the planted bug is NOT found")
    return 1


if __name__ == "__main__":
    sys.exit(main())
