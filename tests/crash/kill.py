#!/usr/bin/env python3
"""Kills purser again and again, lets it finish, and asks the wire ledger what really happened.

usage: kill.py --purser PROGRAM --sim PROGRAM [--items N] [--kills N] [--seed N]
               [--profile NAME] [--job-time MS[-MS]] [--plant LIE] [--keep FOLDER]

The moments are random, and follow from the seed as far as a scheduler lets them; prove-crash
(tests/prove/crash) dies at every call instead. Afterwards purser runs until it is done; then the
judge (tests/support/judge.py) must find each item created exactly once under one key, and purser
saying so.

--plant new-keys | forget: does the harness notice? With new-keys the spec changes its name after
each kill, so that all keys change, and the judge must object; with forget the state directory is
removed after each kill, and the judge must be content, because keys are a function of the items.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402
from workload import Workload  # noqa: E402

EXIT_DONE = 0
EXIT_NOT_FINISHED = 75
FINISH_SECONDS_MAX = 90
FINISH_RUNS_MAX = 20


class Wrong(Exception):
    """What makes the test fail."""


def read_options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", default="realistic")
    parser.add_argument("--job-time", default="20-200")
    parser.add_argument("--plant", choices=["new-keys", "forget"])
    parser.add_argument("--keep", help="leave the ledger and the state in this folder")
    return parser.parse_args()


def simulator_of(options):
    # The documented rate would make 5,000 items take minutes; limits have tests of their own.
    return Simulator(options.sim, ["--profile", options.profile, "--seed", str(options.seed),
                                   "--latency", "0-4", "--job-time", options.job_time,
                                   "--rate-limit", "unlimited"])


def check_died_by_kill(workload, status, where):
    if status != -signal.SIGKILL:
        raise Wrong(f"{where}: purser ended with {status} by itself:\n" + workload.text("stderr"))


def finish(workload):
    """Runs until all is done: the number of runs it took."""
    deadline = time.monotonic() + FINISH_SECONDS_MAX
    for runs in range(1, FINISH_RUNS_MAX + 1):
        process = workload.start()
        try:
            status = process.wait(timeout=max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Wrong("purser did not finish in time:\n" + workload.text("stderr")) from None
        if status == EXIT_DONE:
            return runs
        if status != EXIT_NOT_FINISHED:
            raise Wrong(f"the finishing run ended with {status}:\n" + workload.text("stderr"))
    raise Wrong(f"not finished after {FINISH_RUNS_MAX} runs")


def check_done(workload, verdicts):
    """Nothing is wrong, and nothing ended otherwise: this server refuses nothing for good."""
    if verdicts:
        raise Wrong(judge.shown(verdicts))
    items = json.loads(workload.text("stdout"))["items"]
    if (items["total"], items["succeeded"]) != (len(workload.keys),) * 2:
        raise Wrong(f"purser reports {items}")


def done_count(simulator):
    return len({effect["name"] for effect in judge.effects_of(simulator.ledger())})


def lie(options, workload, simulator, number):
    if options.plant == "new-keys":
        workload.write_spec(f"crash-{number}", simulator.base)
    elif options.plant == "forget":
        shutil.rmtree(workload.environment["XDG_STATE_HOME"], ignore_errors=True)


def kill_at_random(options, workload, simulator, chance):
    """Kills `options.kills` runs, spread over the whole work; later ones may find it done."""
    total = len(workload.keys)
    a_second = 2000.0  # items; learned while going
    killed = ended = 0
    done = 0
    while killed < options.kills:
        # So that the kills that are left share the work that is left.
        share = (total - done) / (options.kills - killed + 1)
        delay = chance.uniform(0, 0.1 + 2 * share / a_second)
        begin = time.monotonic()
        process = workload.start()
        try:
            status = process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            check_died_by_kill(workload, process.wait(), f"kill {killed + 1}")
            killed += 1
            lie(options, workload, simulator, killed)
        else:
            # Only a run that finds (nearly) all done can be faster than the knife.
            if status != EXIT_DONE:
                raise Wrong(f"purser ended with {status}:\n" + workload.text("stderr"))
            ended += 1
            if ended > options.kills * 10:
                raise Wrong("purser is too fast to be killed; use more --items")
        now_done = done_count(simulator)
        if now_done > done:
            a_second = 0.5 * a_second + 0.5 * (now_done - done) / (time.monotonic() - begin)
        done = now_done
    return f"{killed} kills, {done} of {total} items done at the last"


def random_kills(options, folder):
    chance = random.Random(options.seed)
    with simulator_of(options) as simulator:
        workload = Workload(folder, options.purser, simulator.base, options.items)
        story = kill_at_random(options, workload, simulator, chance)
        runs = finish(workload)
        lines = simulator.ledger()
        if options.keep:
            with open(os.path.join(folder, "ledger.ndjson"), "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)
        verdicts = workload.judge(lines)
        print(f"crash: {story}, {runs} more runs, {len(judge.sends_of(lines))} writes, "
              f"{len(judge.effects_of(lines))} effects, seed {options.seed}")
        check_done(workload, verdicts)


def main():
    options = read_options()
    folder = options.keep or tempfile.mkdtemp(prefix="purser-crash-")
    os.makedirs(folder, exist_ok=True)
    try:
        random_kills(options, folder)
    except Wrong as wrong:
        print(f"crash: WRONG (seed {options.seed}): {wrong}")
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main())
