#!/usr/bin/env python3
"""Ticks that race and ticks that are killed: a slot runs once, and under one name.

usage: test_ticks.py --purser PROGRAM --sim PROGRAM [TEST…]
"""
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from judge import effects_of  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402  (found through the path above)
from workload import environment_of  # noqa: E402

SECONDS_MAX = 30
ITEMS = 60
BEFORE, NOW, SLOT = "2024-01-01T00:30Z", "2024-01-01T01:05Z", "2024-01-01T01:00:00Z"
SPEC = """purser: 1
name: hourly
api:
  environment: {base}
  limits: {{ rate: unlimited }}
connections:
  shop:
    platform: SHOPIFY
    access_token: {{ env: TEST_ACCESS_TOKEN }}
    limits: {{ rate: {rate} }}
schedule:
  cron: "0 * * * *"
jobs:
  products:
    source: {{ csv: rows.csv, key: "${{row.sku}}" }}
    request: POST /products
    idempotent: true
    body:
      product:
        name: ${{run.slot}}
        description: made by a test
        status: active
        variants:
          - sku: ${{row.sku}}
            price: 1
            option_values:
              - {{ name: size, value: one }}
"""
programs = {}


class Ticks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="purser-ticks-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.simulator = Simulator(programs["sim"], ["--seed", "1"])
        self.addCleanup(self.simulator.stop)
        self.environment = environment_of(self.folder)
        os.makedirs(self.environment["HOME"])
        with open(os.path.join(self.folder, "rows.csv"), "w", encoding="utf-8") as file:
            file.write("sku\n" + "".join(f"A-{number}\n" for number in range(ITEMS)))

    def make(self, rate):
        with open(os.path.join(self.folder, "spec.yaml"), "w", encoding="utf-8") as file:
            file.write(SPEC.format(base=self.simulator.base, rate=rate))
        self.assertEqual(self.finish(self.tick(BEFORE)), 0)

    def start(self, *words):
        return subprocess.Popen([programs["purser"], *words], cwd=self.folder,
                                env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def tick(self, now=NOW):
        return self.start("schedule", "tick", "spec.yaml", "--now", now)

    def finish(self, process):
        self.output, _ = process.communicate(timeout=SECONDS_MAX)
        return process.returncode

    def json_of(self, *words):
        process = self.start(*words, "spec.yaml", "--output", "json")
        self.assertEqual(self.finish(process), 0, self.output)
        return json.loads(self.output)

    def effects(self):
        return effects_of(self.simulator.ledger())

    def wait_for_effects(self, count):
        end = time.monotonic() + SECONDS_MAX
        while len(self.effects()) < count:
            self.assertLess(time.monotonic(), end, "no effects in time")

    def child_of(self, process):
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            return int(file.read().split()[0])

    def assert_done_once(self, run):
        slots = self.json_of("schedule", "log")["slots"]
        self.assertEqual([(slot["slot"], slot["fate"], slot["run"], slot["exit_code"])
                          for slot in slots], [(SLOT, "ran", run, 0)])
        status = self.json_of("status")
        self.assertEqual(status["last_run"]["run"], run)
        self.assertEqual(status["jobs"][0]["succeeded"], ITEMS)
        self.assertEqual(len(self.effects()), ITEMS)

    def assert_one_name(self):
        names = {line["name"] for line in self.effects()}
        self.assertEqual(names, {SLOT})

    def test_ticks_at_once_run_a_slot_once(self):
        self.make("unlimited")
        ticks = [self.tick() for _ in range(6)]
        statuses = [self.finish(process) for process in ticks]
        self.assertEqual(statuses, [0] * 6)
        self.assertEqual(self.finish(self.tick()), 0)
        self.assertIn("nothing is due", self.output)
        self.assert_done_once(1)

    def test_run_of_a_tick_waits_while_another_tick_looks(self):
        self.make("unlimited")
        with open(os.path.join(self.folder, "state", "purser", "hourly", "purser.lock"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = self.start("run", "--slot", SLOT, "--scheduled", "spec.yaml")
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
        self.assertEqual(self.finish(process), 0)
        self.assertIn("nothing is done", self.output)  # no tick has claimed that slot

    def test_run_of_a_slot_that_is_over_does_nothing(self):
        """What a tick starts that looked before the run of another one ended: no race can be told
        to go that way, so its command is given by hand."""
        self.make("unlimited")
        self.assertEqual(self.finish(self.tick()), 0, self.output)
        with open(os.path.join(self.folder, "rows.csv"), "a", encoding="utf-8") as file:
            file.write("LATE\n")
        for slot in (SLOT, "2024-01-01T02:00:00Z"):
            run = self.start("run", "--slot", slot, "--scheduled", "--", "spec.yaml")
            self.assertEqual(self.finish(run), 0, self.output)
            self.assertIn("has come to an end already; nothing is done", self.output)
        self.assert_done_once(1)
        # By hand, without --scheduled, a slot runs as often as a person says so.
        self.assertEqual(self.finish(self.start("run", "--slot", SLOT, "spec.yaml")), 0)
        self.assertIn("1 added", self.output)

    def test_killed_run_is_gone_on_with_under_its_slot(self):
        self.make("20/s")
        process = self.tick()
        self.wait_for_effects(3)
        os.kill(self.child_of(process), signal.SIGKILL)
        self.assertEqual(self.finish(process), 128 + signal.SIGKILL)
        # Two hours later: that slot comes first, the newer ones after it.
        self.assertEqual(self.finish(self.tick()), 0, self.output)
        self.assertIn(f"slot {SLOT} is gone on with", self.output)
        self.assertIn(f"{ITEMS} unchanged", self.output)
        self.assert_one_name()
        self.assert_done_once(2)

    def test_killed_tick_leaves_its_run_alone(self):
        self.make("20/s")
        process = self.tick()
        self.wait_for_effects(3)
        process.kill()
        process.communicate(timeout=SECONDS_MAX)
        end = time.monotonic() + SECONDS_MAX
        while self.json_of("status")["last_run"]["ended_ms"] == 0:
            self.assertLess(time.monotonic(), end, "the run did not end")
        self.assert_one_name()
        self.assert_done_once(1)

    def test_stopped_tick_stops_its_run_and_the_next_goes_on(self):
        self.make("20/s")
        process = self.tick()
        self.wait_for_effects(3)
        process.terminate()
        self.assertEqual(self.finish(process), 75, self.output)
        self.assertEqual(self.json_of("schedule", "log")["slots"][0]["fate"], "claimed")
        self.assertEqual(self.finish(self.tick()), 0)
        self.assertIn("is gone on with", self.output)
        self.assert_one_name()
        self.assert_done_once(2)


def main():
    words = sys.argv[1:]
    for name in ("purser", "sim"):
        at = words.index(f"--{name}")
        programs[name] = os.path.abspath(words[at + 1])
        del words[at:at + 2]
    unittest.main(argv=[sys.argv[0], *words])


if __name__ == "__main__":
    main()
