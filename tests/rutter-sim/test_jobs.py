"""Jobs: states by time, answers by response_mode, and the address to poll."""

import time
import unittest

from simulator import SimulatorTest, head, product


class Jobs(SimulatorTest):
    def test_a_finished_job_shows_request_and_response(self):
        sent = self.sim.send("/products", product("a", price=1.5), "k")
        job = self.sim.poll(sent.job_id).json
        self.assertEqual(job["id"], sent.job_id)
        self.assertEqual(job["status"], "success")
        self.assertEqual(job["request"]["method"], "POST")
        self.assertEqual(job["request"]["idempotency_key"], "k")
        self.assertIn("/versioned/products?access_token=", job["request"]["url"])
        self.assertEqual(job["response"]["http_status"], 200)
        self.assertEqual(job["response"]["body"]["product"]["price"], 1.5)

    def test_both_forms_of_the_address_work(self):
        job_id = self.sim.send("/products", product("a"), "k").job_id
        for path in ("/versioned/jobs/", "/v2/jobs/"):
            answer = self.sim.call("GET", path + job_id, None, head())
            self.assertEqual(answer.json["status"], "success")

    def test_response_url_has_the_host_the_client_used(self):
        port = self.sim.host.split(":")[1]
        headers = dict(head(), Host="localhost:" + port)
        path = "/versioned/products?access_token=11111111-2222-4333-8444-555555555555"
        answer = self.sim.call("POST", path, product("a"), headers)
        url = answer.json["async_response"]["response_url"]
        self.assertTrue(url.startswith(f"http://localhost:{port}/versioned/jobs/"), url)

    def test_unknown_ids_are_a_404(self):
        job_id = self.sim.send("/products", product("a"), "k").job_id
        changed = ("0" if job_id[0] != "0" else "1") + job_id[1:]
        for wrong in (changed, job_id[:-1], job_id + "0", job_id[:28] + "zzzzzzzz", "x"):
            answer = self.sim.poll(wrong)
            self.assertEqual((answer.status, answer.code), (404, "NOT_FOUND"))

    def test_ids_of_operations_without_jobs_cannot_be_polled(self):
        self.sim.send("/products/1", {"product": {"name": "x"}}, "k", "PATCH")
        effect = self.sim.effects()[0]
        self.assertIsNone(effect["job_id"])
        self.assertEqual(effect["name"], "x")


class SlowJobs(SimulatorTest):
    options = ("--job-time", "400", "--sync-wait", "100")

    def test_a_job_goes_from_prequeued_over_pending_to_success(self):
        sent = self.sim.send("/products", product("a"), "k")
        self.assertEqual(sent.json["async_response"]["status"], "prequeued")
        seen = []
        end = time.monotonic() + 5
        while (not seen or seen[-1] != "success") and time.monotonic() < end:
            job = self.sim.poll(sent.job_id).json
            self.assertEqual("response" in job, job["status"] == "success")
            if not seen or seen[-1] != job["status"]:
                seen.append(job["status"])
        self.assertEqual(seen, ["prequeued", "pending", "success"])

    def test_the_effect_comes_with_the_end_of_the_job(self):
        job_id = self.sim.send("/products", product("a"), "k").job_id
        self.assertEqual(self.sim.effects(), [])
        while self.sim.poll(job_id).json["status"] != "success":
            pass
        self.assertEqual([e["job_id"] for e in self.sim.effects()], [job_id])
        self.assertGreaterEqual(self.sim.effects()[0]["t_ms"] - self.sim.requests()[0]["t_ms"], 400)

    def test_prefer_sync_answers_async_when_it_takes_too_long(self):
        answer = self.sim.send("/products", dict(product("a"), response_mode="prefer_sync"), "k")
        self.assertIn("async_response", answer.json)
        self.assertEqual(answer.status, 200)

    def test_a_synchronous_write_that_takes_too_long_is_a_504(self):
        body = {"product": product("a")["product"]}
        answer = self.sim.send("/products", body, "k")
        self.assertEqual(answer.status, 504)
        self.assertIsNone(answer.job_id)


class QuickJobs(SimulatorTest):
    options = ("--job-time", "20-40")

    def test_prefer_sync_and_nothing_wait_for_the_entity(self):
        for mode in ("prefer_sync", None):
            body = {"product": product("a")["product"]}
            if mode:
                body["response_mode"] = mode
            answer = self.sim.send("/products", body, "k" + str(mode))
            self.assertEqual(answer.json["product"]["name"], "a")
            self.assertTrue(answer.job_id)
            self.assertEqual(self.sim.poll(answer.job_id).json["status"], "success")

    def test_a_waiting_write_answers_the_error_of_its_job(self):
        body = {"product": product("sim:job-450")["product"]}
        answer = self.sim.send("/products", body, "k")
        self.assertEqual((answer.status, answer.code), (450, "PLATFORM_BAD_REQUEST"))
        self.assertTrue(answer.job_id)

    def test_operations_without_jobs_take_their_time_too(self):
        start = time.monotonic()
        self.sim.send("/products/1", {"product": {"name": "x"}}, None, "PATCH")
        self.assertGreaterEqual(time.monotonic() - start, 0.019)


if __name__ == "__main__":
    unittest.main()
