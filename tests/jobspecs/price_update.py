#!/usr/bin/env python3
"""Prices that changed are sent, and no others: judged by what the simulator has heard.

usage: price_update.py PURSER RUTTER-SIM JOBSPECS
"""
import json
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from run import run  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402
from workload import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET  # noqa: E402

SPEC = "jobspecs/price-update.yaml"
ROWS = pathlib.Path("jobspecs/data/prices.csv")
CHANGED = (1, 2, 77, 250, 251, 499, 500)


SECRETS = {"RUTTER_CLIENT_ID": CLIENT_ID, "RUTTER_CLIENT_SECRET": CLIENT_SECRET,
           "RUTTER_ACCESS_TOKEN": ACCESS_TOKEN}


def heard(simulator):
    return [line for line in simulator.ledger() if line["method"] == "PATCH" and line.get("status")]


def main():
    purser, sim, samples = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        shutil.copytree(samples, "jobspecs")
        with Simulator(sim) as simulator:
            spec = pathlib.Path(SPEC)
            spec.write_text(spec.read_text(encoding="utf-8").replace(
                "environment: simulator", f'environment: "{simulator.base}"'), encoding="utf-8")
            status, _, talk = run(purser, ["run", SPEC, "--state", "state"], SECRETS)
            assert status == 0, talk
            assert len(heard(simulator)) == 500, len(heard(simulator))

            lines = ROWS.read_text(encoding="utf-8").splitlines()
            for number in CHANGED:
                product, variant, _ = lines[number].split(",")
                lines[number] = f"{product},{variant},0.0{number % 10}"
            ROWS.write_text("\n".join(lines) + "\n", encoding="utf-8")
            status, out, talk = run(purser, ["plan", SPEC, "--state", "state", "--output", "json",
                                             "-o", "prices.plan"], SECRETS)
            assert status == 0 and json.loads(out)["requests"]["sends"] == 7, out + talk
            status, _, talk = run(purser, ["run", SPEC, "--state", "state", "--plan",
                                           "prices.plan"], SECRETS)
            assert status == 0, talk
            again = [line["path"].rsplit("/", 1)[1] for line in heard(simulator)[500:]]
            assert sorted(again) == [f"var_{number:04d}" for number in CHANGED], again
    print("7 of 500 prices changed, and 7 were sent")


if __name__ == "__main__":
    main()
