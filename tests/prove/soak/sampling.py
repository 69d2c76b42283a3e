"""Memory and descriptors of the processes of a soak and the size of its ledger, and whether they are flat.

A process is at work while it has a socket; what was before, reading and comparing rows, takes long on
a slow machine and little memory, and would only be compared with itself on another day.

Flat is judged without any regard to time: a machine that is slow gives fewer samples, and what has
too few is not judged (`untold`), never wrong. Bounds:

  across   the largest samples of the processes, by the order of their births: the median of the last
           third is at most the median of the first third and 25 %, and a constant (memory 3 MiB;
           descriptors 32, for so many connections may be open, or none). What one process leaves
           behind for the next, or what grows with the ledger, is seen here.
  within   each process that was sampled often enough: the median of its last third against that of
           its first, the same bound. A leak is seen here.
  ledger   bytes by which the data file grows for each item that is added: what the last third of the
           rounds adds against the first, with 25 %. The first eighth is not looked at: the file has a
           size without items, and most of its items are still to be sent.
"""

import os
import statistics
import threading
from typing import NamedTuple

SAMPLES_OF_A_LIFE_MIN = 24
LIVES_MIN = 9
LEDGER_SAMPLES_MIN = 40
ITEMS_OF_A_THIRD_MIN = 1000  # fewer go into the blocks that the file has from its beginning
SHARE_MORE = 0.25
MORE = {"memory_kib": 3072, "descriptors": 32, "ledger_bytes_an_item": 0}
SAMPLES_MAX = 200_000


class Life(NamedTuple):
    """The samples of one process, in the order of time."""

    name: str
    memory_kib: list
    descriptors: list


def is_more(first, last, what):
    return last > first * (1 + SHARE_MORE) + MORE[what]


def thirds(values):
    """The medians of the first and of the last third."""
    count = len(values) // 3
    return statistics.median(values[:count]), statistics.median(values[-count:])


class Flatness(NamedTuple):
    grown: list  # texts of what is not flat
    told: list  # texts of what was compared
    untold: list  # names of what had too few samples


def growth_of_thirds(ledger):
    """Bytes for each item that the first and the last third have added; None when one added few."""
    count = len(ledger) // 3
    growths = []
    for rounds in (ledger[:count + 1], ledger[-count - 1:]):
        items = rounds[-1][1] - rounds[0][1]
        if items < ITEMS_OF_A_THIRD_MIN:
            return None
        growths.append((rounds[-1][0] - rounds[0][0]) / items)
    return growths


def judge_series(what, where, values, least, result, compare=thirds):
    compared = None if len(values) < least else compare(values)
    if compared is None:
        result.untold.append(f"{what} {where}")
        return
    first, last = compared
    text = f"{what} {where}: {first:.0f} in the first third, {last:.0f} in the last, of {len(values)}"
    result.told.append(text)
    if is_more(first, last, what):
        result.grown.append(text)


def judge_flatness(lives, ledger):
    """`lives` in the order of their births; `ledger`: (bytes, items) in the order of time."""
    result = Flatness([], [], [])
    for what in ("memory_kib", "descriptors"):
        peaks = [max(getattr(life, what)) for life in lives if getattr(life, what)]
        judge_series(what, "across processes", peaks, LIVES_MIN, result)
        worst = None
        for life in lives:
            values = getattr(life, what)
            if len(values) < SAMPLES_OF_A_LIFE_MIN:
                continue
            first, last = thirds(values)
            text = f"{what} within {life.name}: {first:.0f} at first, {last:.0f} at last, of {len(values)}"
            worst = max(worst or (0, ""), (last - first, text))
            if is_more(first, last, what):
                result.grown.append(text)
        if worst is None:
            result.untold.append(f"{what} within processes")
        else:
            result.told.append("most growth: " + worst[1])
    judge_series("ledger_bytes_an_item", "over the rounds", ledger[len(ledger) // 8:], LEDGER_SAMPLES_MIN,
                 result, growth_of_thirds)
    return result


def anonymous_kib(process):
    """RssAnon; None = there is no such process any more."""
    try:
        with open(f"/proc/{process}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return None


def descriptors(process):
    """What the open ones are of; empty = there is no such process any more."""
    folder = f"/proc/{process}/fd"
    kinds = []
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    for name in names:
        try:
            kinds.append(os.readlink(os.path.join(folder, name)))
        except OSError:  # closed meanwhile
            pass
    return kinds


class Sampler(threading.Thread):
    """Looks at the process that is said to it, ten times a second."""

    def __init__(self, seconds=0.1):
        super().__init__(daemon=True)
        self.seconds = seconds
        self.lives = []
        self.process = None
        self.count = 0
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.start()

    def begin(self, process, name):
        with self.lock:
            self.process = process
            self.lives.append(Life(name, [], []))

    def end(self):
        """Before the process is waited for: afterwards its number may be another's."""
        with self.lock:
            self.process = None

    def run(self):
        while not self.ending.wait(self.seconds):
            with self.lock:
                if self.process is not None and self.count < SAMPLES_MAX:
                    self.sample()

    def sample(self):
        kinds = descriptors(self.process)
        memory = anonymous_kib(self.process)
        # A process that has ended, and was not yet waited for, has no memory.
        if memory and any(kind.startswith("socket:") for kind in kinds):
            self.count += 1
            self.lives[-1].memory_kib.append(memory)
            self.lives[-1].descriptors.append(len(kinds))

    def stop(self):
        self.ending.set()
        self.join()
