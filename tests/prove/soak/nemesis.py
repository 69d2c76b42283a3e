"""Who disturbs a soak: a plan that is drawn beforehand, and the thread that carries it out.

What is drawn follows from the seed; what it hits is a matter of the machine. Whatever lasts is
ended by the nemesis itself, at the latest by stop(), so that no world is left disturbed.
"""

import heapq
import itertools
import mmap
import os
import random
import signal
import struct
import threading
import time
from collections import Counter
from typing import NamedTuple

from network import DEAF, REFUSE, SILENT, UP

DISK_GROWS_NOT, DISK_TAKES_NOTHING = 1, 2
HOUR = 3600
SLOW_SYNC_MS = 100
# How often each comes, and the shortest and longest time it lasts.
KINDS = {
    "kill": (24, 0, 0),
    "terminate": (6, 0, 0),
    "interrupt": (4, 0, 0),
    "interrupt-twice": (4, 0, 0),
    "pause": (8, 0.05, 3),
    "clock": (10, 0, 0),
    "disk-grows-not": (5, 0.1, 1.5),
    "disk-takes-nothing": (5, 0.1, 1.5),
    "disk-is-slow": (8, 0.5, 4),
    "second-process": (8, 0, 0),
    "reader": (6, 0, 0),
    "network-cut": (6, 0, 0),
    "network-refuses": (4, 0.1, 2),
    "network-is-silent": (4, 0.1, 7),
    "network-is-deaf": (4, 0.1, 2),
    "server-pauses": (4, 0.1, 7),
    "server-restarts": (3, 0.05, 1),
}
# A process that none of these meets may live long.
DEADLY = {"kill", "terminate", "interrupt", "interrupt-twice", "disk-grows-not", "disk-takes-nothing"}
# An answer on its way may be lost by them, or a write be cut off.
INTERRUPTIONS = DEADLY | {
    "pause", "network-cut", "network-refuses", "network-is-silent", "network-is-deaf",
    "server-pauses", "server-restarts"}
CLOCK_JUMPS = [-90 * 24 * HOUR, -13 * HOUR, -HOUR, -1, 1, 61, HOUR, 13 * HOUR, 90 * 24 * HOUR]


class Event(NamedTuple):
    at: float  # seconds from the beginning
    kind: str
    lasts: float
    value: int

    def __str__(self):
        more = f" for {self.lasts:.2f} s" if self.lasts else ""
        return f"{self.at:.2f} {self.kind}{more}{f' {self.value:+d} s' if self.kind == 'clock' else ''}"


def draw_plan(seed, seconds, kinds=None, gap=0.5):
    """Events in the order of time. Each minute is busy or quiet; every fourth kills nobody. Each kind
    comes once before any comes as often as chance has it."""
    chance = random.Random(f"plan {seed}")
    kinds = {kind: KINDS[kind] for kind in kinds or KINDS}
    plan, at = [], 0.0
    first = chance.sample(sorted(kinds), len(kinds))
    for minute in itertools.count():
        if minute * 60 >= seconds:
            return plan
        minute_gap = gap if minute == 0 else chance.choice([gap, gap, gap * 8])
        chosen = [kind for kind in kinds if minute % 4 != 3 or kind not in DEADLY]
        while True:
            at += chance.expovariate(1 / minute_gap)
            if at >= min(seconds, (minute + 1) * 60):
                at = min(seconds, (minute + 1) * 60)
                break
            kind = (first.pop() if first and first[-1] in chosen else
                    chance.choices(chosen, [kinds[one][0] for one in chosen])[0])
            _, least, most = kinds[kind]
            plan.append(Event(at, kind, chance.uniform(least, most), chance.choice(CLOCK_JUMPS)))


class Page:
    """What nemesis_shim.c reads."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(mmap.PAGESIZE))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def set(self, index, value):
        struct.pack_into("q", self.map, 8 * index, value)

    def clock(self, seconds):
        self.set(0, seconds * 10**9)

    def disk(self, mode):
        self.set(1, mode)

    def sync_delay(self, milliseconds):
        self.set(2, milliseconds * 1000)

    def refused(self):
        return struct.unpack_from("q", self.map, 24)[0]


class Victim:
    """The process that purser is just now, if any; no signal meets a number that is another's."""

    def __init__(self):
        self.lock = threading.Lock()
        self.process = None
        self.signals = set()

    def begin(self, process):
        with self.lock:
            self.process, self.signals = process, set()

    def end(self):
        """Before the process is waited for; the signals that it was sent."""
        with self.lock:
            self.process = None
            return self.signals

    def send(self, number, only=None):
        """The process, or None: there is none, or not that one any more."""
        with self.lock:
            if self.process is None or only not in (None, self.process):
                return None
            os.kill(self.process.pid, number)
            self.signals.add(number)
            return self.process


