#!/usr/bin/env python3
"""Many items against `rutter-sim --profile hostile`, judged from the wire ledger alone.

usage: profile.py --purser PROGRAM --sim PROGRAM [--items N] [--seed N] [--plant LIE] [--keep FOLDER]

A quarter of the sends and a tenth of the polls meet a fault that passes; beside that every tenth
item asks for an end that does not: a refusal, a failed job, a job that failed and acted, half a
success. Three in four are invoices (asynchronous, with a key), the others updates of products, which
document no key and are sent once. purser runs until nothing is left to do; then

- no item has two effects,
- every `succeeded` has one, every `failed` none,
- every `in_doubt` met a fault that justifies it,
- nothing else is left over.

--plant lost-effect | two-effects | no-reason: the ledger is changed before it is judged, which must
not go unnoticed.
"""

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402
from workload import environment_of  # noqa: E402

RUNS_MAX = 10
RUN_SECONDS_MAX = 1800
FINISHED = (0, 3, 7)
NOT_FINISHED = 75
SPEC = """\
purser: 1
name: profile
api:
  environment: {base}
  version: "2024-08-31"
  limits: {{ rate: unlimited, in_flight: 128 }}
  timeouts: {{ connect: 2s, exchange: 5s }}
connections:
  books:
    access_token: {{ env: TEST_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 64 }}
  shop:
    access_token: {{ env: OTHER_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 64 }}
defaults:
  retry: {{ first_delay: 50ms, max_delay: 1s }}
jobs:
  invoices:
    connection: books
    source: {{ csv: invoices.csv, key: "${{row.name}}" }}
    request: POST /accounting/invoices
    body:
      invoice:
        document_number: ${{row.name}}
        customer_id: c-1
        issue_date: "2026-01-01"
        due_date: "2026-02-01"
        currency_code: EUR
        memo: ${{row.memo}}
        line_items:
          - {{ description: work, total_amount: 12.34 }}
  products:
    connection: shop
    source: {{ csv: products.csv, key: "${{row.name}}" }}
    request: PATCH /products/${{row.name}}
    body:
      product:
        description: ${{row.memo}}
"""
ENDS = ("job-450", "450", "job-400", "job-550", "job-550-acted", "partial", "job-500", "410",
        "no-http-status", "inconsistent", "job-410", "wrong-key")


class Wrong(Exception):
    """What makes the test fail."""


def write_rows(folder, count):
    """The names of the items, by job."""
    names = {"invoices": [], "products": []}
    files = {job: open(os.path.join(folder, job + ".csv"), "w", encoding="utf-8") for job in names}
    for file in files.values():
        file.write("name,memo\n")
    for number in range(count):
        job = "products" if number % 4 == 3 else "invoices"
        end = ENDS[number // 10 % len(ENDS)] if number % 10 == 0 else ""
        name = f"N-{number}"
        names[job].append(name)
        files[job].write(f"{name},{'sim:' + end if end else 'plain'}\n")
    for file in files.values():
        file.close()
    return names


def purser(options, folder, environment, *words):
    try:
        return subprocess.run([options.purser, *words], cwd=folder, env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=RUN_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise Wrong(f"purser {words[0]} hangs") from None


def run_to_the_end(options, folder, environment):
    for runs in range(1, RUNS_MAX + 1):
        done = purser(options, folder, environment, "run", "spec.yaml", "--quiet")
        if done.returncode in FINISHED:
            return runs
        if done.returncode != NOT_FINISHED:
            raise Wrong(f"run {runs} ended with {done.returncode}:\n{done.stderr}")
    raise Wrong(f"not finished after {RUNS_MAX} runs:\n{done.stderr}")


def lie(kind, lines):
    effects = [line for line in lines if "effect" in line and "seq" not in line]
    if kind == "lost-effect":
        lines.remove(effects[0])
    elif kind == "two-effects":
        lines.append(effects[0])
    elif kind == "no-reason":
        for line in lines:
            if "seq" in line:
                line["fault"] = line["job_fault"] = None


def play(options, folder):
    names = write_rows(folder, options.items)
    sim_options = ["--profile", "hostile", "--seed", str(options.seed), "--rate-limit", "unlimited",
                   "--job-time", "20-200"]
    with Simulator(options.sim, sim_options) as simulator:
        environment = environment_of(folder)
        environment["OTHER_ACCESS_TOKEN"] = "7a0b1c52-7d1e-4a57-9b0e-5a3f7c2d9e11"
        with open(os.path.join(folder, "spec.yaml"), "w", encoding="utf-8") as file:
            file.write(SPEC.format(base=simulator.base))
        begin = time.monotonic()
        runs = run_to_the_end(options, folder, environment)
        seconds = time.monotonic() - begin
        listed = purser(options, folder, environment, "items", "spec.yaml", "--output", "ndjson")
        items = judge.items_from(listed.stdout)
        lines = simulator.ledger()
    if options.keep:
        with open(os.path.join(folder, "ledger.ndjson"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
    lie(options.plant, lines)
    verdicts = judge.judge(lines, items, names["invoices"] + names["products"])
    states = collections.Counter((item["job"], item["state"]) for item in items)
    requests = [line for line in lines if "seq" in line]
    print(f"profile: {options.items} items, seed {options.seed}, {runs} runs, {seconds:.1f} s; "
          + ", ".join(f"{job} {state} {count}" for (job, state), count in sorted(states.items()))
          + f"; {len(requests)} requests, {sum(line['fault'] is not None for line in requests)} "
          f"faults, {len(lines) - len(requests)} effects")
    if verdicts:
        raise Wrong(judge.shown(verdicts))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--items", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=["lost-effect", "two-effects", "no-reason"])
    parser.add_argument("--keep", help="leave the ledger and the state in this folder")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp(prefix="purser-profile-")
    os.makedirs(folder, exist_ok=True)
    try:
        play(options, folder)
    except Wrong as wrong:
        print(f"profile: WRONG (seed {options.seed}): {wrong}")
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
