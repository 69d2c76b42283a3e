#!/usr/bin/env python3
"""Kills purser in the middle of a canary: the next run takes that to its end before it goes on.

usage: canary.py --purser PROGRAM --sim PROGRAM

What was left on its way counts among the first N items of the next run, and no other write leaves
before all of these have succeeded. The wire ledger of the simulator tells in what order.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402
from workload import Workload  # noqa: E402

ITEMS, CANARY = 12, 3
SECONDS_MAX = 60
LONG_MS = 1000  # a remote job that is still pending when purser dies
options = argparse.Namespace()


class World:
    def __init__(self, job_time="0"):
        self.folder = tempfile.TemporaryDirectory(prefix="purser-canary-")
        self.simulator = Simulator(options.sim, ["--rate-limit", "unlimited", "--job-time", job_time])
        self.workload = Workload(self.folder.name, options.purser, self.simulator.base, ITEMS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.simulator.stop()
        self.folder.cleanup()

    def replace_name(self, number, name):
        path = os.path.join(self.folder.name, "items.csv")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(f"SKU-{number},product {number},", f"SKU-{number},{name},"))

    def kill_when(self, is_time):
        """Runs a canary until the lines of the wire say that it is time; gives those of then."""
        process = self.workload.start("--canary", str(CANARY))
        deadline = time.monotonic() + SECONDS_MAX
        while not is_time(self.simulator.ledger()):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError("not killed in time:\n" + self.workload.text("stderr"))
        process.kill()
        if process.wait() != -signal.SIGKILL:
            raise AssertionError("it ended by itself")
        return self.simulator.ledger()

    def run(self, *words):
        return self.workload.start(*words).wait(timeout=SECONDS_MAX)

    def states(self):
        return {item["key"]: item["state"] for item in judge.items_from(
            self.workload.ask("items", "spec.yaml", "--output", "ndjson"))}

    def items_of(self, lines):
        """The key of the item that each line is of; None = of none."""
        items = judge.items_from(self.workload.ask("items", "spec.yaml", "--output", "ndjson"))
        by_key = {item["idempotency_key"]: item["key"] for item in items}
        by_job = {line["job_id"]: by_key.get(line["idempotency_key"]) for line in lines
                  if line.get("job_id") and line["idempotency_key"]}
        return [by_key.get(line["idempotency_key"]) or by_job.get(line["path"].rsplit("/", 1)[-1])
                for line in lines]


def sends(lines):
    return sum("seq" in line and line["method"] == "POST" for line in lines)


class Canary(unittest.TestCase):
    def assert_canary_first(self, world, before):
        """`before`: the lines when it was killed; `left` are the items that were on their way."""
        lines = world.simulator.ledger()
        owners = world.items_of(lines)
        asked = {owner for owner in owners[:len(before)] if owner}
        self.assertLessEqual(len(asked), CANARY)
        order = list(dict.fromkeys(owner for owner in owners[len(before):] if owner))
        left = [owner for owner in order if owner in asked]
        new = [owner for owner in order if owner not in asked]
        others = new[CANARY - len(left):]
        first = next(place for place, owner in enumerate(owners) if owner in others)
        late = {owner for owner in owners[first:] if owner} - set(others)
        self.assertEqual(late, set(), f"of {left} and {new}, these came after the first other one")
        self.assertEqual(len(asked) + len(new), ITEMS)

    def assert_right(self, world):
        self.assertEqual([str(verdict) for verdict in world.workload.judge(
            world.simulator.ledger(), interruptions=1)], [])
        self.assertEqual(set(world.states().values()), {"succeeded"})

    def test_answer_that_never_came_is_asked_for_before_it_goes_on(self):
        with World() as world:
            world.simulator.fail([{"on": "send", "match": "SKU-1\"", "close": "hang", "act": True}])
            before = world.kill_when(lambda lines: sends(lines) == CANARY)
            self.assertEqual(world.run("--canary", str(CANARY)), 0)
            self.assert_canary_first(world, before)
            self.assert_right(world)

    def test_remote_jobs_are_polled_to_their_end_before_it_goes_on(self):
        with World(str(LONG_MS)) as world:
            before = world.kill_when(lambda lines: sends(lines) == CANARY and all(
                line["status"] for line in lines if "seq" in line))
            self.assertNotIn("succeeded", world.states().values())
            self.assertEqual(world.run("--canary", str(CANARY)), 0)
            self.assert_canary_first(world, before)
            self.assert_right(world)

    def test_canary_that_turns_out_failed_lets_no_other_go(self):
        with World(str(LONG_MS)) as world:
            world.replace_name(1, "sim:job-450")
            world.kill_when(lambda lines: sends(lines) == CANARY)
            self.assertEqual(world.run("--canary", str(CANARY)), 5)
            self.assertEqual(len({line["idempotency_key"] for line in world.simulator.ledger()
                                  if "seq" in line and line["method"] == "POST"}), CANARY)
            states = world.states()
            self.assertEqual(states["SKU-1"], "failed")
            self.assertEqual(list(states.values()).count("ready"), ITEMS - CANARY)

    def test_run_without_a_canary_goes_on_with_all(self):
        with World() as world:
            world.simulator.fail([{"on": "send", "match": "SKU-1\"", "close": "hang", "act": True}])
            world.kill_when(lambda lines: sends(lines) == CANARY)
            self.assertEqual(world.run(), 0)
            self.assert_right(world)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    options, rest = parser.parse_known_args(namespace=options)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