class Nemesis(threading.Thread):
    """Carries out a plan. It stays until leave(), for a server that it has begun ends with the thread
    that began it (PR_SET_PDEATHSIG). `server` has pause(), go_on(), stop(), begin(); `start_purser(words)` gives
    a process that is not the victim."""

    def __init__(self, plan, victim, page, network, server, start_purser):
        super().__init__(daemon=True)
        self.plan, self.victim, self.page = plan, victim, page
        self.network, self.server, self.start_purser = network, server, start_purser
        self.done = Counter()
        self.missed = Counter()
        self.others = []  # (words, process) beside the victim
        self.other_statuses = []
        self.wakes = []
        self.order = itertools.count()
        self.ending = threading.Event()
        self.over = threading.Event()
        self.leaving = threading.Event()
        self.error = None
        self.lives = Counter()  # how many of what lasts go on at once
        self.began = 0.0

    def interruptions(self):
        return sum(self.done[kind] for kind in INTERRUPTIONS)

    def begin(self):
        """The plan counts from now."""
        self.began = time.monotonic()
        self.start()

    def run(self):
        try:
            for event in self.plan:
                if not self.wait_until(event.at):
                    break
                act = getattr(self, "do_" + event.kind.replace("-", "_"))
                (self.missed if act(event) is False else self.done)[event.kind] += 1
                self.reap()
        except Exception as error:  # told by stop(): the proof must not go on as if undisturbed
            self.error = error
            self.victim.send(signal.SIGKILL)  # nobody else might end it
        while self.wakes:
            heapq.heappop(self.wakes)[2]()
        self.over.set()
        self.leaving.wait()

    def wait_until(self, at):
        """False when the nemesis is to end; what lasts is ended in between."""
        while True:
            now = time.monotonic() - self.began
            while self.wakes and self.wakes[0][0] <= now:
                heapq.heappop(self.wakes)[2]()
            if self.ending.is_set():
                return False
            if now >= at:
                return True
            until = min(at, self.wakes[0][0]) if self.wakes else at
            self.ending.wait(max(0, until - now))

    def stop(self):
        """The world is undisturbed afterwards."""
        self.ending.set()
        self.over.wait()
        self.page.clock(0)
        self.reap(is_last=True)
        if self.error is not None:
            raise self.error

    def leave(self):
        self.ending.set()
        self.leaving.set()
        if self.is_alive():
            self.join()

    def reap(self, is_last=False):
        for words, process in list(self.others):
            if is_last or process.poll() is not None:
                self.others.remove((words, process))
                self.other_statuses.append((words, process.wait(), process.talk))

    def last(self, kind, event, begin, end):
        """begin() now and end() later; what overlaps with its own kind ends with the last of them."""
        def over():
            self.lives[kind] -= 1
            if self.lives[kind] == 0:
                end()

        begin()
        self.lives[kind] += 1
        heapq.heappush(self.wakes,
                       (time.monotonic() - self.began + event.lasts, next(self.order), over))

    def do_kill(self, _):
        return self.victim.send(signal.SIGKILL) is not None

    def do_terminate(self, _):
        return self.victim.send(signal.SIGTERM) is not None

    def do_interrupt(self, _):
        return self.victim.send(signal.SIGINT) is not None

    def do_interrupt_twice(self, event):
        self.do_interrupt(event)
        return self.do_interrupt(event)

    def do_pause(self, event):
        process = self.victim.send(signal.SIGSTOP)
        if process is None:
            return False
        self.last("pause", event, lambda: None, lambda: self.victim.send(signal.SIGCONT, process))
        return True

    def do_clock(self, event):
        self.page.clock(event.value)

    def do_disk_grows_not(self, event):
        self.last("disk", event, lambda: self.page.disk(DISK_GROWS_NOT), lambda: self.page.disk(0))

    def do_disk_takes_nothing(self, event):
        self.last("disk", event, lambda: self.page.disk(DISK_TAKES_NOTHING),
                  lambda: self.page.disk(0))

    def do_disk_is_slow(self, event):
        self.last("sync", event, lambda: self.page.sync_delay(SLOW_SYNC_MS), lambda: self.page.sync_delay(0))

    def do_second_process(self, _):
        self.spawn("run", "spec.yaml", "--wait", "1s", "--quiet")

    def do_reader(self, _):
        self.spawn("items", "spec.yaml", "--output", "ndjson")

    def spawn(self, *words):
        self.others.append((words, self.start_purser(words)))

    def do_network_cut(self, _):
        self.network.cut()

    def do_network_refuses(self, event):
        self.disturb_network(event, REFUSE)

    def do_network_is_silent(self, event):
        self.disturb_network(event, SILENT)

    def do_network_is_deaf(self, event):
        self.disturb_network(event, DEAF)

    def disturb_network(self, event, state):
        self.last("network", event, lambda: self.network.set(state), lambda: self.network.set(UP))

    def do_server_pauses(self, event):
        self.last("server", event, self.server.pause, self.server.go_on)

    def do_server_restarts(self, event):
        self.server.go_on()
        self.server.stop()
        self.ending.wait(event.lasts)
        self.server.begin()
