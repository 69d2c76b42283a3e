#!/usr/bin/env python3
"""The way of a correction: run, see what failed, edit failed.csv, run that file.

usage: correct.py PURSER JOBSPECS
"""
import csv
import json
import os
import pathlib
import shutil
import sys
import tempfile

from run import run

SPEC = "jobspecs/catalog-three-bad-rows.yaml"
ROWS = "jobspecs/data/products-three-bad-rows.csv"


def main():
    purser, samples = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        shutil.copytree(samples, "jobspecs")
        with open(ROWS, encoding="utf-8", newline="") as file:
            columns = next(csv.reader(file))
        status, _, talk = run(purser, ["run", SPEC, "--state", "state"])
        assert status == 3, talk
        run(purser, ["results", SPEC, "--state", "state", "-o", "first"])
        failed = pathlib.Path("first/failed.csv").read_text(encoding="utf-8")
        for mark in ("sim:400", "sim:450"):
            failed = failed.replace(mark, "corrected")
        pathlib.Path(ROWS).write_text(failed, encoding="utf-8")

        status, out, talk = run(purser, ["run", SPEC, "--state", "state", "--output", "json"])
        assert status == 0, talk
        report = json.loads(out)
        assert report["this_run"]["changed"] == 3, report
        assert report["items"]["succeeded"] == 30, report
        run(purser, ["results", SPEC, "--state", "state", "-o", "second"])
        with open("second/succeeded.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        header = rows[0]
        assert header[:len(columns)] == columns, header
        assert len(header) == len(set(header)), f"a column stands twice: {header}"
        assert len(rows) == 4 and all(len(row) == len(header) for row in rows), rows
        assert all(row[header.index("purser_state")] == "succeeded" for row in rows[1:]), rows
    print("three rows corrected, sent again and done")


if __name__ == "__main__":
    main()
