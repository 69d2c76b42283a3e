"""The work of a soak: rows that come and change from round to round, and what may have become of them.

Each version of a row has a name of its own ("KEY vN"), so the wire tells which versions were done.
The judge of tests/support counts by key; here the versions of one key are held against each other.
"""

import csv
import os
import random
import re
from collections import Counter, defaultdict

import judge

SPEC = """\
purser: 1
name: soak
api:
  environment: {base}
  version: "2024-08-31"
  limits: {{ rate: unlimited, in_flight: 24 }}
  timeouts: {{ connect: 2s, exchange: 5s }}
connections:
  books:
    access_token: {{ env: TEST_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 12 }}
  shop:
    access_token: {{ env: OTHER_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: {in_flight} }}
defaults:
  # A network that is cut loses more answers than the eight that are allowed otherwise.
  retry: {{ attempts: 100, first_delay: 50ms, max_delay: 1s }}
jobs:
  customers:
    connection: books
    source: {{ csv: customers.csv, key: "${{row.key}}" }}
    request: POST /accounting/customers
    body: {{ customer: {{ customer_name: "${{row.name}}", contact_name: "${{row.memo}}", email: x, phone: x }} }}
    outputs: {{ id: "${{response.customer.id}}" }}
  invoices:
    connection: books
    needs: {{ customer: {{ job: customers, key: "${{row.customer}}" }} }}
    order_by: ${{row.customer}}
    source: {{ csv: invoices.csv, key: "${{row.key}}" }}
    request: POST /accounting/invoices
    body:
      invoice:
        document_number: ${{row.name}}
        customer_id: ${{needs.customer.outputs.id}}
        issue_date: "2026-01-01"
        due_date: "2026-02-01"
        currency_code: EUR
        memo: ${{row.memo}}
        line_items: [{{ description: work, total_amount: 12.34 }}]
    outputs: {{ id: "${{response.invoice.id}}" }}
    undo: DELETE /accounting/invoices/${{outputs.id}}
  products:
    connection: shop
    source: {{ csv: products.csv, key: "${{row.key}}" }}
    request: POST /products
    idempotent: true
    when_changed: resend
    body:
      product:
        name: ${{row.name}}
        description: ${{row.memo}}
        status: active
        variants: [{{ sku: "${{row.key}}", price: 1.5, option_values: [{{ name: size, value: one }}] }}]
  prices:
    connection: shop
    source: {{ csv: prices.csv, key: "${{row.key}}" }}
    request: PATCH /products/${{row.key}}
    body: {{ product: {{ name: "${{row.name}}", description: "${{row.memo}}" }} }}
"""
# What may be on the wire of the shop at once; so many writes without a key can an interruption hit.
SHOP_IN_FLIGHT = 8
JOBS = {"customers": "C", "invoices": "I", "products": "P", "prices": "U"}
RESENT = ("products", "prices")  # a changed row is sent again after its success
VERSIONS_MAX = 3
CHANGED_ROUNDS = 2  # so long after it has come may a row change: each row has the same fate
# Ends that rutter-sim gives to a row that asks for them; one row in twelve does.
ASKED_FOR = {
    "customers": ["450"],
    "invoices": ["450", "job-450", "job-400"],
    "products": ["450", "job-450", "job-550-acted", "partial", "no-http-status"],
    "prices": ["450", "422"],
}
VERSIONED = re.compile(r"(.+) v(\d+)$")


class Row:
    def __init__(self, job, key, memo, customer=""):
        self.job, self.key, self.memo, self.customer = job, key, memo, customer
        self.version = 1

    def columns(self):
        return [self.key, f"{self.key} v{self.version}", self.customer, self.memo]

    def change(self, memo):
        self.version += 1
        self.memo = memo


