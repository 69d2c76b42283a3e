"""The slots of a soak: a second spec, whose keys have the time of the slot that it runs for.

A slot is run until it has come to an end, and only then does the next one begin, as `purser schedule
tick` does it; now and then one that is over is run once more. Each row of each slot must have been done once.
"""

import os
import random

SPEC = """\
purser: 1
name: soak-slots
api:
  environment: {base}
  version: "2024-08-31"
  limits: {{ rate: unlimited, in_flight: 24 }}
  timeouts: {{ connect: 2s, exchange: 5s }}
connections:
  calendar:
    access_token: {{ env: SLOT_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 12 }}
defaults:
  retry: {{ attempts: 100, first_delay: 50ms, max_delay: 1s }}
jobs:
  dues:
    source: {{ csv: slots.csv, key: "${{row.key}}/${{run.slot}}" }}
    request: POST /accounting/customers
    body: {{ customer: {{ customer_name: "${{row.key}}/${{run.slot}}", contact_name: due, email: x, phone: x }} }}
"""
FILE = "slots.yaml"
TOKEN = "2f6d9a40-3c5b-4d1e-8f7a-6b1c0e9d8a72"
AGAIN = 1 / 3


class Slots:
    def __init__(self, folder, seed, base, a_round):
        self.chance = random.Random(f"slots {seed}")
        self.rows = [f"S-{number}" for number in range(a_round)]
        self.begun = []
        self.is_over = True  # the one that was begun last
        with open(os.path.join(folder, FILE), "w", encoding="utf-8") as file:
            file.write(SPEC.format(base=base))
        with open(os.path.join(folder, "slots.csv"), "w", encoding="utf-8") as file:
            file.write("key\n" + "".join(row + "\n" for row in self.rows))

    @staticmethod
    def words(slot):
        return ["run", FILE, "--slot", slot, "--output", "json"]

    def next(self):
        """The slot that is due: the one that has not come to its end, else a new one."""
        if self.is_over:
            hours = len(self.begun)
            self.begun.append(f"2026-{1 + hours // 672:02}-{1 + hours // 24 % 28:02}T{hours % 24:02}:00:00Z")
        return self.begun[-1]

    def again(self):
        """One that is over; None = none is run again. What is half done is not left for it: its
        rows would leave the source."""
        if self.is_over and self.begun and self.chance.random() < AGAIN:
            return self.chance.choice(self.begun)
        return None

    def keys(self):
        return [f"{row}/{slot}" for slot in self.begun for row in self.rows]

    def part(self, lines, items):
        """The lines of the wire that are of slots, and the others."""
        keys = {item["idempotency_key"] for item in items} - {None}
        connections = {line["connection"] for line in lines
                       if "effect" in line and "request" in line and (line["name"] or "").startswith("S-")}
        of_slots, others = [], []
        for line in lines:
            is_ours = line.get("connection") in connections or line.get("idempotency_key") in keys
            (of_slots if is_ours else others).append(line)
        return of_slots, others
