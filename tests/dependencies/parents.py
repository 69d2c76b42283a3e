#!/usr/bin/env python3
"""A row that names another parent than before: its item follows the new one, in all that it does.

usage: parents.py --purser PROGRAM --sim PROGRAM

Variants are made from what their product returned, labels only wait for theirs. A row may change its
parent by a correction (`retry --input`) or in the source; the wire ledger of the simulator tells whom
the item has waited for and whose id it was sent with.
"""
import argparse
import csv
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
from simulator import Simulator  # noqa: E402  (found through the path above)
from workload import environment_of  # noqa: E402

SECONDS_MAX = 60
SPEC = """purser: 1
name: parents
api: {{ environment: {base}, version: "2024-08-31", limits: {{ rate: unlimited, in_flight: 8 }} }}
connections:
  shop:
    platform: SHOPIFY
    access_token: {{ env: TEST_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 8 }}
jobs:
  products:
    source: {{ csv: products.csv, key: "${{row.sku}}" }}
    request: POST /products
    mode: sync
    body:
      product:
        name: ${{row.name}}
        description: x
        variants: [{{ sku: "${{row.sku}}", price: 1, option_values: [] }}]
    outputs: {{ id: "${{response.product.id}}" }}
    undo: DELETE /products/${{outputs.id}}
  variants:
    needs: {{ product: {{ job: products, key: "${{row.of}}" }} }}
    when_changed: resend
    source: {{ csv: variants.csv, key: "${{row.sku}}" }}
    request: POST /products/${{needs.product.outputs.id}}/variants
    body: {{ variant: {{ sku: "${{row.name}}", price: 1, option_values: [] }} }}
    outputs: {{ id: "${{response.variant.id}}" }}
    undo: DELETE /products/${{needs.product.outputs.id}}/variants/${{outputs.id}}
  labels:
    needs: {{ product: {{ job: products, key: "${{row.of}}" }} }}
    when_changed: resend
    source: {{ csv: labels.csv, key: "${{row.sku}}" }}
    request: PATCH /products/${{row.sku}}
    body: {{ product: {{ name: "${{row.name}}" }} }}
  steps:
    order_by: ${{row.of}}
    when_changed: resend
    source: {{ csv: steps.csv, key: "${{row.sku}}" }}
    request: PATCH /products/${{row.sku}}
    body: {{ product: {{ name: "${{row.name}}" }} }}
"""
HEADERS = {"products": ["sku", "name"], "variants": ["sku", "of", "name"],
           "labels": ["sku", "of", "name"], "steps": ["sku", "of", "name"]}
options = argparse.Namespace()


