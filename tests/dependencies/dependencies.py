#!/usr/bin/env python3
"""Items that wait, seen on the wire: the simulator's ledger tells the order, the judge the rest.

usage: dependencies.py --purser PROGRAM --sim PROGRAM

Invoices wait for their customer and go one after the other within it; a report waits for all of
them. The run is killed again and again. Whatever happens: no child before its parent's success, no
two of a group at once or in the wrong order, each write once, and in the end all of them.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402

SECONDS_MAX = 120
CUSTOMERS, INVOICES_EACH = 8, 4
SPEC = """purser: 1
name: books
api: {{ environment: {base}, version: "2024-08-31", limits: {{ rate: unlimited, in_flight: 32 }} }}
connections:
  books:
    platform: QUICKBOOKS
    access_token: {{ env: TOKEN }}
    limits: {{ rate: unlimited, in_flight: 16 }}
jobs:
  reports:
    needs: [invoices]
    source: {{ inline: [{{ id: R1 }}], key: "${{row.id}}" }}
    request: POST /accounting/customers
    body: {{ customer: {{ customer_name: "${{row.id}}", contact_name: x, email: x, phone: x }} }}
  invoices:
    needs: {{ customer: {{ job: customers, key: "${{row.customer}}" }} }}
    order_by: ${{row.customer}}
    when_changed: resend
    source: {{ csv: invoices.csv, key: "${{row.number}}" }}
    request: POST /accounting/invoices
    body:
      invoice:
        document_number: ${{row.number}}
        customer_id: ${{needs.customer.outputs.id}}
        due_date: "2026-12-01"
        issue_date: "2026-11-01"
        currency_code: EUR
        memo: ${{row.memo}}
        line_items: [{{ total_amount: 1 }}]
  customers:
    source: {{ csv: customers.csv, key: "${{row.id}}" }}
    request: POST /accounting/customers
    body: {{ customer: {{ customer_name: "${{row.name}}", contact_name: x, email: x, phone: x }} }}
    outputs: {{ id: "${{response.customer.id}}" }}
"""
options = argparse.Namespace()


def customer_of(invoice):
    return invoice.split("-")[0]


class Books:
    """A folder with spec and sources, and a simulator that outlives the runs."""

    def __init__(self, sim_options=()):
        self.folder = tempfile.TemporaryDirectory(prefix="purser-dependencies-")
        self.simulator = Simulator(options.sim, sim_options)
        self.write("spec.yaml", SPEC.format(base=self.simulator.base))
        self.customers = [f"C{i}" for i in range(CUSTOMERS)]
        # Not sorted by customer: the order of a group is that of the file.
        self.invoices = [f"{customer}-{i}" for i in range(INVOICES_EACH)
                         for customer in self.customers]
        self.write_customers({})
        self.write_invoices({})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.simulator.stop()
        self.folder.cleanup()

    def write(self, name, text):
        (Path(self.folder.name) / name).write_text(text, encoding="utf-8")

    def write_customers(self, names):
        self.write("customers.csv", "id,name\n" + "".join(
            f"{customer},{names.get(customer, customer)}\n" for customer in self.customers))

    def write_invoices(self, memos):
        self.write("invoices.csv", "number,customer,memo\n" + "".join(
            f"{invoice},{customer_of(invoice)},{memos.get(invoice, '')}\n"
            for invoice in self.invoices))

    def start(self, *words):
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder.name, "LC_ALL": "C.UTF-8",
                       "TOKEN": "3f0b1c52-7d1e-4a57-9b0e-5a3f7c2d9e10",
                       "RUTTER_CLIENT_ID": "sim-client", "RUTTER_CLIENT_SECRET": "sim-secret",
                       "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
        return subprocess.Popen([options.purser, *words], cwd=self.folder.name, env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def purser(self, *words):
        process = self.start(*words)
        output, talk = process.communicate(timeout=SECONDS_MAX)
        return process.returncode, output.decode(), talk.decode()

    def run(self):
        return self.purser("run", "spec.yaml")

    def items(self):
        """All items, of the generations there are now."""
        return judge.items_from(self.purser("items", "spec.yaml", "--output", "ndjson")[1])

    def kill_after(self, writes):
        """Runs until the simulator has seen so many writes, and kills; False when it ended first."""
        process = self.start("run", "spec.yaml", "--quiet")
        while process.poll() is None:
            if sum("status" in line and line["method"] == "POST"
                   for line in self.simulator.ledger()) >= writes:
                process.kill()
                break
        process.communicate(timeout=SECONDS_MAX)
        return process.returncode == -9


class Wire:
    """What the simulator's ledger says, by item."""

    def __init__(self, books):
        self.items = books.items()
        self.states = {item["key"]: item["state"] for item in self.items}
        names = {item["idempotency_key"]: item["key"] for item in self.items}
        self.sent, self.done = {}, {}
        for place, line in enumerate(books.simulator.ledger()):
            item = names.get(line.get("idempotency_key"))
            if item is None:
                continue
            seen = self.sent if "seq" in line else self.done
            seen.setdefault(item, []).append(place)


