#!/usr/bin/env python3
"""What `purser doctor` says of what a case of the command line cannot set up.

usage: test_doctor.py --purser PROGRAM --sim PROGRAM [TEST...]

Ledgers with bytes that were changed anywhere: doctor ends with a status, never by a signal, and
always looks at the rest. A server whose clock is wrong, and a port where nobody listens.
"""

import argparse
import email.utils
import http.server
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from simulator import Simulator  # noqa: E402  (found through the path above)
from workload import Workload  # noqa: E402

SECONDS_MAX = 60
ITEMS = 300
CHANGES = 120
PAGE = 4096
SEED = 1
LEVELS = {"ok", "warning", "problem", "skipped"}
programs = {}


class Clock(http.server.BaseHTTPRequestHandler):
    """A usable connection, told at a time that is `ahead` seconds from this host's."""

    ahead = 0

    def do_GET(self):
        body = json.dumps({"connection": {"platform": "SHOPIFY"}, "status": {}}).encode()
        self.send_response_only(200)
        if self.ahead is not None:
            self.send_header("Date", email.utils.formatdate(time.time() + self.ahead, usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Doctor(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="purser-doctor-")
        self.addCleanup(shutil.rmtree, self.folder)

    def make(self, base, items=1):
        self.workload = Workload(self.folder, programs["purser"], base, items, name="doctor")

    def doctor(self, *words):
        """Its exit status, and the findings by area."""
        done = subprocess.run([programs["purser"], "doctor", "spec.yaml", "--output", "json",
                               *words],
                              cwd=self.folder, env=self.workload.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=SECONDS_MAX)
        self.assertGreaterEqual(done.returncode, 0, f"ended by a signal: {done.stderr}")
        said = json.loads(done.stdout)
        self.assertEqual(said["exit_code"], done.returncode)
        self.assertEqual(done.returncode == 0, said["problems"] == 0)
        for check in said["checks"]:
            self.assertIn(check["level"], LEVELS)
        return done.returncode, {check["area"]: check for check in said["checks"]}

    def test_whatever_bytes_a_ledger_has_it_ends_with_a_status(self):
        with Simulator(programs["sim"], ["--seed", "1"]) as simulator:
            self.make(simulator.base, ITEMS)
            self.assertEqual(self.workload.start().wait(SECONDS_MAX), 0)
        path = os.path.join(self.folder, "state", "purser", "doctor", "data.mdb")
        with open(path, "rb") as file:
            whole = file.read()
        chance, ends, died = random.Random(SEED), {}, 0
        for number in range(CHANGES):
            with open(path, "wb") as file:
                file.write(change(chance, whole, number))
            with self.subTest(change=number):
                status, found = self.doctor("--offline")
                self.assertIn(status, {0, 1, 2})
                self.assertEqual(found["ledger"]["level"] == "ok", status == 0)
                self.assertIn("credentials", found)
                ends[status] = ends.get(status, 0) + 1
                died += "the process that read it ended" in found["ledger"]["message"]
                if status != 0:
                    self.assertTrue(found["ledger"]["next"])
        print(f"doctor: {CHANGES} changed ledgers, exit statuses {dict(sorted(ends.items()))}, "
              f"{died} of them by a process that died")
        self.assertEqual(died, 0, "the pages are looked over before they are used")
        with open(path, "wb") as file:
            file.write(whole)
        self.assertEqual(self.doctor("--offline")[0], 0)

    def test_where_the_first_run_can_make_its_directory_is_no_problem(self):
        self.make("http://127.0.0.1:9/versioned")
        for place in ("new", "new/below", "/purser-is-not-here", "/purser-is-not-here/below"):
            with self.subTest(place=place):
                status, found = self.doctor("--offline", "--state", place)
                can_be_made = not place.startswith("/") or os.access("/", os.W_OK | os.X_OK)
                self.assertEqual(status, 0 if can_be_made else 2)
                self.assertIn("the first run makes it" if can_be_made
                              else "cannot make its directory in /: ", found["state"]["message"])

    def serve(self, ahead):
        handler = type("Handler", (Clock,), {"ahead": ahead})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.make(f"http://127.0.0.1:{server.server_port}/versioned")

    def test_a_clock_that_is_wrong_is_a_warning(self):
        for ahead, words in ((7200, "behind"), (-7200, "ahead of")):
            self.serve(ahead)
            _, found = self.doctor()
            self.assertEqual(found["clock"]["level"], "warning")
            self.assertRegex(found["clock"]["message"], f"(119|120) min {words} the API's")
            self.assertIn("timedatectl", found["clock"]["next"])

    def test_a_clock_that_is_right_is_not(self):
        self.serve(60)
        self.assertEqual(self.doctor()[1]["clock"]["level"], "ok")

    def test_a_server_without_a_time_is_a_warning(self):
        self.serve(None)
        self.assertEqual(self.doctor()[1]["clock"]["level"], "warning")

    def test_where_nobody_listens_the_api_cannot_be_asked(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.make(f"http://127.0.0.1:{free.getsockname()[1]}/versioned")
            status, found = self.doctor()
        self.assertEqual(status, 3)
        self.assertEqual(found["api"]["level"], "problem")
        self.assertEqual(found["connection"]["level"], "problem")
        self.assertNotIn("clock", found)

    def test_a_folder_that_others_can_read_is_a_problem_and_the_rest_is_looked_at(self):
        with Simulator(programs["sim"], ["--seed", "1"]) as simulator:
            self.make(simulator.base)
            self.assertEqual(self.workload.start().wait(SECONDS_MAX), 0)
            os.chmod(os.path.join(self.folder, "state", "purser", "doctor"), 0o755)
            status, found = self.doctor()
        self.assertEqual(status, 2)
        self.assertRegex(found["state"]["next"], "^chmod 700 ")
        self.assertEqual(found["ledger"]["level"], "skipped")
        self.assertEqual(found["connection"]["level"], "ok")


def change(chance, whole, number):
    """Bits in the head of a page, bits anywhere, a page of another place, a page of nothing."""
    changed = bytearray(whole)
    page = chance.randrange(len(whole) // PAGE) * PAGE
    if number % 4 == 0:
        for _ in range(3):
            changed[page + chance.randrange(64)] ^= 1 << chance.randrange(8)
    elif number % 4 == 1:
        for _ in range(20):
            changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    elif number % 4 == 2:
        other = chance.randrange(len(whole) // PAGE) * PAGE
        changed[page:page + PAGE] = whole[other:other + PAGE]
    else:
        for at in range(page + 2 * PAGE if page < 2 * PAGE else page, len(whole), 7 * PAGE):
            changed[at + 16:at + 64] = chance.randbytes(48)
    return bytes(changed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--purser", required=True)
    parser.add_argument("--sim", required=True)
    options, rest = parser.parse_known_args()
    programs.update(purser=os.path.abspath(options.purser), sim=os.path.abspath(options.sim))
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)


if __name__ == "__main__":
    main()
