#!/usr/bin/env python3
"""Proves that a system call that fails harms nothing and is told of.

usage: errors.py --purser PROGRAM --sim PROGRAM --shim LIBRARY [--seed N] [--command NAME]…
                 [--call NAME] [--error NAME] [--draw N] [--at-once N]
                 [--state FOLDER] [--shard K/N]

Each call of a command that reaches the kernel (tests/support/shim numbers them) fails with each of
EIO, ENOSPC, EINTR, EAGAIN, EMFILE, ENOMEM and EDQUOT, or transfers half of its bytes; once, and from
then on. Calls of files also fail with EROFS and EACCES, as a file system does that has become
read-only or another's, from then on. The laws:

- no signal and no hang;
- an exit status that is documented (`purser help exit-status`);
- when it ends otherwise than undisturbed, what it says names the cause;
- after it, what a user does next without disturbance ends as it does undisturbed, and the judge
  finds nothing lost, twice, wrong or in doubt without reason.

--draw N tries N of them for each command, with the seed; without it, all. --state FOLDER remembers
what was tried and goes on with the rest, --shard K/N shares the cases out (tests/support/tried.py).
"""

import argparse
import collections
import errno
import json
import os
import random
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from scenarios import COMMANDS, SCENARIOS  # noqa: E402
from stage import Wrong, read_calls  # noqa: E402
import tried  # noqa: E402
from stage_pool import StagePool, scratch_folder  # noqa: E402

ALL = [*SCENARIOS, *COMMANDS]
ERRORS = ["EIO", "ENOSPC", "EINTR", "EAGAIN", "EMFILE", "ENOMEM", "EDQUOT"]
# What a file system says from some moment on.
LASTING = ["EROFS", "EACCES"]
OF_FILES = {"open", "mkdir", "rename", "unlink", "fchmod", "chmod", "write", "pwrite", "writev",
            "ftruncate", "fdatasync", "fsync", "posix_fallocate"}
TRANSFERS = {"write", "pwrite", "writev", "send", "recv", "read", "pread"}
DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 75}
EXIT_IN_DOUBT = 7
SHOWN_MAX = 40


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--shim", required=True, type=os.path.abspath)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--command", action="append",
                        choices=sorted(command.name for command in ALL))
    parser.add_argument("--call", help="only calls of this name")
    parser.add_argument("--error", choices=[*ERRORS, *LASTING, "short"])
    parser.add_argument("--draw", type=int)
    parser.add_argument("--at-once", type=int, default=2)
    tried.add_options(parser)
    return parser.parse_args()


def faults_of(calls):
    """All faults of a command, as the shim takes them, with the name of the call and the error."""
    for number, name in enumerate(calls, 1):
        for error in ERRORS:
            for more in ("", "+"):
                yield f"fail:{getattr(errno, error)}:{number}{more}", name, error
        if name in OF_FILES:
            for error in LASTING:
                yield f"fail:{getattr(errno, error)}:{number}+", name, error
        if name in TRANSFERS:
            for more in ("", "+"):
                yield f"short:{number}{more}", name, "short"


def names_cause(talk, error):
    if error == "short":
        return bool(talk.strip())
    words = [os.strerror(getattr(errno, error)).lower(), *OTHER_WORDS.get(error, []),
             *OF_CONNECTIONS]
    return any(word in talk.lower() for word in words)


# What purser or a library says in the place of the kernel's own words.
OTHER_WORDS = {
    "ENOMEM": ["no memory", "out of memory"],
    "ENOSPC": ["disk full"],
    "EDQUOT": ["disk quota"],
}


# No more is said of what ends a connection, before it stands and after.
OF_CONNECTIONS = ["couldn't connect to server", "connection was closed before an answer came"]


def is_unnamed(call, error):
    """LMDB takes any failure of its lock for another process that has it; and so does flock say it."""
    return call == "fcntl-lock" or (call, error) == ("flock", "EAGAIN")


