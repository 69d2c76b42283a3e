#!/usr/bin/env python3
"""The runner of cases, tried on a stand-in for purser: it passes what is right and nothing else.

usage: test_run.py SIM
"""

import contextlib
import io
import os
import sys
import tempfile
import types
import unittest

import run

# Sends one write for `send`, prints what a run prints, ends with the status that it is asked for.
STAND_IN = r"""#!/usr/bin/env python3
import base64, datetime, json, os, sys, time, urllib.request
words = sys.argv[1:]
if words[0] == "send":
    name, base = words[1], words[2]
    key = "00000000-0000-4000-8000-" + name.encode().hex().rjust(12, "0")[:12]
    body = {"response_mode": "async", "product": {"name": name, "description": "d", "variants": []}}
    request = urllib.request.Request(
        base + "/products?access_token=" + os.environ["TEST_ACCESS_TOKEN"],
        data=json.dumps(body).encode(), headers={
            "Authorization": "Basic " + base64.b64encode(b"sim-client:sim-secret").decode(),
            "X-Rutter-Version": "2024-08-31", "Idempotency-Key": key,
            "Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request).read()
    except OSError as error:
        print("refused:", error, file=sys.stderr)
    print("sent at", datetime.datetime.now(datetime.timezone.utc).isoformat(), "to", base)
    print("ran for %d.%02d s in %s" % (time.time() % 9, os.getpid() % 99, os.getcwd()))
elif words[0] == "wait":
    print("pid %d" % os.getpid())
    time.sleep(60)
elif words[0] == "cat":
    sys.stdout.write(open(words[1]).read())
elif words[0] == "exit":
    print("talk", file=sys.stderr)
    sys.exit(int(words[1]))
"""


class Runner(unittest.TestCase):
    sim = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.program = os.path.join(folder.name, "stand-in")
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(STAND_IN)
        os.chmod(self.program, 0o755)
        run.CASES = os.path.join(folder.name, "cases")
        self.case = os.path.join(run.CASES, "case")
        os.makedirs(self.case)

    def write(self, name, text):
        path = os.path.join(self.case, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.case, "expected", name), encoding="utf-8") as file:
            return file.read()

    def run_case(self, update=False):
        options = types.SimpleNamespace(purser=self.program, sim=self.sim, update=update,
                                        verbose=False)
        self.output = io.StringIO()
        with contextlib.redirect_stdout(self.output):
            return run.run_case(options, "case")

    def test_what_was_written_by_update_passes_again(self):
        self.write("cmd", "{purser} send shirt {sim}\n{purser} send shoe {sim}\n{purser} exit 3\n")
        self.assertTrue(self.run_case(update=True), self.output.getvalue())
        self.assertTrue(self.run_case(), self.output.getvalue())
        self.assertEqual(self.read("exit"), "0\n0\n3\n")
        self.assertIn("sent at <time> to {sim}", self.read("stdout"))
        self.assertIn("ran for <duration> in {dir}", self.read("stdout"))
        self.assertIn("$ purser exit 3\ntalk", self.read("stderr"))
        self.assertIn("effect: POST /versioned/products shirt", self.read("requests"))

    def test_each_kind_of_difference_fails(self):
        self.write("cmd", "{purser} send shirt {sim}\n{purser} exit 3\n")
        self.run_case(update=True)
        for name in run.EXPECTED:
            with self.subTest(name=name):
                before = self.read(name)
                self.write("expected/" + name, before.replace("s", "z").replace("3", "4"))
                self.assertFalse(self.run_case())
                self.assertIn(f"expected {name}", self.output.getvalue())
                self.write("expected/" + name, before)

    def test_a_request_that_nobody_expected_fails(self):
        self.write("cmd", "{purser} send shirt {sim}\n")
        self.run_case(update=True)
        os.remove(os.path.join(self.case, "expected", "requests"))
        self.assertFalse(self.run_case())

    def test_the_script_of_the_simulator_is_used(self):
        self.write("cmd", "{purser} send shirt {sim}\n@fail '[\"429\"]'\n{purser} send shoe {sim}\n")
        self.write("server.json", '{"options": ["--job-time", "5"], "next": ["450"]}')
        self.run_case(update=True)
        self.assertIn("-> 450 (450)", self.read("requests"))
        self.assertIn("-> 429 (429)", self.read("requests"))
        self.assertNotIn("effect", self.read("requests"))

    def test_specs_are_filled_in_and_other_files_are_copied_as_they_are(self):
        self.write("spec.yaml", "{sim}\n")
        self.write("data/rows.csv", "{sim}\n")
        self.write("cmd", "{purser} cat spec.yaml\n{purser} cat data/rows.csv\n"
                          "@copy data/rows.csv spec.yaml\n{purser} cat spec.yaml\n")
        self.run_case(update=True)
        # The first is the address, which is written as its placeholder again.
        self.assertEqual(self.read("stdout").count("{sim}\n"), 3)
        self.assertNotIn("http", self.read("stdout"))

    def test_a_background_command_that_sends_nothing_fails(self):
        self.write("cmd", "@background {purser} exit 0\n@writes 1\n")
        self.assertFalse(self.run_case())
        self.assertIn("ended with 0", self.output.getvalue())

    def test_every_step_that_a_case_may_name_exists_and_is_explained(self):
        steps = [name for name in dir(run.Case) if name.startswith("step_")]
        self.assertTrue(steps)
        for name in steps:
            self.assertTrue(getattr(run.Case, name).__doc__.startswith("@" + name[5:] + " "), name)


if __name__ == "__main__":
    Runner.sim = os.path.abspath(sys.argv.pop(1))
    unittest.main()
