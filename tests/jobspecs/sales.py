#!/usr/bin/env python3
"""jobspecs/sales-to-books.yaml over hundreds of documents: what arrives at the server is computed
here a second time, in Python's decimal, and must be equal to the cent.

usage: sales.py PURSER RUTTER_SIM JOBSPECS

PURSER_SALES_LINES names another file of the same columns.
"""
import csv
import datetime
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile
from collections import Counter
from decimal import Decimal

import sales_lines
from run import run

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "rutter-sim"))
os.environ["RUTTER_SIM"] = sys.argv[2]
from simulator import Simulator, TOKEN, head  # noqa: E402

SPEC = "jobspecs/sales-to-books.yaml"


def lines_text():
    own = os.environ.get("PURSER_SALES_LINES")
    if own:
        return pathlib.Path(own).read_text(encoding="utf-8")
    text = io.StringIO()
    sales_lines.write(512, 1, text)
    return text.getvalue()


def documents(text):
    found = {}
    for line in csv.DictReader(io.StringIO(text)):
        found.setdefault(line["InvoiceNo"], []).append(line)
    return found


def wanted_of(number, lines):
    sign = -1 if number.startswith("C") else 1
    day = datetime.date.fromisoformat(lines[0]["InvoiceDate"][:10])
    wanted = {
        "customer_id": str(int(Decimal(lines[0]["CustomerID"]))),
        "document_number": number,
        "issue_date": str(day),
        "lines": [(line["Description"].strip() or None, line["StockCode"],
                   sign * int(line["Quantity"]), Decimal(line["UnitPrice"]),
                   sign * int(line["Quantity"]) * Decimal(line["UnitPrice"])) for line in lines],
    }
    if sign == 1:
        wanted["due_date"] = str(day + datetime.timedelta(days=30))
    return wanted


def arrived_as(entity):
    arrived = {name: entity[name] for name in ("customer_id", "document_number", "issue_date")}
    if "due_date" in entity:
        arrived["due_date"] = entity["due_date"]
    arrived["lines"] = [(line.get("description"), line["item"]["id"], line["item"]["quantity"],
                         Decimal(line["item"]["unit_amount"]), Decimal(line["total_amount"]))
                        for line in entity["line_items"]]
    return arrived


def entities(sim, path, member):
    cursor = ""
    while cursor is not None:
        answer = sim.call("GET", f"/versioned{path}?access_token={TOKEN}&limit=100{cursor}",
                          None, head())
        page = json.loads(answer.body, parse_float=Decimal)
        yield from page[member]
        cursor = "&cursor=" + page["next_cursor"] if page.get("next_cursor") else None


def compare(sim, found):
    wanted = {number: wanted_of(number, lines) for number, lines in found.items()
              if lines[0]["CustomerID"]}
    total = Decimal(0)
    seen = Counter()
    for path, member in (("/accounting/invoices", "invoices"),
                         ("/accounting/invoice_credit_memos", "invoice_credit_memos")):
        for entity in entities(sim, path, member):
            arrived = arrived_as(entity)
            number = arrived["document_number"]
            seen[number] += 1
            assert number.startswith("C") == (member != "invoices"), number
            assert arrived == wanted[number], (arrived, wanted[number])
            total += sum(line[4] for line in arrived["lines"])
    assert set(seen) == set(wanted), set(wanted) ^ set(seen)
    assert set(seen.values()) == {1}, "something was done twice"
    return len(seen), total


def main():
    purser, _, samples = sys.argv[1:4]
    text = lines_text()
    found = documents(text)
    nobody = [number for number, lines in found.items() if not lines[0]["CustomerID"]]
    sim = Simulator("--exit-with-parent")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        shutil.copytree(samples, "jobspecs")
        pathlib.Path("jobspecs/data/sales-lines.csv").write_text(text, encoding="utf-8")
        spec = pathlib.Path(SPEC).read_text(encoding="utf-8")
        spec = spec.replace("environment: simulator", "environment: " + sim.address + "/versioned")
        spec = spec.replace("limits: { rate: 40/s, in_flight: 8 }", "limits: { rate: unlimited }")
        pathlib.Path(SPEC).write_text(spec, encoding="utf-8")
        secrets = {"RUTTER_CLIENT_ID": "sim-client", "RUTTER_CLIENT_SECRET": "sim-secret",
                   "RUTTER_ACCESS_TOKEN": TOKEN}
        words = ["--state", "state", "--output", "json"]
        status, out, talk = run(purser, ["run", SPEC, *words], secrets)
        assert status == 0, talk
        items = json.loads(out)["items"]
        count, total = compare(sim, found)
        assert items["succeeded"] == count, items
        assert items["skipped"] == 2 * len(found) - count, items
        status, _, talk = run(purser, ["results", SPEC, "--state", "state", "-o", "results"],
                              secrets)
        assert status == 0, talk
        with open("results/invoices/unsent.csv", encoding="utf-8", newline="") as file:
            unsent = {row["purser_key"] for row in csv.DictReader(file)}
        assert set(nobody) <= unsent, "rows without a customer are not in unsent.csv"
    sim.stop()
    print(f"{len(found)} documents, {count} written, {len(nobody)} without a customer, "
          f"total {total}")


if __name__ == "__main__":
    main()
