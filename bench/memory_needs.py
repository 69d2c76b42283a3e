#!/usr/bin/env python3
"""Peak anonymous memory of purser with items that wait for others, at two numbers of items.

usage: bench/memory_needs.py BIN_FOLDER [SMALL LARGE]   (multiples of four)

Each of SMALL or LARGE invoices needs its customer, whose id is in its request, and the four of a
customer go in order. RssAnon of check, plan, run and of a plan after it is sampled every 5 ms (the
ledger's mapped pages do not count). Goal: under 64 MiB each.
"""
import pathlib
import sys
import tempfile

from memory import peak_and_wall, start_simulator

SPEC = """purser: 1
name: memory
api:
  environment: {url}
  version: "2024-08-31"
  limits: {{ rate: unlimited, in_flight: 64, outstanding: 4096 }}
connections:
  books:
    access_token: {{ env: BENCH_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 64 }}
jobs:
  customers:
    connection: books
    source:
      csv: customers.csv
      key: ${{row.id}}
    request: POST /accounting/customers
    body:
      customer:
        contact_name: ${{row.name}}
        customer_name: ${{row.name}}
        email: someone@example.com
        phone: "1"
    outputs:
      id: ${{response.customer.id}}
  invoices:
    connection: books
    needs:
      customer: {{ job: customers, key: "${{row.customer}}" }}
    source:
      csv: invoices.csv
      key: ${{row.number}}
    order_by: ${{row.customer}}
    request: POST /accounting/invoices
    body:
      invoice:
        customer_id: ${{needs.customer.outputs.id}}
        document_number: ${{row.number}}
        issue_date: "2026-01-01"
        due_date: "2026-02-01"
        currency_code: GBP
        memo: ${{row.text}}
        line_items:
          - description: one thing
            total_amount: 12.34
            item: {{ id: thing }}
"""
INVOICES_EACH = 4
GOAL_KIB = 64 * 1024


def write_rows(folder, count):
    with pathlib.Path(folder, "customers.csv").open("w") as out:
        out.write("id,name\n")
        for i in range(count // INVOICES_EACH):
            out.write(f"C-{i},Customer number {i}\n")
    with pathlib.Path(folder, "invoices.csv").open("w") as out:
        out.write("number,customer,text\n")
        for i in range(count):
            out.write(f"I-{i},C-{i // INVOICES_EACH},some words of a memo\n")


def main():
    binaries = pathlib.Path(sys.argv[1]).resolve()
    sizes = [int(word) for word in sys.argv[2:4]] or [100_000, 1_000_000]
    good = True
    print(f"{'command':<8} {'items':>10} {'peak RssAnon':>14} {'wall':>8}")
    for count in sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_rows(folder, count)
            simulator, url = start_simulator(binaries, "--no-echo")
            pathlib.Path(folder, "spec.yaml").write_text(SPEC.format(url=url))
            for command in ("check", "plan", "run", "plan"):
                options = {"check": [], "plan": ["--state", "state"],
                           "run": ["--state", "state", "--quiet"]}[command]
                peak, wall = peak_and_wall(binaries, folder, command, "spec.yaml", *options)
                good = good and peak < GOAL_KIB
                print(f"{command:<8} {count:>10} {peak / 1024:>10.1f} MiB {wall:>6.1f} s", flush=True)
            simulator.terminate()
            simulator.wait()
    print("within the goal" if good else "OVER the goal")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