class Shop:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="purser-parents-")
        self.simulator = Simulator(options.sim)
        self.environment = environment_of(self.folder.name)
        self.path("spec.yaml").write_text(SPEC.format(base=self.simulator.base), encoding="utf-8")
        self.rows = {job: {} for job in HEADERS}
        # Siblings that never change; the paths of the variants tell the ids of their products.
        self.put("products", "P1", "One")
        self.put("products", "P2", "Two")
        self.put("variants", "of-P1", "P1", "of P1")
        self.put("variants", "of-P2", "P2", "of P2")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.simulator.stop()
        self.folder.cleanup()

    def path(self, name):
        return Path(self.folder.name) / name

    def put(self, job, key, *values):
        self.rows[job][key] = [key, *values]

    def write(self, name, job, rows):
        with open(self.path(name), "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([HEADERS[job], *rows])

    def purser(self, *words):
        done = subprocess.run([options.purser, *words], cwd=self.folder.name, env=self.environment,
                              capture_output=True, timeout=SECONDS_MAX, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def replace_in_spec(self, old, new):
        text = self.path("spec.yaml").read_text(encoding="utf-8")
        if old not in text:
            raise AssertionError(f"the spec has no {old!r}")
        self.path("spec.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")

    def make_anew(self, job):
        self.replace_in_spec(f"    source: {{ csv: {job}.csv",
                             f"    when_changed: resend\n    source: {{ csv: {job}.csv")

    def write_rows(self):
        for job, rows in self.rows.items():
            self.write(f"{job}.csv", job, rows.values())

    def run(self):
        self.write_rows()
        return self.purser("run", "spec.yaml")

    def correct(self, job, *rows):
        self.write("corrected.csv", job, rows)
        return self.purser("retry", "spec.yaml", "--input", "corrected.csv", "--job", job)

    def effects(self):
        """Path and place by name, of what was done. A name that was done twice is an error."""
        effects = {}
        for place, line in enumerate(self.simulator.ledger()):
            if "request" not in line or line["method"] == "DELETE":
                continue
            if line["name"] in effects:
                raise AssertionError(f"{line['name']} was done twice")
            effects[line["name"]] = (place, line["path"])
        return effects

    def product(self, key):
        """The id that the product has got."""
        return self.effects()[f"of {key}"][1].split("/")[-2]

    def parent(self, name):
        """The id that a variant was made with; None = it was not."""
        place = self.effects().get(name)
        return None if place is None else place[1].split("/")[-2]

    def sends(self, part):
        return sum("seq" in line and line["method"] != "GET" and part in line["path"]
                   for line in self.simulator.ledger())

    def deleted(self):
        return [line["path"] for line in self.simulator.ledger()
                if "seq" in line and line["method"] == "DELETE"]


class Parents(unittest.TestCase):
    def assert_done(self, outcome, status=0):
        self.assertEqual(outcome[0], status, outcome[2])

    def effects_after(self, shop, status):
        self.assert_done(shop.run(), status)
        return shop.effects()

    def assert_nothing_is_left(self, shop):
        before = len(shop.simulator.ledger())
        self.assert_done(shop.run())
        self.assertEqual(len(shop.simulator.ledger()), before)

    def assert_before(self, shop, parent, child):
        effects = shop.effects()
        self.assertIn(parent, effects)
        self.assertIn(child, effects)
        self.assertLess(effects[parent][0], effects[child][0])

    def test_corrected_variant_is_made_from_its_new_parent_and_undone_there(self):
        with Shop() as shop:
            shop.put("variants", "V", "P1", "sim:450")
            self.assert_done(shop.run(), 3)
            self.assert_done(shop.correct("variants", ["V", "P2", "fine"]))
            self.assertEqual(shop.parent("fine"), shop.product("P2"))
            self.assert_done(shop.purser("undo", "spec.yaml", "--run", "2"))
            self.assertEqual([path.split("/")[3] for path in shop.deleted()], [shop.product("P2")])

    def test_undo_keeps_the_new_parent_of_a_corrected_variant(self):
        with Shop() as shop:
            shop.put("variants", "V", "P1", "sim:450")
            del shop.rows["variants"]["of-P1"], shop.rows["variants"]["of-P2"]
            self.assert_done(shop.run(), 3)
            self.assert_done(shop.correct("variants", ["V", "P2", "fine"]))
            outcome = shop.purser("undo", "spec.yaml", "--run", "1")
            self.assert_done(outcome, 3)
            self.assertRegex(outcome[1], r"products/P2  kept_needed: by variants/V of run 2")
            self.assertEqual(len(shop.deleted()), 1)

    def test_corrected_label_waits_for_its_new_parent(self):
        with Shop() as shop:
            shop.put("products", "P3", "sim:job-450")
            shop.put("labels", "L", "P1", "sim:450")
            self.assert_done(shop.run(), 3)
            self.assertEqual(shop.sends("/products/L"), 1)
            self.assert_done(shop.correct("labels", ["L", "P3", "fine"]), 3)
            self.assertEqual(shop.sends("/products/L"), 1)
            shop.put("products", "P3", "Three")
            self.assert_done(shop.run())
            self.assert_before(shop, "Three", "fine")
            before = len(shop.simulator.ledger())
            self.assert_done(shop.run())
            self.assertEqual(len(shop.simulator.ledger()), before)

    def test_same_request_of_another_parent_is_a_correction(self):
        with Shop() as shop:
            shop.put("products", "P3", "sim:job-450")
            shop.put("labels", "L", "P1", "sim:450*1 label")
            self.assert_done(shop.run(), 3)
            outcome = shop.correct("labels", ["L", "P3", "sim:450*1 label"])
            self.assert_done(outcome, 3)
            self.assertIn("1 changed, 0 as they were", outcome[2])
            self.assertEqual(shop.sends("/products/L"), 1)
            # The row of the source names P1 still, and counts for nothing.
            self.assert_done(shop.run(), 3)
            self.assertEqual(shop.sends("/products/L"), 1)
            shop.put("products", "P3", "Three")
            self.assert_done(shop.run())
            self.assert_before(shop, "Three", "sim:450*1 label")

    def test_parent_that_changes_in_the_source_of_what_waits(self):
        for name in ("sim:450*1 label", "other"):
            with self.subTest(name), Shop() as shop:
                shop.put("products", "P3", "sim:job-450")
                shop.put("products", "P4", "sim:job-450 four")
                shop.put("labels", "L", "P4", "sim:450*1 label")
                self.assert_done(shop.run(), 3)
                shop.put("labels", "L", "P3", name)
                shop.put("products", "P4", "Four")
                self.assert_done(shop.run(), 3)
                self.assertEqual(shop.sends("/products/L"), 0)

    def test_parent_that_changes_in_the_source_of_what_failed(self):
        for name in ("sim:450*1 label", "other"):
            with self.subTest(name), Shop() as shop:
                shop.put("products", "P3", "sim:job-450")
                shop.put("labels", "L", "P1", "sim:450*1 label")
                self.assert_done(shop.run(), 3)
                shop.put("labels", "L", "P3", name)
                outcome = shop.run()
                self.assert_done(outcome, 3)
                self.assertIn("1 changed", outcome[2])
                self.assertIn("1 blocked", outcome[2])
                self.assertEqual(shop.sends("/products/L"), 1)
                shop.put("products", "P3", "Three")
                self.assert_done(shop.run())
                self.assert_before(shop, "Three", name)

    def test_parent_that_changes_in_the_source_of_what_was_corrected(self):
        with Shop() as shop:
            shop.put("products", "P3", "sim:job-450")
            shop.put("products", "P4", "sim:job-450 four")
            shop.put("labels", "L", "P1", "sim:450*1 label")
            self.assert_done(shop.run(), 3)
            self.assert_done(shop.correct("labels", ["L", "P3", "sim:450*1 label"]), 3)
            shop.put("labels", "L", "P4", "sim:450*1 label")
            shop.put("products", "P3", "Three")
            self.assert_done(shop.run(), 3)
            self.assertEqual(shop.sends("/products/L"), 1)
            shop.put("products", "P4", "Four")
            self.assert_done(shop.run())
            self.assert_before(shop, "Four", "sim:450*1 label")

    def test_row_that_was_a_draft_when_it_was_corrected_counts_for_nothing(self):
        with Shop() as shop:
            shop.put("products", "P3", "sim:job-450")
            shop.put("variants", "V", "P3", "wrong")
            self.assert_done(shop.run(), 3)
            self.assert_done(shop.correct("variants", ["V", "P2", "fine"]), 3)
            self.assertEqual(shop.parent("fine"), shop.product("P2"))
            shop.put("products", "P3", "Three")
            self.assert_done(shop.run())
            self.assertIsNone(shop.parent("wrong"))

    def test_need_of_a_corrected_row_that_is_not_in_the_ledger_is_an_error(self):
        with Shop() as shop:
            shop.put("labels", "L", "P1", "sim:450")
            self.assert_done(shop.run(), 3)
            outcome = shop.correct("labels", ["L", "P9", "fine"])
            self.assert_done(outcome, 2)
            self.assertIn("data.correction", outcome[2])
            self.assertEqual(shop.sends("/products/L"), 1)

    def test_corrected_row_goes_behind_those_of_its_new_group(self):
        with Shop() as shop:
            shop.put("steps", "A1", "A", "sim:450 a1")
            shop.put("steps", "A2", "A", "a2")
            shop.put("steps", "B1", "B", "sim:450 b1")
            self.assert_done(shop.run(), 3)
            self.assert_done(shop.correct("steps", ["A1", "B", "fine a1"]), 3)
            self.assertNotIn("fine a1", shop.effects())
            shop.put("steps", "B1", "B", "b1")
            self.assert_done(shop.run())
            self.assert_before(shop, "b1", "fine a1")
            self.assert_before(shop, "fine a1", "a2")

    def test_rows_that_swap_their_groups_do_not_wait_for_each_other(self):
        with Shop() as shop:
            shop.put("steps", "A1", "A", "sim:450 a1")
            shop.put("steps", "A2", "A", "a2")
            shop.put("steps", "B1", "B", "sim:450 b1")
            shop.put("steps", "B2", "B", "b2")
            self.assert_done(shop.run(), 3)
            shop.put("steps", "A1", "B", "a1")
            shop.put("steps", "B1", "A", "b1")
            self.assert_done(shop.run())
            for before, after in (("b1", "b2"), ("b2", "a1"), ("a1", "a2")):
                self.assert_before(shop, before, after)

    def test_run_tells_what_was_made_from_an_answer_that_has_changed_since(self):
        with Shop() as shop:
            shop.make_anew("products")
            self.assert_done(shop.run())
            shop.put("products", "P1", "One anew")
            shop.write_rows()
            outcome = shop.purser("plan", "spec.yaml")
            self.assertRegex(outcome[1], r" 1 may_change ")
            outcome = shop.run()
            self.assert_done(outcome, 75)
            self.assertIn("1 item was made from an answer that has changed since", outcome[2])
            self.assertRegex(shop.purser("plan", "spec.yaml")[1], r" 1 resend ")
            before = shop.sends("/variants")
            self.assert_done(shop.run())
            self.assertEqual(shop.sends("/variants"), before + 1)
            self.assert_done(shop.run())
            self.assertEqual(shop.sends("/variants"), before + 1)

    def test_parent_that_fails_when_it_is_sent_again_and_succeeds_in_the_next_run(self):
        with Shop() as shop:
            shop.make_anew("products")
            self.assert_done(shop.run())
            shop.put("products", "P1", "sim:job-450 anew")
            self.assert_done(shop.run(), 3)
            shop.put("products", "P1", "One anew")
            outcome = shop.run()
            self.assert_done(outcome, 75)
            self.assertIn("1 item was made from an answer that has changed since", outcome[2])

    def test_correction_tells_that_it_has_not_looked_at_what_was_made_from_its_items(self):
        with Shop() as shop:
            shop.make_anew("products")
            self.assert_done(shop.run())
            shop.put("products", "P1", "sim:job-450 anew")
            self.assert_done(shop.run(), 3)
            outcome = shop.correct("products", ["P1", "One anew"])
            self.assert_done(outcome)
            self.assertIn("items of job variants that were made from what these returned before",
                          outcome[2])
            self.assertNotIn("items of job labels", outcome[2])
            self.assertRegex(shop.purser("plan", "spec.yaml")[1], r" 1 resend ")

    def test_corrected_variant_that_failed_is_tried_again_with_its_parent_as_it_is_now(self):
        with Shop() as shop:
            shop.make_anew("products")
            shop.put("variants", "V", "P1", "sim:450")
            self.assert_done(shop.run(), 3)
            self.assert_done(shop.correct("variants", ["V", "P2", "sim:450*1 v"]), 3)
            before = shop.product("P2")
            shop.put("products", "P2", "Two anew")
            del shop.rows["variants"]["of-P2"]
            self.assertIn("Two anew", self.effects_after(shop, 3))
            for status in (3, 0):  # the simulator counts by path: it refuses once more
                self.assert_done(shop.purser("retry", "spec.yaml"))
                self.assert_done(shop.run(), status)
            self.assertEqual(shop.sends(f"{before}/variants"), 2)
            after = shop.parent("sim:450*1 v")
            self.assertIsNotNone(after)
            self.assertNotEqual(after, before)
            self.assert_nothing_is_left(shop)

    def test_corrected_variant_in_doubt_that_was_not_done_is_made_from_its_parent_as_it_is_now(self):
        with Shop() as shop:
            shop.make_anew("products")
            shop.put("variants", "V", "P1", "sim:450")
            self.assert_done(shop.run(), 3)
            self.assert_done(shop.correct("variants", ["V", "P2", "sim:job-550*1 v"]), 7)
            before = shop.product("P2")
            shop.put("products", "P2", "Two anew")
            del shop.rows["variants"]["of-P2"]
            self.assertIn("Two anew", self.effects_after(shop, 7))
            for status in (7, 0):
                self.assert_done(
                    shop.purser("resolve", "spec.yaml", "variants/V", "--as", "not-done"))
                self.assert_done(shop.run(), status)
            self.assertEqual(shop.sends(f"{before}/variants"), 2)
            after = shop.parent("sim:job-550*1 v")
            self.assertIsNotNone(after)
            self.assertNotEqual(after, before)
            self.assert_nothing_is_left(shop)

    def test_same_answer_or_a_row_that_is_kept_is_no_reason_to_run_again(self):
        with Shop() as shop:
            shop.make_anew("products")
            shop.replace_in_spec("request: POST /products\n", "request: PATCH /products/${row.sku}\n")
            self.assert_done(shop.run())
            shop.put("products", "P1", "One anew")
            outcome = shop.run()
            self.assert_done(outcome)
            self.assertNotIn("has changed since", outcome[2])
        with Shop() as shop:
            shop.make_anew("products")
            shop.replace_in_spec("when_changed: resend\n    source: { csv: variants.csv",
                                 "when_changed: keep\n    source: { csv: variants.csv")
            self.assert_done(shop.run())
            shop.put("products", "P1", "One anew")
            outcome = shop.run()
            self.assert_done(outcome)
            self.assertIn("1 item was made from an answer that has changed since, and "
                          "when_changed: keep leaves it so", outcome[2])

    def test_run_of_some_rows_tells_that_it_has_not_looked_at_what_was_made_from_them(self):
        with Shop() as shop:
            shop.make_anew("products")
            self.assert_done(shop.run())
            shop.put("products", "P1", "One anew")
            shop.write_rows()
            outcome = shop.purser("run", "spec.yaml", "--only", "products")
            self.assert_done(outcome)
            self.assertIn("1 item is sent again that others were made from", outcome[2])
            self.assertRegex(shop.purser("plan", "spec.yaml")[1], r" 1 resend ")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--purser", required=True)
    parser.add_argument("--sim", required=True)
    options, rest = parser.parse_known_args(namespace=options)
    options.purser, options.sim = os.path.abspath(options.purser), os.path.abspath(options.sim)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
