#!/usr/bin/env python3
"""Plants lies in a wire ledger and in purser's report, and sees the judge find each."""

import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

import judge


def send(seq, key, body, **more):
    return {"seq": seq, "t_ms": seq, "method": "POST", "path": "/versioned/products",
            "connection": "c1", "idempotency_key": key, "body_sha256": body, "status": 200,
            "job_id": f"job-{key}", "accepted": True, "replay": False, "effect": True,
            "fault": None, "job_fault": None, **more}


def effect(number, request, key, name, **more):
    return {"effect": number, "t_ms": number, "method": "POST", "path": "/versioned/products",
            "connection": "c1", "idempotency_key": key, "job_id": f"job-{key}", "request": request,
            "name": "the " + name, "sku": name, **more}


def poll(seq, key, **more):
    return {"seq": seq, "t_ms": seq, "method": "GET", "path": f"/versioned/jobs/job-{key}",
            "connection": "c1", "idempotency_key": None, "body_sha256": None, "status": 200,
            "job_id": f"job-{key}", "accepted": False, "replay": False, "effect": False,
            "fault": None, **more}


def item(name, key, state="succeeded", **more):
    return {"job": "products", "connection": "shop", "key": name, "state": state, "reason": None,
            "generation": 1, "attempts": 1, "idempotency_key": key,
            "remote_job": f"job-{key}" if key else None, **more}


def status_of(items):
    none = dict.fromkeys(["blocked", "ready", "sending", "waiting", "succeeded", "failed",
                          "in_doubt", "cancelled", "skipped"], 0)
    jobs = {"products": {"job": "products", **none}}
    for one in items:
        jobs.setdefault(one["job"], {"job": one["job"], **none})[one["state"]] += 1
    return {"jobs": list(jobs.values())}


def results_of(items):
    return [{"purser_key": one["key"], "purser_state": one["state"]} for one in items]


# A repeat of the first write under its key, as a crash leaves it, is right.
LINES = [
    send(1, "k1", "b1"), send(2, "k2", "b2", accepted=False, effect=False, status=429, job_id=None),
    send(3, "k1", "b1", replay=True, effect=False), effect(4, 1, "k1", "shirt"), poll(5, "k1"),
    send(6, "k2", "b2"), effect(7, 6, "k2", "shoe"), poll(8, "k2"),
    send(9, "k3", "b3", status=400, accepted=False, effect=False, job_id=None),
]
ITEMS = [item("shirt", "k1"), item("shoe", "k2"),
         item("hat", "k3", "failed", reason="refused", remote_job=None)]
WANTED = ["shirt", "shoe", "hat"]


