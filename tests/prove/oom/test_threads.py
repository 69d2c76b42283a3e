#!/usr/bin/env python3
"""No thread can be started but the one that commits: libcurl resolves names in one (fault M10).

usage: test_threads.py --purser PROGRAM --shim LIBRARY
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
import programs  # noqa: E402  (found through the path above)
from workload import Workload  # noqa: E402

EXIT_NOT_FINISHED = 75


class Threads(unittest.TestCase):
    def test_a_name_that_cannot_be_resolved_is_no_send(self):
        with tempfile.TemporaryDirectory() as folder:
            # Nobody has this name, and nobody is asked for it.
            workload = Workload(folder, programs.given.purser, "https://api.invalid/versioned", 2)
            report = os.path.join(folder, "report")
            process = workload.start("--wait", "2s", LD_PRELOAD=programs.given.shim,
                                     PURSER_MEMORY_THREADS="1", PURSER_MEMORY_REPORT=report)
            self.assertEqual(process.wait(timeout=60), EXIT_NOT_FINISHED, workload.text("stderr"))
            with open(report, encoding="utf-8") as file:
                failed = [line for line in file if line.startswith("failed ")]
            self.assertGreater(int(failed[0].split()[1]), 0, "no thread was refused")
            items = json.loads(workload.text("stdout"))["items"]
            self.assertEqual((items["total"], items["succeeded"], items["failed"], items["in_doubt"]),
                             (2, 0, 0, 0))
            listing = subprocess.run([programs.given.purser, "items", "spec.yaml", "--output", "ndjson"],
                                     cwd=folder, env=workload.environment, capture_output=True,
                                     check=True).stdout
            for line in listing.splitlines():
                self.assertEqual(json.loads(line)["attempts"], 0, line)


if __name__ == "__main__":
    programs.main(__doc__, "purser", "shim")
