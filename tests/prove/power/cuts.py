#!/usr/bin/env python3
"""Cuts a real file system off from its disk under a run, and looks at what is left.

usage: cuts.py --purser PROGRAM --sim PROGRAM [--fs ext4|xfs] [--rounds N] [--items N] [--seed N]
               [--lying LIBRARY]

Needs root, loop devices and mkfs. The ledger lies on a file system in an image. After a drawn number
of writes the file system is shut down without writing out its log (the ioctl GOINGDOWN), purser is killed,
and the image is mounted again, so that the kernel replays its journal. Then each write that the
simulator has received must have its durable intent in the ledger, and when purser has finished, the
judge (tests/support/judge.py) must find nothing lost or done twice.

A file that was written and not synced just before the cut shows that the cut takes something away: it
must be gone or without its bytes in most rounds, or the proof fails. --lying: with this library, with
which no sync does anything, writes without an intent must be found.
"""

import argparse
import fcntl
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import judge  # noqa: E402
from simulator import Simulator  # noqa: E402
from workload import Workload  # noqa: E402

GOINGDOWN = 0x8004587D  # _IOR('X', 125, __u32), of ext4 and of XFS; source: linux/fs/ext4, fs/xfs
NO_LOG_FLUSH = 2
BYTES = {"ext4": 64 << 20, "xfs": 400 << 20}
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}
FINISH_SECONDS_MAX = 90
FINISH_RUNS_MAX = 20
DONE, NOT_FINISHED = 0, 75
LYING_ROUNDS = 3
WITNESS = b"not synced" * 1000


class Wrong(Exception):
    """What the proof finds."""


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--fs", choices=sorted(MAKE), default="ext4")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lying", type=os.path.abspath)
    return parser.parse_args()


class Disk:
    """A file system in an image, mounted at `place`."""

    def __init__(self, kind, folder):
        self.image, self.place = os.path.join(folder, "image"), os.path.join(folder, "mount")
        os.makedirs(self.place)
        with open(self.image, "wb") as file:
            file.truncate(BYTES[kind])
        subprocess.run([*MAKE[kind], self.image], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.place], check=True)

    def unmount(self):
        subprocess.run(["umount", self.place], check=True)

    def cut(self):
        folder = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, GOINGDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)


def write_witness(disk):
    with open(os.path.join(disk.place, "witness"), "wb") as file:
        file.write(WITNESS)


def forget_witness(disk):
    """ext4 writes out at once what takes the place of an older file (auto_da_alloc)."""
    try:
        os.unlink(os.path.join(disk.place, "witness"))
    except FileNotFoundError:
        pass


def is_witness_lost(disk):
    try:
        with open(os.path.join(disk.place, "witness"), "rb") as file:
            return file.read() != WITNESS
    except FileNotFoundError:
        return True


def durable_keys(workload):
    """Of items that the ledger knows to have been sent or to be about to, and what items says."""
    done = subprocess.run([workload.program, "items", "spec.yaml", "--output", "ndjson"],
                          cwd=workload.folder, env=workload.environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    if done.returncode < 0:
        raise Wrong(f"items ended with {done.returncode}")
    items = [json.loads(line) for line in done.stdout.splitlines() if line]
    return {item["idempotency_key"] for item in items
            if item.get("state") not in (None, "ready", "blocked")}, done.stderr


def finish(workload):
    for _ in range(FINISH_RUNS_MAX):
        status = workload.start().wait(timeout=FINISH_SECONDS_MAX)
        if status == DONE:
            return
        if status != NOT_FINISHED:
            raise Wrong(f"the run afterwards ended with {status}:\n{workload.text('stderr')}")
    raise Wrong("the runs afterwards do not finish")


def await_sends(simulator, process, count):
    while process.poll() is None and len(judge.sends_of(simulator.ledger())) < count:
        pass


def one_round(workload, simulator, disk, chance, **environment):
    """How many writes had been received, and if the witness was lost."""
    simulator._ask("/_sim/reset", {})
    shutil.rmtree(workload.environment["XDG_STATE_HOME"], ignore_errors=True)
    os.makedirs(workload.environment["XDG_STATE_HOME"])
    forget_witness(disk)
    os.sync()
    process = workload.start(**environment)
    await_sends(simulator, process, chance.randrange(len(workload.keys)))
    write_witness(disk)
    disk.cut()
    process.kill()
    process.wait()
    disk.unmount()
    disk.mount()
    is_lost = is_witness_lost(disk)
    sent = {send["idempotency_key"] for send in judge.sends_of(simulator.ledger())}
    known, talk = durable_keys(workload)
    if sent - known:
        raise Wrong(f"{len(sent - known)} of {len(sent)} writes that left have no intent: {talk}")
    finish(workload)
    verdicts = workload.judge(simulator.ledger(), interruptions=1, at_risk=64)
    if verdicts:
        raise Wrong(judge.shown(verdicts))
    return len(sent), is_lost


def is_lie_found(options, workload, simulator, disk, chance):
    for _ in range(LYING_ROUNDS):
        try:
            one_round(workload, simulator, disk, chance, LD_PRELOAD=options.lying)
        except Wrong as found:
            if "have no intent" in str(found):
                return True
    return False


def main():
    options = read_options()
    chance = random.Random(options.seed)
    sent = early = witnesses = 0
    wrong = []
    with tempfile.TemporaryDirectory(prefix="prove-power-cuts-") as folder, \
            Simulator(options.sim, ["--rate-limit", "unlimited", "--latency", "0-4",
                                    "--job-time", "20-200"]) as simulator:
        disk = Disk(options.fs, folder)
        try:
            workload = Workload(folder, options.purser, simulator.base, options.items, name="cuts")
            workload.environment["XDG_STATE_HOME"] = os.path.join(disk.place, "state")
            if options.lying and not is_lie_found(options, workload, simulator, disk, chance):
                wrong.append("a disk that lies is not found out")
            for number in range(options.rounds):
                try:
                    count, is_lost = one_round(workload, simulator, disk, chance)
                    sent += count
                    early += count == 0
                    witnesses += is_lost
                except Wrong as found:
                    wrong.append(f"round {number + 1}: {found}")
        finally:
            disk.unmount()
    for text in wrong:
        print(f"prove-power cuts: WRONG: {text}")
    print(f"prove-power cuts: {options.fs}, {options.rounds} cuts, {early} of them before the first write, "
          f"{sent} writes received before a cut, {witnesses} unsynced files lost, seed {options.seed}; "
          f"{len(wrong)} wrong" + (", a disk that lies found out" if options.lying and not wrong else ""))
    return 1 if wrong or witnesses * 2 < options.rounds or not sent else 0


if __name__ == "__main__":
    sys.exit(main())
