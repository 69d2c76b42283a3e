#!/usr/bin/env python3
"""Plants lies in a wire ledger and sees the judge find each."""

import copy
import unittest

import judge


def send(seq, key, body, **more):
    return {"seq": seq, "t_ms": seq, "method": "POST", "path": "/versioned/products",
            "connection": "c1", "idempotency_key": key, "body_sha256": body, "status": 200,
            "job_id": f"job-{key}", "accepted": True, "replay": False, "effect": True,
            "fault": None, **more}


def effect(number, request, key, name):
    return {"effect": number, "t_ms": number, "method": "POST", "path": "/versioned/products",
            "connection": "c1", "idempotency_key": key, "job_id": f"job-{key}", "request": request,
            "name": name, "sku": name}


def poll(seq):
    return {"seq": seq, "t_ms": seq, "method": "GET", "path": "/versioned/jobs/x",
            "connection": "c1", "idempotency_key": None, "body_sha256": None, "status": 200,
            "job_id": "x", "accepted": False, "replay": False, "effect": False, "fault": None}


NAMES = ["shirt", "shoe"]
# A repeat of the first write under its key, as a crash leaves it, is right.
HONEST = [
    send(1, "k1", "b1"), send(2, "k2", "b2", accepted=False, effect=False, status=429),
    send(3, "k1", "b1", replay=True, effect=False), effect(4, 1, "k1", "shirt"), poll(5),
    send(6, "k2", "b2"), effect(7, 6, "k2", "shoe"), poll(8),
]


class Lies(unittest.TestCase):
    def found(self, change, *words):
        lines = copy.deepcopy(HONEST)
        change(lines)
        problems = judge.judge(lines, NAMES)
        for word in words:
            self.assertTrue(any(word in problem for problem in problems), (word, problems))

    def test_an_honest_ledger_is_right(self):
        self.assertEqual(judge.judge(HONEST, NAMES), [])

    def test_an_empty_ledger_has_lost_everything(self):
        self.assertIn("2 lost, no effect: shirt, shoe", judge.judge([], NAMES))

    def test_a_lost_item_is_found(self):
        self.found(lambda lines: lines.pop(6), "1 lost", "shoe", "1 effects, 2 expected")

    def test_an_item_done_twice_under_one_key_is_found(self):
        self.found(lambda lines: lines.append(effect(9, 1, "k1", "shirt")), "shirt (2 times)")

    def test_an_item_done_twice_under_two_keys_is_found(self):
        def change(lines):
            lines += [send(9, "k9", "b1"), effect(10, 9, "k9", "shirt")]
        self.found(change, "shirt (2 times)", "shirt has effects under 2 keys: k1, k9")

    def test_a_second_key_for_one_request_is_found_even_without_effect(self):
        self.found(lambda lines: lines.append(send(9, "k9", "b1", effect=False)),
                   "one request (POST /versioned/products) has 2 keys: k1, k9")

    def test_a_second_key_after_a_job_without_effect_is_right_when_the_server_does_that(self):
        lines = HONEST + [send(9, "k9", "b1", effect=False)]
        self.assertEqual(judge.judge(lines, NAMES, rekeyed=True), [])
        lines.append(effect(10, 9, "k9", "shirt"))
        self.assertIn("one request (POST /versioned/products) has 2 keys: k1, k9",
                      judge.judge(lines, NAMES, rekeyed=True))

    def test_other_bytes_under_a_used_key_are_found(self):
        self.found(lambda lines: lines[2].update(body_sha256="other"),
                   "key k1 travelled with 2 different requests")

    def test_another_path_under_a_used_key_is_found(self):
        self.found(lambda lines: lines[2].update(path="/versioned/orders"),
                   "key k1 travelled with 2 different requests")

    def test_another_connection_under_a_used_key_is_found(self):
        self.found(lambda lines: lines[2].update(connection="c2"),
                   "key k1 travelled with 2 different requests")

    def test_a_write_without_key_is_found(self):
        self.found(lambda lines: lines[0].update(idempotency_key=None), "without idempotency key")

    def test_an_effect_that_nobody_asked_for_is_found(self):
        self.found(lambda lines: lines[6].update(name="sock"), "nobody asked for: sock", "1 lost")

    def test_a_ledger_that_contradicts_itself_is_found(self):
        self.found(lambda lines: lines[3].update(request=5), "request 5, which is no write")
        self.found(lambda lines: lines[3].update(idempotency_key="k2"), "different keys")


if __name__ == "__main__":
    unittest.main()
