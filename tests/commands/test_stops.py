#!/usr/bin/env python3
"""purser is stopped or killed while the command of a source runs: what it says, and what is left.

The processes of the command hold FIFOs open. Lines in `alive` say where they are, and its end says
that none of them is left; the end of `asked` says that SIGTERM has reached the command.

usage: test_stops.py --purser PROGRAM --sim PROGRAM [TEST…]
"""
import argparse
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simulator import Simulator  # noqa: E402  (found through the path above)
from workload import environment_of  # noqa: E402

SECONDS_MAX = 30
SPEC = """purser: 1
name: stops
api: {{ environment: "{base}", limits: {{ rate: unlimited }} }}
connections:
  shop: {{ platform: SHOPIFY, access_token: {{ env: TEST_ACCESS_TOKEN }} }}
jobs:
  products:
    source:
      command: [sh, -c, {script}]
      format: csv
      key: ${{row.sku}}
    request: PATCH /products/${{row.sku}}
    body: {{ product: {{ name: "${{row.name}}" }} }}
"""
ROWS = "echo sku,name; echo A,Anna; "
WITH_CHILDREN = ("exec 3>alive; " + ROWS
                 + "(echo >&3; exec sleep 1000) & timeout 1000 sh -c 'echo >&3; sleep 1000' | cat")
# The first sleep is ended by SIGTERM, all else ignores it.
STUBBORN = ("exec 3>alive 4>asked; " + ROWS
            + "sleep 1000 & exec 4>&-; trap '' TERM; echo >&3; sleep 1000")
SAID = "purser: stopped while a command ran; nothing was sent\n"
programs = {}


class Stops(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="purser-stops-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.simulator = Simulator(programs["sim"], ["--seed", "1"])
        self.addCleanup(self.simulator.stop)
        self.environment = environment_of(self.folder)
        os.makedirs(self.environment["HOME"])
        self.fifos = {}

    def make_fifo(self, name):
        """A new one each time, for whoever has read the end of one reads it again."""
        path = os.path.join(self.folder, name)
        if os.path.exists(path):
            os.remove(path)
        os.mkfifo(path)
        self.fifos[name] = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, self.fifos[name])

    def start(self, script, *words, **more):
        if "alive" in script:
            self.make_fifo("alive")
            self.make_fifo("asked")
        with open(os.path.join(self.folder, "spec.yaml"), "w", encoding="utf-8") as file:
            file.write(SPEC.format(base=self.simulator.base,
                                   script=json.dumps(script).replace("$", "$$")))
        process = subprocess.Popen([programs["purser"], words[0], "spec.yaml", *words[1:]],
                                   cwd=self.folder, env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **more)
        self.addCleanup(self.make_sure_of_the_end, process)
        return process

    @staticmethod
    def make_sure_of_the_end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def next_byte(self, name):
        ready, _, _ = select.select([self.fifos[name]], [], [], SECONDS_MAX)
        self.assertTrue(ready, f"nothing comes from {name}")
        return os.read(self.fifos[name], 1)

    def wait_for_lines(self, count):
        for _ in range(count):
            self.assertEqual(self.next_byte("alive"), b"\n")

    def wait_for_end(self, name):
        while self.next_byte(name):
            pass

    def finish(self, process):
        self.said = process.communicate(timeout=SECONDS_MAX)
        return process.returncode

    def assert_nothing_is_left(self):
        self.wait_for_end("alive")
        self.assertEqual(self.simulator.ledger(), [])

    def test_a_signal_stops_every_command_and_all_that_it_has_started(self):
        for word in ("run", "plan", "check"):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                with self.subTest(word=word, signal=number.name):
                    process = self.start(WITH_CHILDREN, word)
                    self.wait_for_lines(2)
                    process.send_signal(number)
                    self.assertEqual(self.finish(process), 75)
                    self.assertEqual(self.said, ("", SAID))
                    self.assert_nothing_is_left()

    def stop_twice(self, first, second, *words):
        process = self.start(STUBBORN, *words)
        self.wait_for_lines(1)
        process.send_signal(first)
        self.wait_for_end("asked")
        process.send_signal(second)
        return self.finish(process)

    def test_a_second_signal_gives_the_exit_status(self):
        for first, second in ((signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM),
                              (signal.SIGINT, signal.SIGTERM)):
            with self.subTest(first=first.name, second=second.name):
                self.assertEqual(self.stop_twice(first, second, "run"), 128 + second)
                self.assertEqual(self.said, ("", SAID))
                self.assert_nothing_is_left()

    def test_a_second_signal_is_in_the_json_object(self):
        self.assertEqual(self.stop_twice(signal.SIGINT, signal.SIGINT, "run", "--output", "json"),
                         130)
        self.assertEqual(json.loads(self.said[0])["exit_code"], 130)
        self.assert_nothing_is_left()

    def test_a_second_signal_ends_what_has_no_ledger_like_any_program(self):
        self.assertEqual(self.stop_twice(signal.SIGINT, signal.SIGTERM, "check"), -signal.SIGTERM)
        self.assert_nothing_is_left()

    def test_a_command_that_does_not_listen_is_killed_all_the_same(self):
        process = self.start(STUBBORN, "run")
        self.wait_for_lines(1)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process), 75)
        self.assert_nothing_is_left()

    def test_a_killed_purser_leaves_nothing_and_no_lock(self):
        process = self.start(WITH_CHILDREN, "run")
        self.wait_for_lines(2)
        process.kill()
        self.assertEqual(self.finish(process), -signal.SIGKILL)
        # Its watcher may still be at work, and does not hold what was the run's.
        self.assertEqual(self.finish(self.start(ROWS, "run")), 0, self.said)
        self.wait_for_end("alive")
        self.assertEqual(sum("request" in line for line in self.simulator.ledger()), 1)

    def test_an_ignored_SIGCHLD_hides_no_failure(self):
        process = self.start(ROWS + "exit 3", "run", preexec_fn=lambda: signal.signal(
            signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(self.finish(process), 2)
        self.assertIn("ended with exit status 3", self.said[1])
        self.assertEqual(self.simulator.ledger(), [])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True)
    parser.add_argument("--sim", required=True)
    options, rest = parser.parse_known_args()
    programs.update(purser=os.path.abspath(options.purser), sim=os.path.abspath(options.sim))
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
