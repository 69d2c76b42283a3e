#!/usr/bin/env python3
"""What `plan` says of waiting is what a run then makes of it.

usage: plan.py --purser PROGRAM --sim PROGRAM [--seed N] [--rounds N]

Random rows that need others and go in order are added, changed and made to fail; some rounds stop
half way. Before each run the rows that the plan calls blocked are held against those that are
blocked in the ledger when a run has taken the rows in and sent nothing.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from simulator import Simulator  # noqa: E402  (found through the path above)

SECONDS_MAX = 60
SPEC = """purser: 1
name: waits
api: {{ environment: {base}, version: "2024-08-31", limits: {{ rate: unlimited }} }}
connections:
  a: {{ platform: SHOPIFY, access_token: {{ env: TOKEN_A }}, limits: {{ rate: unlimited }} }}
  b: {{ platform: SHOPIFY, access_token: {{ env: TOKEN_B }}, limits: {{ rate: unlimited }} }}
defaults: {{ connection: "${{row.on}}", when_changed: resend }}
jobs:
  parents:
    source: {{ csv: parents.csv, key: "${{row.id}}" }}
    request: PATCH /products/${{row.id}}
    retry: natural
    body: {{ product: {{ name: "${{row.name}}" }} }}
  children:
    needs: {{ parent: {{ job: parents, key: "${{row.parent}}" }} }}
    order_by: ${{row.group}}
    source: {{ csv: children.csv, key: "${{row.id}}" }}
    request: PATCH /products/${{row.id}}
    retry: natural
    body: {{ product: {{ name: "${{row.name}}" }} }}
  ordered:
    order_by: ${{row.group}}
    source: {{ csv: ordered.csv, key: "${{row.id}}" }}
    request: PATCH /products/${{row.id}}
    retry: natural
    body: {{ product: {{ name: "${{row.name}}" }} }}
  last:
    needs: [ordered]
    source: {{ csv: last.csv, key: "${{row.id}}" }}
    request: PATCH /products/${{row.id}}
    retry: natural
    body: {{ product: {{ name: "${{row.name}}" }} }}
"""
JOBS = ("parents", "children", "ordered", "last")
options = argparse.Namespace()


class Rows:
    """The rows of all jobs, changed at random."""

    def __init__(self, draw):
        self.draw = draw
        self.jobs = {job: {} for job in JOBS}

    def name(self):
        return "sim:400" if self.draw.random() < 0.1 else f"name {self.draw.randrange(1000)}"

    def add(self, job):
        number = len(self.jobs[job])
        parents = self.jobs["parents"]
        if job == "children" and not parents:
            return
        row = {"id": f"{job}{number}", "on": self.draw.choice("ab"), "name": self.name(),
               "group": f"g{self.draw.randrange(4)}", "parent": ""}
        if job == "children":
            parent = self.draw.choice(list(parents.values()))
            row.update(parent=parent["id"], on=parent["on"])
        self.jobs[job][row["id"]] = row

    def change(self):
        for job in JOBS:
            for _ in range(self.draw.randrange(4)):
                self.add(job)
            for row in self.jobs[job].values():
                if self.draw.random() < 0.15:
                    row["name"] = self.name()

    def write(self, folder):
        for job, rows in self.jobs.items():
            lines = ["id,on,name,group,parent"]
            lines += [",".join(row.values()) for row in self.draw.sample(list(rows.values()),
                                                                         len(rows))]
            Path(folder, f"{job}.csv").write_text("\n".join(lines) + "\n")


class PlanTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="purser-plan-")
        self.addCleanup(self.folder.cleanup)
        self.simulator = Simulator(options.sim)
        self.addCleanup(self.simulator.stop)
        Path(self.folder.name, "spec.yaml").write_text(SPEC.format(base=self.simulator.base))

    def purser(self, *arguments, wanted=(0,)):
        environment = dict(os.environ, RUTTER_CLIENT_ID="sim-client",
                           RUTTER_CLIENT_SECRET="sim-secret",
                           TOKEN_A="00000000-0000-4000-8000-00000000000a",
                           TOKEN_B="00000000-0000-4000-8000-00000000000b")
        done = subprocess.run([options.purser, *arguments, "--state", "state"],
                              cwd=self.folder.name, env=environment, capture_output=True, text=True,
                              timeout=SECONDS_MAX, check=False)
        self.assertIn(done.returncode, wanted, f"{arguments}: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def blocked_in_plan(self):
        rows = self.purser("plan", "spec.yaml", "--output", "ndjson")
        totals = self.purser("plan", "spec.yaml", "--output", "json")[0]
        blocked = {(row["job"], row["connection"], row["key"]) for row in rows if row["blocked"]}
        for job in totals["jobs"]:
            self.assertEqual(job["blocked"], sum(name == job["job"] for name, _, _ in blocked))
        return blocked

    def blocked_in_ledger(self):
        items = self.purser("items", "spec.yaml", "--where", "state=blocked", "--output", "ndjson")
        return {(item["job"], item["connection"], item["key"]) for item in items}

    def test_what_the_plan_calls_blocked_is_blocked_when_the_run_begins(self):
        draw = random.Random(options.seed)
        rows = Rows(draw)
        seen = 0
        for round_number in range(options.rounds):
            with self.subTest(seed=options.seed, round=round_number):
                rows.change()
                rows.write(self.folder.name)
                planned = self.blocked_in_plan()
                self.purser("run", "spec.yaml", "--limit", "0", "--quiet", wanted=(0, 3, 4, 75))
                self.assertEqual(planned, self.blocked_in_ledger())
                seen += len(planned)
                limit = draw.choice((["--limit", str(draw.randrange(20))], []))
                self.purser("run", "spec.yaml", "--quiet", *limit, wanted=(0, 3, 4, 75))
        self.assertGreater(seen, options.rounds)
        print(f"seed {options.seed}: {options.rounds} rounds, {seen} rows called blocked, rightly")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--purser", required=True)
    parser.add_argument("--sim", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=25)
    parser.parse_args(namespace=options)
    options.purser = Path(options.purser).resolve()
    unittest.main(argv=[sys.argv[0]])


if __name__ == "__main__":
    main()
