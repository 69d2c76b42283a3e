"""Where the worlds of scenarios.py are set up, disturbed, taken to their end and judged.

A world is made once and copied afterwards (`worlds`): its files, its clock, what the simulator
knows and has written down. All in it is the same each time, so equal worlds have equal digests.
Whatever a command prints, and all that is left in the end, is searched for the credentials.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import struct
import threading
from typing import NamedTuple

import judge
from hidden import Hidden
from starter import Starter
from still_simulator import StillSimulator
from workload import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, environment_of

SECONDS_MAX = 60
RUNS_MAX = 6
EXIT_NOT_FINISHED = 75
EXIT_REFUSED = 2
ENDS = (0, 3, 7)
NS_A_S = 10 ** 9
# The shim takes the later of this and the real time: worlds begin on 3 March 2033.
BEGIN_NS = 1993420800 * NS_A_S
BOOTED_NS = BEGIN_NS - 86400 * NS_A_S
# These name the process that has them, and are made anew by the next one.
HIDDEN = Hidden(CLIENT_ID, CLIENT_SECRET, {"access token": ACCESS_TOKEN})
OF_PROCESSES = {"clock", "lock.mdb", "purser.lock", "calls"}


class Wrong(Exception):
    """What a proof finds."""


class World(NamedTuple):
    """One that can be begun again: a folder that stays, and the simulator."""

    folder: str
    known: bytes
    lines: list


class Worlds:
    """The worlds that were made, for all stages of a proof."""

    def __init__(self, folder):
        self.folder, self.made, self.lock, self.count = folder, {}, threading.Lock(), 0

    def place(self):
        with self.lock:
            self.count += 1
            return os.path.join(self.folder, f"world-{self.count}")


class Stage:
    """A folder and a simulator, used for one world after the other."""

    def __init__(self, purser, sim, shim, folder, worlds=None):
        self.place, self.shim = folder, shim
        self.following = {}
        self.disk = "fast"
        self.folder = os.path.join(folder, "world")
        os.makedirs(folder, exist_ok=True)
        self.worlds = worlds or Worlds(folder)
        still = os.path.join(os.path.dirname(shim), "libstill_server.so")
        self.starter = None
        self.use(purser)
        self.simulator = StillSimulator(sim, still, os.path.join(folder, "simulator"),
                                        self.file("clock"))

    def use(self, program):
        """This purser from now on."""
        if self.starter is not None:
            self.starter.close()
        self.starter = Starter(program, self.shim, os.path.join(self.place, "starter"))

    def close(self):
        self.starter.close()
        self.simulator.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def purser(self, words, **shim):
        """Runs a command under the shim, whose options are `shim`; its exit status, stdout, stderr."""
        environment = {**environment_of(self.folder),
                       "PURSER_SHIM_CLOCK": self.file("clock"),
                       "PURSER_SHIM_DISK": self.disk,
                       "PURSER_SHIM_PORT": self.simulator.port,
                       **self.following,
                       **{f"PURSER_SHIM_{name}" if name else "PURSER_SHIM": value
                          for name, value in shim.items() if value}}
        try:
            status, out, talk = self.starter.run(words, environment, self.folder, SECONDS_MAX)
        except TimeoutError:
            raise Wrong(f"{' '.join(words)} hangs") from None
        for name, said in (("stdout", out), ("stderr", talk)):
            for what, _ in HIDDEN.find(said):
                raise Wrong(f"{what} is in {name} of {' '.join(words)}")
        return status, out.decode(errors="replace"), talk.decode(errors="replace")

    def file(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)

    def step(self, scenario, step):
        if step[0] == "write":
            self.write(*step[1:])
        elif step[0] == "edit":
            with open(self.file(step[1]), encoding="utf-8") as file:
                text = file.read()
            if step[2] not in text:
                raise Wrong(f"{step[1]} has no {step[2]}")
            self.write(step[1], text.replace(step[2], step[3]))
        elif step[0] == "sim":
            self.simulator.ask(*step[1:])
        elif step[0] == "die":
            number = number_of(self.calls(scenario, step[3:], ()), step[1], step[2])
            self.make(scenario, ())
            status, _, talk = self.purser(step[3:], **{"": f"after:{number}"})
            if status != -signal.SIGKILL:
                raise Wrong(f"{scenario.name}: not killed, {status}:\n{talk}")
        elif step[0] == "unless-done":
            done = self.purser(step[1:])
            return None if done[0] == EXIT_REFUSED else done
        else:
            return self.purser(step)
        return None

    def make(self, scenario, before):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.file("home"))
        with open(self.file("clock"), "wb") as file:
            file.write(struct.pack("qq", BEGIN_NS, BOOTED_NS))
        self.simulator.start()
        self.write("spec.yaml", scenario.spec.format(base=self.simulator.base))
        self.write("items.csv", scenario.items)
        for step in before:
            self.step(scenario, step)

    def begin(self, scenario, before=None):
        """The world as it is when the victim starts."""
        before = scenario.before if before is None else before
        self.following = ({"PURSER_SHIM_FOLLOW": "1", "LD_PRELOAD": self.shim}
                          if scenario.starts_purser else {})
        what = repr((scenario, before, self.disk))
        world = self.worlds.made.get(what)
        if world is None:
            self.make(scenario, before)
            world = self.worlds.made[what] = self.keep()
        self.go_back(world)

    def keep(self):
        """The world as it is. It is gone from here then."""
        known, lines = self.simulator.save()
        folder = self.worlds.place()
        os.rename(self.folder, folder)
        return World(folder, known, lines)

    def go_back(self, world):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(world.folder, self.folder, symlinks=True)
        self.simulator.start(world.known, world.lines)

    def forget(self, world):
        shutil.rmtree(world.folder, ignore_errors=True)

    def digest(self):
        """Equal worlds go on alike: the files, the clock, and all that the server was asked."""
        digest = hashlib.sha256(json.dumps(self.simulator.ledger()).encode())
        with open(self.file("clock"), "rb") as file:
            # A process begins at a whole second.
            digest.update(b"%d" % (struct.unpack("q", file.read(8))[0] // NS_A_S))
        for parent, folders, names in os.walk(self.folder):
            folders.sort()
            for name in sorted({*folders, *names} - OF_PROCESSES):
                path = os.path.join(parent, name)
                content = b""
                if name in names:
                    with open(path, "rb") as file:
                        content = file.read()
                digest.update(b"\n%s %o %d\n" % (os.fsencode(os.path.relpath(path, self.folder)),
                                                 os.stat(path).st_mode, len(content)))
                digest.update(content)
        return digest.digest()

    def seconds(self):
        """How long it has taken since the world began."""
        with open(self.file("clock"), "rb") as file:
            return (struct.unpack("q", file.read(8))[0] - BEGIN_NS) / NS_A_S

    def calls(self, scenario, words, before=None, **shim):
        """The names of the calls of an undisturbed command, in order."""
        self.begin(scenario, before)
        return self.calls_here(words, **shim)

    def calls_here(self, words, **shim):
        listed = self.file("calls")
        self.purser(words, LIST=listed, **shim)
        return read_calls(listed)

    def finish(self, scenario):
        """What a user does then: the same steps, and runs until all has ended."""
        for step in scenario.after:
            for _ in range(RUNS_MAX):
                done = self.step(scenario, step)
                if done is None or done[0] != EXIT_NOT_FINISHED:
                    break
            if done is not None and done[0] not in ENDS:
                raise Wrong(f"afterwards {' '.join(step)} ended with {done[0]}:\n{done[2]}")

    def ask(self, *words):
        status, out, talk = self.purser(words)
        if status != 0:
            raise Wrong(f"{' '.join(words)} ended with {status}:\n{talk}")
        return out

    def judge(self, scenario, interruptions=1, whole=True):
        """All that purser says against the wire; the states of the items by job and key."""
        if whole:
            report = judge.read_report(self.ask, self.file("report"))
        else:
            report = judge.Report(judge.items_from(self.ask("items", "spec.yaml", "--output",
                                                            "ndjson")))
        for file, what, _ in HIDDEN.find_below(self.folder):
            raise Wrong(f"{what} is in {file}")
        verdicts = judge.judge(self.simulator.ledger(), report, scenario.wanted,
                               scenario.effects, interruptions=interruptions, at_risk=4)
        if verdicts and scenario.is_judged:
            raise Wrong(judge.shown(verdicts))
        return {(item["job"], item["key"]): item["state"] for item in report.items}

    def judge_as(self, scenario, expected, interruptions=1, whole=True):
        """The judge, and the states of an undisturbed world."""
        states = self.judge(scenario, interruptions, whole)
        doubts = {(job, key) for (job, key), state in states.items()
                  if scenario.at_most_once and state == "in_doubt"}
        for item, state in states.items():
            is_in_doubt = item in doubts or (f"{item[0]}:undo", f"{item[1]}#1") in doubts
            if state != expected[item] and not is_in_doubt:
                raise Wrong(f"{item[1]} is {state}, undisturbed it is {expected[item]}")


def read_calls(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return [re.match(r"\d+ (\S+)", line).group(1) for line in file]


def number_of(calls, name, count):
    """The number of the count-th call of that name."""
    return [number for number, call in enumerate(calls, 1) if call == name][count - 1]
