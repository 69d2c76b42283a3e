"""Idempotency keys: the stored result of the first accepted request."""

import unittest

from simulator import OTHER_TOKEN, SimulatorTest, invoice, product


class Keys(SimulatorTest):
    def test_a_replay_names_the_same_job_and_has_no_second_effect(self):
        first = self.sim.send("/products", product("a"), "k")
        second = self.sim.send("/products", product("a"), "k")
        self.assertEqual(first.status, 200)
        self.assertEqual(second.json, first.json)
        self.assertEqual(second.job_id, first.job_id)
        self.assertEqual(len(self.sim.effects()), 1)
        self.assertEqual([r["replay"] for r in self.sim.requests()], [False, True])

    def test_the_same_key_with_another_body_is_a_conflict(self):
        self.sim.send("/products", product("a"), "k")
        answer = self.sim.send("/products", product("b"), "k")
        self.assertEqual(answer.status, 409)
        self.assertIsNone(answer.job_id)
        self.assertEqual(len(self.sim.effects()), 1)

    def test_the_same_key_on_another_path_is_a_conflict(self):
        self.sim.send("/products", product("a"), "k")
        self.assertEqual(self.sim.send("/accounting/invoices", invoice("a"), "k").status, 409)

    def test_keys_belong_to_the_organisation_not_to_a_connection(self):
        self.sim.send("/products", product("a"), "k")
        self.assertEqual(self.sim.send("/products", product("a"), "k", token=OTHER_TOKEN).status, 409)

    def test_a_refused_request_leaves_its_key_free(self):
        refused = self.sim.send("/products", {"product": {"name": "a"}}, "k")
        self.assertEqual(refused.status, 400)
        self.assertIsNone(refused.job_id)
        self.assertEqual(self.sim.send("/products", product("a"), "k").status, 200)

    def test_a_failed_job_is_stored_like_a_successful_one(self):
        first = self.sim.send("/products", product("sim:job-450"), "k")
        second = self.sim.send("/products", product("sim:job-450"), "k")
        self.assertEqual(second.job_id, first.job_id)
        self.assertEqual(self.sim.poll(first.job_id).json["response"]["http_status"], 450)
        self.assertEqual(self.sim.effects(), [])

    def test_without_a_key_every_request_is_a_write_of_its_own(self):
        first = self.sim.send("/products", product("a"))
        second = self.sim.send("/products", product("a"))
        self.assertNotEqual(first.job_id, second.job_id)
        self.assertEqual(len(self.sim.effects()), 2)
        self.assertEqual(self.sim.stats()["duplicate_effects_by_name"], 1)

    def test_operations_without_jobs_ignore_the_key(self):
        order = {
            "order": {
                "currency_code": "EUR",
                "line_items": [],
                "customer": {},
                "billing_address": {},
            }
        }
        first = self.sim.send("/orders", order, "k")
        second = self.sim.send("/orders", order, "k")
        self.assertEqual((first.status, second.status), (200, 200))
        self.assertIsNone(first.job_id)
        self.assertNotEqual(first.json["order"]["id"], second.json["order"]["id"])
        self.assertEqual(len(self.sim.effects()), 2)

    def test_a_key_over_100_characters_is_a_500(self):
        self.assertEqual(self.sim.send("/products", product("a"), "k" * 100).status, 200)
        self.assertEqual(self.sim.send("/products", product("a"), "k" * 101).status, 500)

    def test_a_reset_frees_keys_and_forgets_jobs(self):
        first = self.sim.send("/products", product("a"), "k")
        self.sim.reset()
        self.assertEqual(self.sim.stats()["keys"], 0)
        self.assertEqual(self.sim.poll(first.job_id).status, 404)
        self.assertEqual(self.sim.send("/products", product("b"), "k").status, 200)


class KeysWithoutEcho(Keys):
    options = ("--no-echo",)


class Forgotten(SimulatorTest):
    """A key that is not remembered any more makes a second job."""

    options = ("--key-retention", "1h")

    def forget(self, body):
        return self.sim.call("POST", "/_sim/forget-keys", body)

    def test_on_request_all_keys_are_forgotten(self):
        first = self.sim.send("/products", product("a"), "k")
        self.assertEqual(self.forget(None).status, 200)
        second = self.sim.send("/products", product("a"), "k")
        third = self.sim.send("/products", product("a"), "k")
        self.assertNotEqual(second.job_id, first.job_id)
        self.assertEqual(third.job_id, second.job_id)
        self.assertEqual(len(self.sim.effects()), 2)
        entities = [self.sim.poll(one.job_id).json["response"]["body"] for one in (first, second)]
        self.assertNotEqual(entities[0], entities[1])

    def test_after_the_retention_a_key_is_free_for_another_body(self):
        first = self.sim.send("/products", product("a"), "k")
        self.forget({"passed_ms": 3599000})
        self.assertEqual(self.sim.send("/products", product("a"), "k").job_id, first.job_id)
        self.forget({"passed_ms": 1001})
        self.assertEqual(self.sim.send("/products", product("b"), "k").status, 200)
        self.assertEqual([r["replay"] for r in self.sim.requests()], [False, True, False])

    def test_wrong_requests_are_refused(self):
        for body in (b"{", {}, {"passed_ms": -1}, {"passed_ms": "1"}):
            self.assertEqual(self.forget(body).status, 400)


if __name__ == "__main__":
    unittest.main()
