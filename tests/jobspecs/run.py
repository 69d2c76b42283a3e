#!/usr/bin/env python3
"""Runs one sample spec as a newcomer would, twice, and writes its results.

usage: run.py PURSER SPEC EXIT_STATUS

The first run must end with EXIT_STATUS and leave nothing open or in doubt; the second must send
nothing; the results must hold every row once.
"""
import json
import os
import subprocess
import sys
import tempfile


def run(purser, words, secrets=None):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("RUTTER_", "PURSER_"))}
    environment.update(secrets or {})
    done = subprocess.run([purser, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def main():
    purser, spec, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        state = ["--state", os.path.join(folder, "state")]
        with open(spec, encoding="utf-8") as file:
            if "${vars.tokens}" in file.read():
                state += ["--var", "tokens=" + os.path.join(folder, "tokens")]
        for number, title in ((1, "first run"), (2, "second run")):
            status, out, talk = run(purser, ["run", spec, *state, "--output", "json"])
            if status != wanted:
                sys.exit(f"{title}: ended with {status}, not {wanted}:\n{talk}")
            report = json.loads(out)
            items, this_run = report["items"], report["this_run"]
            ended = items["succeeded"] + items["failed"] + items["skipped"]
            if items["total"] == 0 or ended != items["total"]:
                sys.exit(f"{title}: not all items have ended: {items}")
            if (this_run["sent"] == 0) != (number == 2):
                sys.exit(f"{title}: {this_run['sent']} sent")
        results = os.path.join(folder, "results")
        status, _, talk = run(purser, ["results", spec, *state, "-o", results])
        if status != 0:
            sys.exit(f"results: ended with {status}:\n{talk}")
        names = {name for _, _, files in os.walk(results) for name in files}
        if not {"succeeded.csv", "failed.csv"} <= names:
            sys.exit(f"results: only {sorted(names)}")
    print(f"{spec}: {items['total']} items, twice, as they should")


if __name__ == "__main__":
    main()