class Proof:
    def __init__(self, options, folder):
        self.options = options
        self.pool = StagePool(options, folder)
        self.chance = random.Random(options.seed)
        self.tried = tried.Tried("prove-errors", options,
                                 [options.purser, options.sim, options.shim], [HERE])
        self.all = 0

    def look_at(self, scenario):
        """The calls of the undisturbed command, its exit status, and how the items end."""
        with self.pool.stage() as stage:
            stage.begin(scenario)
            listed = stage.file("calls")
            status, _, talk = stage.purser(scenario.victim, LIST=listed, COUNT="all")
            if status not in DOCUMENTED:
                raise Wrong(f"undisturbed it ends with {status}:\n{talk}")
            calls = read_calls(listed)
            stage.finish(scenario)
            return calls, status, stage.judge(scenario, 0)

    def try_fault(self, stage, scenario, fault, usual, states):
        """True when the command ended otherwise than undisturbed."""
        text, call, error = fault
        stage.begin(scenario)
        status, out, talk = stage.purser(scenario.victim, **{"": text}, COUNT="all")
        if status not in DOCUMENTED:
            raise Wrong(f"it ends with {status}:\n{talk[-1500:]}")
        if status == EXIT_IN_DOUBT:
            out += self.explain(stage)
        if status != usual and not is_unnamed(call, error) and not names_cause(talk + out, error):
            raise Wrong(f"it ends with {status} and does not name the cause:\n{talk[-1500:]}")
        stage.finish(scenario)
        stage.judge_as(scenario, states, whole=False)
        return status != usual

    @staticmethod
    def explain(stage):
        """What each item in doubt says of itself."""
        items = [json.loads(line) for line in
                 stage.ask("items", "spec.yaml", "--output", "ndjson").splitlines()]
        return "".join(stage.ask("explain", "spec.yaml", f"{item['job']}/{item['key']}")
                       for item in items if item["state"] == "in_doubt")

    def prove(self, scenario):
        begin = time.monotonic()
        calls, usual, states = self.look_at(scenario)
        faults = [fault for fault in faults_of(calls)
                  if self.options.call in (None, fault[1]) and self.options.error in (None, fault[2])]
        self.all += len(faults)
        count = len(faults)
        if self.options.draw is not None and self.options.draw < len(faults):
            faults = self.chance.sample(faults, self.options.draw)

        def work(stage, fault):
            try:
                other = self.try_fault(stage, scenario, fault, usual, states)
                self.tried.note(scenario.name, " ".join(fault),
                                "ended otherwise" if other else "ended alike")
            except Wrong as wrong:
                self.tried.note(scenario.name, " ".join(fault), tried.WRONG, str(wrong))

        left = self.tried.left(scenario.name, faults, " ".join)
        self.pool.each(left, work)
        counts = self.tried.counts(scenario.name)
        seconds = time.monotonic() - begin
        print(f"{scenario.name}: {len(calls)} calls, {counts.total()} of {count} faults, "
              f"{counts['ended otherwise']} ended otherwise, {counts['wrong']} wrong, "
              f"{seconds:.1f} s, {len(left) / seconds:.1f} a second", flush=True)


def kind_of(wrong):
    """What many have in common."""
    name, fault, text = wrong
    return name, " ".join(fault.split()[1:2]), re.sub(r"\d+", "N", text.splitlines()[0])[:100]


def show(wrong):
    kinds = collections.defaultdict(list)
    for one in wrong:
        kinds[kind_of(one)].append(one)
    for (name, call, _), ones in sorted(kinds.items())[:SHOWN_MAX]:
        faults = ", ".join(fault for _, fault, _ in ones[:6])
        print(f"prove-errors: WRONG: {name}, {call}, {len(ones)} times: {faults}:\n{ones[0][2]}")


def main():
    options = read_options()
    chosen = [command for command in ALL
              if options.command is None or command.name in options.command]
    undisturbed = []
    with scratch_folder("prove-errors") as folder:
        proof = Proof(options, folder)
        try:
            for command in chosen:
                proof.prove(command)
        except Wrong as wrong:
            undisturbed.append((command.name, "", str(wrong)))
        finally:
            proof.pool.close()
            proof.tried.close()
    counts = proof.tried.counts()
    wrong = proof.tried.wrong() + undisturbed
    show(wrong)
    print(f"prove-errors: {len(chosen)} commands, {counts.total()} of {proof.all} faults, "
          f"{proof.tried}{counts['ended otherwise']} ended otherwise, seed {options.seed}; "
          f"{len(wrong)} wrong")
    return 1 if wrong or not counts.total() else 0


if __name__ == "__main__":
    sys.exit(main())