class Lies(unittest.TestCase):
    def setUp(self):
        self.lines, self.items = copy.deepcopy(LINES), copy.deepcopy(ITEMS)
        self.said = {"wanted": WANTED}

    def verdicts(self):
        report = judge.Report(self.items, status_of(self.items), results_of(self.items))
        return judge.judge(self.lines, report, **self.said)

    def assert_right(self):
        self.assertEqual(self.verdicts(), [])

    def assert_found(self, kind, name, words):
        verdicts = self.verdicts()
        self.assertTrue(any(verdict.kind == kind and verdict.item == name and words in verdict.text
                            for verdict in verdicts), verdicts)

    def test_honest_words_are_right(self):
        self.assert_right()

    # lost

    def test_an_item_that_purser_does_not_know_is_lost(self):
        self.items.pop(2)
        self.assert_found("lost", "hat", "in no state")

    def test_an_item_left_open_is_lost_unless_it_may_wait(self):
        for state in ("ready", "blocked", "sending", "waiting"):
            self.items[2]["state"] = state
            self.assert_found("lost", "hat", f"is {state} at the end")
        self.said["waits"] = ["hat"]
        self.assert_right()

    def test_an_item_without_a_row_in_the_results_is_lost(self):
        report = judge.Report(self.items, None, results_of(self.items[1:]))
        self.assertEqual(judge.judge(self.lines, report),
                         [("lost", "shirt", "has no row in the results")])

    # twice

    def test_an_item_done_twice_under_one_key_is_found(self):
        self.lines.append(effect(10, 1, "k1", "shirt"))
        self.assert_found("twice", "shirt", "2 effects")
        self.assert_found("twice", "shirt", "under one key")

    def test_an_item_done_twice_under_two_keys_is_found(self):
        self.lines += [send(10, "k9", "b9"), effect(11, 10, "k9", "shirt")]
        self.assert_found("twice", "shirt", "2 effects, at most 1 asked for; keys: k1, k9")

    def test_an_item_without_a_key_done_twice_is_found(self):
        self.lines += [send(10, None, "b9", method="PATCH", path="/versioned/products/shirt"),
                       effect(11, 10, None, "x", method="PATCH", path="/versioned/products/shirt")]
        self.assert_found("twice", "shirt", "2 effects")

    def test_an_item_sent_again_on_purpose_is_right_so_often(self):
        self.lines += [send(10, "k9", "b9"), effect(11, 10, "k9", "shirt")]
        self.said["effects"] = {"shirt": 2}
        self.assert_right()
        self.said["effects"] = {"shirt": 3}
        self.assert_found("wrong", "shirt", "with 2 effects, 3 asked for")

    def test_a_second_key_for_one_request_is_found_even_without_effect(self):
        self.lines.append(send(10, "k9", "b1", effect=False))
        self.assert_found("twice", "shirt",
                          "one request (POST /versioned/products) has 2 keys: k1, k9")

    def test_a_second_key_after_a_job_that_failed_is_right(self):
        self.lines.insert(0, send(0, "k0", "b1", effect=False, job_fault="job-452"))
        self.assert_right()

    def test_two_items_of_one_content_are_right(self):
        self.lines += [send(10, "k9", "b1"), effect(11, 10, "k9", "coat")]
        self.items.append(item("coat", "k9"))
        self.assert_right()

    # wrong

    def test_a_success_without_an_effect_is_found(self):
        self.lines.pop(6)
        self.assert_found("wrong", "shoe", "reported succeeded with 0 effects")

    def test_a_failure_with_an_effect_is_found(self):
        for state in ("failed", "cancelled", "skipped"):
            self.items[0]["state"] = state
            self.assert_found("wrong", "shirt", f"reported {state}, and the server has done it")

    def test_a_success_that_was_undone_has_an_effect(self):
        self.items[0].update(state="cancelled", reason="undone")
        self.assert_right()
        self.lines.pop(3)
        self.assert_found("wrong", "shirt", "0 effects")

    def test_an_undo_without_a_key_is_known_by_its_name(self):
        self.items[0].update(state="cancelled", reason="undone")
        self.items.append(item("shirt#1", None, job="products:undo", remote_job=None))
        self.assert_found("wrong", "shirt#1", "0 effects")
        done = [send(10, None, "b9", job_id=None),
                {**effect(11, 10, None, "shirt"), "name": "undo shirt", "job_id": None}]
        self.lines += done
        self.assert_right()
        self.lines += [{**done[0], "seq": 12}, {**done[1], "effect": 13, "request": 12}]
        self.assert_found("twice", "shirt#1", "has 2 effects")

    def test_a_failure_of_what_was_never_sent_is_found(self):
        self.lines.pop(8)
        self.assert_found("wrong", "hat", "never sent")

    def test_a_failure_of_what_was_sent_without_a_key_is_right(self):
        self.lines[8].update(method="PATCH", path="/versioned/products/hat", idempotency_key=None)
        self.assert_right()
        self.items[2]["reason"] = "not_rendered"
        self.assert_right()

    def test_an_effect_that_nobody_reports_is_found(self):
        self.lines += [send(10, "k9", "b9"), effect(11, 10, "k9", "sock")]
        self.assert_found("wrong", "the sock", "no such item")

    def test_other_bytes_under_a_used_key_are_found(self):
        for member, value in (("body_sha256", "other"), ("path", "/versioned/orders"),
                              ("connection", "c2")):
            self.setUp()
            self.lines[2][member] = value
            self.assert_found("wrong", "shirt", "key k1 travelled with different requests: ")

    def test_other_bytes_under_a_key_that_was_refused_are_right(self):
        self.lines.append(send(10, "k3", "b9", status=400, accepted=False, effect=False, job_id=None))
        self.assert_right()

    def test_a_write_without_its_key_is_found(self):
        self.lines += [send(10, None, "b1", path="/versioned/products/shirt", effect=False)]
        self.assert_found("wrong", "shirt", "without its key: requests 10")

    def test_the_remote_job_of_another_item_is_found(self):
        self.items[0]["remote_job"] = "job-k2"
        self.assert_found("wrong", "shirt", "remote job of another item: job-k2")

    def test_a_status_that_counts_otherwise_is_found(self):
        report = judge.Report(self.items, status_of(self.items[1:]))
        self.assertIn(("wrong", "", "status says 1 of products succeeded, items 2"),
                      judge.judge(self.lines, report))

    def test_results_that_say_otherwise_are_found(self):
        report = judge.Report(self.items, None, results_of([dict(self.items[0], state="failed"),
                                                            *self.items[1:]]))
        self.assertEqual(judge.judge(self.lines, report),
                         [("wrong", "shirt", "is succeeded, and in the results failed")])

    def test_one_item_named_twice_is_found(self):
        self.items.append(copy.deepcopy(self.items[0]))
        self.assert_found("wrong", "", "one item twice")

    def test_a_ledger_that_contradicts_itself_is_found(self):
        self.lines[3]["request"] = 5
        self.assert_found("wrong", "", "request 5, which is no write")
        self.setUp()
        self.lines[3]["idempotency_key"] = "k2"
        self.assert_found("wrong", "", "different keys")

    # doubt

    def doubt(self, reason, key="k1", **more):
        self.items[0].update(state="in_doubt", reason=reason, idempotency_key=key,
                             remote_job=None)
        for line in self.lines:
            if "seq" in line and line["idempotency_key"] == "k1":
                line.update(idempotency_key=key, path="/versioned/products/shirt", **more)
            elif line.get("idempotency_key") == "k1":
                line["idempotency_key"] = key

    def test_a_doubt_without_a_reason_is_found(self):
        self.doubt("unclassified_failure")
        self.assert_found("doubt", "shirt", "nothing explains it; met no fault, statuses 200")

    def test_a_doubt_of_an_unclear_end_is_right(self):
        self.doubt("platform_error_550", job_fault="job-550-acted")
        self.assert_right()

    def test_a_refusal_alone_is_no_doubt_but_after_a_lost_answer_it_is(self):
        self.doubt("refused_after_unknown", status=400)
        self.assert_found("doubt", "shirt", "statuses 200, 400")
        self.lines[0]["status"] = 0
        self.assert_right()

    def test_a_refusal_after_an_interruption_is_a_doubt(self):
        self.doubt("refused_after_unknown", status=400)
        self.said["interruptions"] = 1
        self.assert_right()

    def test_an_interruption_explains_no_doubt_of_what_has_a_key(self):
        self.doubt("window_passed")
        self.said["interruptions"] = 1
        self.assert_found("doubt", "shirt", "nothing explains it")

    def test_an_interruption_explains_so_many_doubts_of_what_has_none(self):
        self.doubt("unkeyed_unknown", key=None, job_id=None)
        self.assert_found("doubt", "shirt", "nothing explains it")
        self.said["interruptions"] = 1
        self.assert_right()
        self.items.append(item("coat", None, "in_doubt", reason="unkeyed_unknown"))
        self.assert_found("doubt", "coat", "2 such after 1 interruptions, each with at most 1")
        self.said["at_risk"] = 2
        self.assert_right()

    def test_a_lost_answer_explains_a_doubt_of_what_has_no_key(self):
        self.doubt("unkeyed_unknown", key=None, job_id=None, fault="close", status=0)
        self.assert_right()

    def test_a_doubt_of_something_done_twice_is_twice(self):
        self.doubt("platform_error_550", job_fault="job-550-acted")
        self.lines.append(effect(10, 1, "k1", "shirt"))
        self.assert_found("twice", "shirt", "2 effects")


class Program(unittest.TestCase):
    def run_on(self, lines):
        with tempfile.TemporaryDirectory() as folder:
            ledger, items = os.path.join(folder, "ledger"), os.path.join(folder, "items")
            results = os.path.join(folder, "results")
            os.mkdir(results)
            with open(ledger, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)
            with open(items, "w", encoding="utf-8") as file:
                json.dump(ITEMS, file)
            with open(os.path.join(results, "all.csv"), "w", encoding="utf-8") as file:
                file.write("purser_key,purser_state\n" + "".join(
                    f"{one['key']},{one['state']}\n" for one in ITEMS))
            return subprocess.run(
                [sys.executable, "-B", judge.__file__, "--ledger", ledger, "--items", items,
                 "--results", results, "--waits", "x", "--effects", "a=b=2"],
                capture_output=True, text=True, check=False)

    def test_the_program_ends_with_1_and_names_the_item(self):
        done = self.run_on(LINES)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        self.assertIn("judge: 3 items, 5 writes, 2 effects: 0 verdicts", done.stdout)
        done = self.run_on([*LINES, effect(10, 1, "k1", "shirt")])
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("twice: shirt (succeeded) has 2 effects", done.stdout)


if __name__ == "__main__":
    unittest.main()