class Rows:
    """All rows so far, as files of a folder."""

    def __init__(self, folder, seed, a_round):
        self.folder, self.a_round = folder, a_round
        self.chance = random.Random(f"rows {seed}")
        self.rows = {job: [] for job in JOBS}
        self.recent = []
        self.rounds = 0

    def all(self):
        return [row for rows in self.rows.values() for row in rows]

    def draw_memo(self, job):
        if self.chance.random() < 1 / 12:
            return "sim:" + self.chance.choice(ASKED_FOR[job])
        return "plain"

    def next_round(self, is_small=False):
        """Some of the rows of the last rounds change, and new ones come."""
        for row in [row for rows in self.recent for row in rows]:
            may_change = row.job in RESENT or row.memo != "plain"
            if may_change and row.version < VERSIONS_MAX and self.chance.random() < 0.35:
                row.change(self.draw_memo(row.job) if row.job in RESENT else "plain")
        new = []
        # Now and then many, so that a process works for long.
        many = 1 if is_small else self.a_round * (6 if self.rounds % 8 == 5 else 1)
        for job, share in (("customers", 1), ("invoices", 4), ("products", 4), ("prices", 4)):
            for number in range(share * many):
                key = f"{JOBS[job]}-{self.rounds}-{number}"
                customer = ""
                if job == "invoices":
                    customer = self.chance.choice(self.rows["customers"][-2 * many:]).key
                row = Row(job, key, self.draw_memo(job), customer)
                self.rows[job].append(row)
                new.append(row)
        self.recent = (self.recent + [new])[-CHANGED_ROUNDS:]
        self.rounds += 1
        self.write()

    def write(self):
        for job, rows in self.rows.items():
            path = os.path.join(self.folder, job + ".csv")
            with open(path + ".new", "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["key", "name", "customer", "memo"])
                writer.writerows(row.columns() for row in rows)
            os.replace(path + ".new", path)


def split_versions(lines):
    """Names become keys, as the judge of tests/support expects; the versions stand beside them."""
    for line in lines:
        match = VERSIONED.match(line.get("name") or "")
        if match:
            line["name"], line["version"] = match[1], int(match[2])


class Done:
    """The effects of each key in their order: numbers of versions, and "undo"."""

    def __init__(self, lines, items):
        undone = {item["idempotency_key"]: item["key"].rpartition("#")[0] for item in items
                  if judge.is_undo(item)}
        self.of_key = defaultdict(list)
        for effect in sorted(judge.effects_of(lines), key=lambda line: line["effect"]):
            if "version" in effect:
                self.of_key[effect["name"]].append(effect["version"])
            elif effect["idempotency_key"] in undone:
                self.of_key[undone[effect["idempotency_key"]]].append("undo")

    def expected(self, rows):
        """How many effects the judge is to expect of what may have been sent again on purpose."""
        return {row.key: sum(done != "undo" for done in self.of_key[row.key]) for row in rows
                if row.version > 1 or "undo" in self.of_key[row.key]}


def judge_versions(rows, items, done):
    """Of one key: no version is done twice unless it was undone, none after a later one; what has
    succeeded was done as the row now stands, what has failed was not."""
    state_of = {item["key"]: item["state"] for item in items if not judge.is_undo(item)}
    for row in rows:
        effects, state = done.of_key[row.key], state_of.get(row.key)
        last = 0  # the version that stands
        for effect in effects:
            if effect == "undo":
                last = 0
            elif effect == last or effect > last > 0 and row.job not in RESENT:
                yield judge.Verdict(judge.TWICE, row.key, f"was done as {effects}")
                break
            elif effect < last:
                yield judge.Verdict(judge.WRONG, row.key, f"was done as {effects}: in a wrong order")
                break
            else:
                last = effect
        if state == "succeeded" and last != row.version:
            yield judge.Verdict(judge.LOST, row.key, f"has succeeded, its row has version "
                                f"{row.version}, and was done as {effects}")
        if state == "failed" and last == row.version:
            yield judge.Verdict(judge.WRONG, row.key, f"is reported failed in version {row.version}, "
                                f"and was done as {effects}")


def waiting(rows, items):
    """Keys of what may stay blocked: what it needs, or one of its group, has not succeeded."""
    state_of = {item["key"]: item["state"] for item in items if not judge.is_undo(item)}
    stuck = {row.customer for row in rows if row.job == "invoices" and
             (state_of.get(row.customer) in ("failed", "in_doubt", "cancelled") or
              state_of.get(row.key) in ("failed", "in_doubt"))}
    return [row.key for row in rows if row.job == "invoices" and state_of.get(row.key) == "blocked"
            and row.customer in stuck]


def counted(items):
    states = Counter((item["job"], item["state"]) for item in items)
    return ", ".join(f"{job} {state} {count}" for (job, state), count in sorted(states.items()))