class Dependencies(unittest.TestCase):
    def assert_laws(self, books, wire):
        """The order of what was sent."""
        for invoice in books.invoices:
            if invoice not in wire.sent:
                continue
            customer = customer_of(invoice)
            self.assertIn(customer, wire.done, f"{invoice} was sent without {customer}")
            self.assertLess(wire.done[customer][0], wire.sent[invoice][0], invoice)
        for customer in books.customers:
            group = [invoice for invoice in books.invoices if customer_of(invoice) == customer]
            for before, after in zip(group, group[1:]):
                if after in wire.sent:
                    self.assertIn(before, wire.done, f"{after} was sent before {before}")
                    self.assertLess(wire.done[before][0], wire.sent[after][0], after)
        if "R1" in wire.sent:
            self.assertLess(max(wire.done[invoice][0] for invoice in books.invoices),
                            wire.sent["R1"][0])

    def assert_all_done(self, books, wire):
        everything = {*books.customers, *books.invoices, "R1"}
        verdicts = judge.judge(books.simulator.ledger(), wire.items, everything)
        self.assertEqual(verdicts, [])
        self.assertEqual(wire.states, dict.fromkeys(everything, "succeeded"))

    def test_children_go_after_their_parents_and_groups_in_order(self):
        with Books(["--job-time", "0-20"]) as books:
            status, _, talk = books.run()
            self.assertEqual(status, 0, talk)
            wire = Wire(books)
            self.assert_laws(books, wire)
            self.assert_all_done(books, wire)
            before = len(books.simulator.ledger())
            status, _, talk = books.run()
            self.assertEqual(status, 0, talk)
            self.assertIn(f"0 added, 0 changed, {len(wire.states)} unchanged", talk)
            self.assertEqual(len(books.simulator.ledger()), before)

    def test_kills_lose_no_child_and_send_none_twice(self):
        with Books(["--job-time", "0-5"]) as books:
            writes, kills = 1, 0
            while books.kill_after(writes):
                kills += 1
                writes += 3
            self.assertGreater(kills, 8)
            status, _, talk = books.run()
            self.assertEqual(status, 0, talk)
            wire = Wire(books)
            self.assert_laws(books, wire)
            self.assert_all_done(books, wire)

    def test_failed_items_hold_back_only_those_behind_them(self):
        with Books() as books:
            books.write_customers({"C3": "sim:job-400"})
            books.write_invoices({"C5-2": "sim:job-400"})
            status, _, talk = books.run()
            self.assertEqual(status, 3, talk)
            wire = Wire(books)
            held = {i for i in books.invoices if customer_of(i) == "C3"} | {"C5-3", "R1"}
            self.assertEqual({i for i, state in wire.states.items() if state == "blocked"}, held)
            self.assertEqual({i for i, state in wire.states.items() if state == "failed"},
                             {"C3", "C5-2"})
            self.assertEqual({i for i in wire.sent if i in held}, set())
            books.write_customers({})
            books.write_invoices({})
            status, _, talk = books.run()
            self.assertEqual(status, 0, talk)
            wire = Wire(books)
            self.assert_laws(books, wire)
            self.assert_all_done(books, wire)

    def test_resent_item_goes_before_what_is_new_in_its_group(self):
        with Books(["--job-time", "5"]) as books:
            self.assertEqual(books.run()[0], 0)
            before = len(books.simulator.ledger())
            books.invoices += ["C1-8", "C1-9", "C2-9"]
            books.write_invoices({"C1-0": "changed", "C1-2": "changed"})
            status, _, talk = books.run()
            self.assertEqual(status, 0, talk)
            wire = Wire(books)
            changed = ["C1-0", "C1-2", "C1-8", "C1-9"]
            self.assertEqual([item for item in wire.sent if wire.sent[item][0] >= before
                              and item.startswith("C1")], changed)
            for earlier, later in zip(changed, changed[1:]):
                self.assertLess(wire.done[earlier][0], wire.sent[later][0], later)

    def test_cancelled_item_lets_the_next_of_its_group_go(self):
        with Books() as books:
            books.write_customers({"C3": "sim:job-400"})
            self.assertEqual(books.run()[0], 3)
            self.assertEqual(books.purser("cancel", "spec.yaml", "--where", "key=C3-1")[0], 0)
            books.write_customers({})
            status, _, talk = books.run()
            self.assertEqual(status, 0, talk)
            wire = Wire(books)
            self.assertNotIn("C3-1", wire.sent)
            self.assertLess(wire.done["C3-0"][0], wire.sent["C3-2"][0])
            self.assertIn("R1", wire.done)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--purser", required=True)
    parser.add_argument("--sim", required=True)
    options, rest = parser.parse_known_args(namespace=options)
    options.purser, options.sim = os.path.abspath(options.purser), os.path.abspath(options.sim)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
