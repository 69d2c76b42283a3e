"""Outcomes forced by the text sim:NAME in a body."""

import email.utils
import http.client
import json
import time
import unittest

from simulator import CLOSED, SimulatorTest, product


class Refusals(SimulatorTest):
    def test_each_is_answered_without_a_job_and_without_an_effect(self):
        for name in ("400 401 403 404 408 409 410 413 415 422 418 429 450 451 452 500 502 503 504 "
                     "550 599").split():
            with self.subTest(name):
                answer = self.sim.send("/products", product("sim:" + name), name)
                self.assertEqual(answer.status, int(name))
                self.assertIsNone(answer.job_id)
                self.assertTrue(answer.code)
        self.assertEqual(self.sim.effects(), [])
        self.assertEqual({r["accepted"] for r in self.sim.requests()}, {False})

    def test_lasting_ones_last_and_passing_ones_pass(self):
        for name, second in (("450", 450), ("500", 500), ("401", 401), ("429", 200), ("452", 200)):
            with self.subTest(name):
                body = product("sim:" + name)
                self.assertEqual(self.sim.send("/products", body, name).status, int(name))
                self.assertEqual(self.sim.send("/products", body, name).status, second)

    def test_a_number_behind_the_name_says_how_often(self):
        twice = [self.sim.send("/products", product("sim:500*2"), "a").status for _ in range(3)]
        always = [self.sim.send("/products", product("sim:429*0"), "b").status for _ in range(3)]
        self.assertEqual(twice, [500, 500, 200])
        self.assertEqual(always, [429, 429, 429])

    def test_unknown_names_are_plain_text(self):
        for name in ("sim:", "sim:nothing", "a sim: b", "sim:sim:"):
            self.assertEqual(self.sim.send("/products", product(name)).status, 200)

    def test_retry_after_comes_in_all_forms(self):
        values = {}
        for name in ("429", "429-date", "429-bare", "429-zero", "429-garbage", "429-huge"):
            values[name] = self.sim.send("/products", product("sim:" + name)).headers["Retry-After"]
        self.assertEqual(values.pop("429-date")[-4:], " GMT")
        self.assertEqual(
            values,
            {"429": "1", "429-bare": None, "429-zero": "0", "429-garbage": "soon", "429-huge": "1000000000"},
        )

    def test_retry_after_as_a_date_is_a_second_ahead(self):
        answer = self.sim.send("/products", product("sim:429-date"))
        then = email.utils.parsedate_to_datetime(answer.headers["Retry-After"]).timestamp()
        self.assertLess(abs(then - time.time()), 3)

    def test_connection_errors_have_their_codes(self):
        for name, code in (
            ("not-ready", "PRODUCT_NOT_READY"),
            ("disabled", "CONNECTION_DISABLED"),
            ("needs-update", "NEEDS_UPDATE"),
        ):
            self.assertEqual(self.sim.send("/products", product("sim:" + name)).code, code)

    def test_gateways_answer_html(self):
        for name, status in (("html-502", 502), ("html-503", 503), ("captive", 200)):
            answer = self.sim.send("/products", product("sim:" + name))
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["Content-Type"], "text/html")
            self.assertIsNone(answer.job_id)
        self.assertEqual(self.sim.effects(), [])


class Wire(SimulatorTest):
    def lost(self, name, key="k"):
        with self.assertRaises(CLOSED):
            self.sim.send("/products", product("sim:" + name), key)

    def test_closed_before_acting_has_no_effect(self):
        for name in ("close-early", "reset-early"):
            self.lost(name, name)
            self.assertEqual(self.sim.requests()[-1]["status"], 0)
            self.assertEqual(self.sim.effects(), [])
        self.assertEqual(self.sim.send("/products", product("sim:close-early"), "close-early").status, 200)

    def test_closed_after_acting_has_its_effect_and_is_replayed(self):
        for name in ("close", "reset"):
            self.lost(name, name)
            answer = self.sim.send("/products", product("sim:" + name), name)
            self.assertEqual(answer.status, 200)
            effects = [e for e in self.sim.effects() if e["idempotency_key"] == name]
            self.assertEqual([e["job_id"] for e in effects], [answer.job_id])

    def test_a_hanging_answer_never_comes(self):
        for name, effects in (("hang-early", 0), ("hang", 1)):
            connection = http.client.HTTPConnection(self.sim.host, timeout=0.2)
            with self.assertRaises(TimeoutError):
                self.sim.send("/products", product("sim:" + name), name, connection=connection)
            connection.close()
            self.assertEqual(self.sim.requests()[-1]["status"], 0)
            self.assertEqual(len(self.sim.effects()), effects)

    def test_bodies_are_cut(self):
        for name in ("truncated", "reset-body", "chunks-cut"):
            self.lost(name, name)
        self.assertEqual(len(self.sim.effects()), 3)

    def test_a_cut_body_without_a_length_looks_whole(self):
        answer = self.sim.send("/products", product("sim:no-length"), "k")
        self.assertNotIn("Content-Length", answer.headers)
        with self.assertRaises(ValueError):
            answer.json

    def test_a_dripping_body_arrives_in_the_end(self):
        start = time.monotonic()
        answer = self.sim.send("/products", product("sim:drip"), "k")
        self.assertIn("async_response", answer.json)
        self.assertGreater(time.monotonic() - start, 0.2)

    def test_two_answers_come_for_one_request(self):
        text = self.raw("two-answers")
        self.assertEqual(text.count(b"HTTP/1.1 200 OK\r\n"), 2)
        self.assertEqual(text.count(b'{"async_response"'), 2)
        self.assertEqual(len(self.sim.effects()), 1)

    def test_early_hints_come_before_the_answer(self):
        text = self.raw("early-hints")
        self.assertEqual(text.count(b"HTTP/1.1 103 Early Hints\r\n\r\n"), 3)
        self.assertTrue(text.split(b"\r\n\r\n")[3].startswith(b"HTTP/1.1 200 OK"))

    def raw(self, name):
        """All that comes back on a connection that sends one request."""
        connection = self.sim.connect()
        connection.connect()
        body = json.dumps(product("sim:" + name)).encode()
        head = (
            "POST /versioned/products?access_token=11111111-2222-4333-8444-555555555555 HTTP/1.1\r\n"
            "Host: x\r\nAuthorization: Basic c2ltLWNsaWVudDpzaW0tc2VjcmV0\r\n"
            "X-Rutter-Version: 2024-08-31\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sock.sendall(head.encode() + body)
        text = b""
        while chunk := connection.sock.recv(65536):
            text += chunk
        connection.close()
        return text


class Changed(SimulatorTest):
    def changed(self, name):
        answer = self.sim.send("/products", product("sim:" + name), name)
        self.assertEqual(len(self.sim.effects()), 1)
        return answer

    def test_bodies_that_are_no_json(self):
        for name, has_id in (("garbage", True), ("garbage-no-job-id", False), ("empty", True), ("html-200", False)):
            with self.subTest(name):
                self.sim.reset()
                answer = self.changed(name)
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.job_id is not None, has_id)
                with self.assertRaises(ValueError):
                    answer.json

    def test_errors_after_acceptance_name_the_job(self):
        for status in (400, 500, 503, 550):
            with self.subTest(status):
                self.sim.reset()
                answer = self.changed(f"accepted-{status}")
                self.assertEqual(answer.status, status)
                self.assertEqual(self.sim.poll(answer.job_id).json["status"], "success")

    def test_a_gateway_may_lose_the_answer_of_an_accepted_write(self):
        answer = self.changed("lost-502")
        self.assertEqual((answer.status, answer.job_id), (502, None))
        self.assertTrue(self.sim.send("/products", product("sim:lost-502"), "lost-502").job_id)
        self.assertEqual(len(self.sim.effects()), 1)

    def test_other_shapes_of_the_answer(self):
        self.assertEqual(set(self.changed("bare").json), {"id", "response_url", "status"})
        self.sim.reset()
        self.assertEqual(self.changed("entity").json["product"]["name"], "sim:entity")
        self.sim.reset()
        self.assertEqual(set(self.changed("errors-only").json), {"errors"})
        self.sim.reset()
        answer = self.changed("foreign-url")
        self.assertIn("https://jobs.rutter.example/", answer.json["async_response"]["response_url"])
        self.sim.reset()
        self.assertEqual(self.changed("no-content").status, 204)
        self.sim.reset()
        self.assertEqual(self.changed("wrong-type").headers["Content-Type"].split(";")[0], "text/plain")
        self.sim.reset()
        self.assertEqual(self.changed("duplicate-keys").body.count(b'"status"'), 3)
        self.sim.reset()
        self.assertIn("/", self.changed("bad-id").json["async_response"]["id"])

    def test_a_broken_server_names_two_jobs_for_one_key(self):
        first = self.sim.send("/products", product("sim:second-job"), "k")
        second = self.sim.send("/products", product("sim:second-job"), "k")
        self.assertNotEqual(first.job_id, second.job_id)


class JobEnds(SimulatorTest):
    def job(self, name):
        sent = self.sim.send("/products", product("sim:" + name), name)
        self.assertEqual(sent.status, 200)
        return self.sim.poll(sent.job_id)

    def effects(self, name):
        return len([e for e in self.sim.effects() if e["idempotency_key"] == name])

    def test_failures_have_their_status_and_no_effect(self):
        for status in (400, 404, 409, 410, 429, 450, 451, 452, 500, 503, 550):
            with self.subTest(status):
                job = self.job(f"job-{status}").json
                self.assertEqual(job["status"], "failure")
                self.assertEqual(job["response"]["http_status"], status)
                self.assertTrue(job["response"]["body"]["error_code"])
        self.assertEqual(self.sim.effects(), [])

    def test_a_throttled_job_passes_in_its_next_generation(self):
        body = product("sim:job-452")
        first = self.sim.send("/products", body, "g1")
        again = self.sim.send("/products", body, "g1")
        second = self.sim.send("/products", body, "g2")
        self.assertEqual(again.job_id, first.job_id)
        self.assertEqual(self.sim.poll(first.job_id).json["response"]["http_status"], 452)
        self.assertEqual(self.sim.poll(second.job_id).json["status"], "success")
        self.assertEqual([e["idempotency_key"] for e in self.sim.effects()], ["g2"])

    def test_ends_that_are_hard_to_judge(self):
        self.assertEqual(self.job("partial").json["status"], "partial_success")
        self.assertEqual(self.job("pending").json["status"], "prequeued")
        self.assertNotIn("body", self.job("no-body").json["response"])
        self.assertNotIn("response", self.job("no-response").json)
        self.assertNotIn("http_status", self.job("no-http-status").json["response"])
        self.assertEqual(self.job("inconsistent").json["response"]["http_status"], 400)
        self.assertNotEqual(self.job("wrong-key").json["request"]["idempotency_key"], "wrong-key")
        self.assertEqual(self.job("job-550-acted").json["response"]["http_status"], 550)
        self.assertEqual(
            {n: self.effects(n) for n in ("partial", "pending", "no-body", "inconsistent", "job-550-acted")},
            {"partial": 1, "pending": 0, "no-body": 1, "inconsistent": 0, "job-550-acted": 1},
        )

    def test_a_lost_job_is_never_found_though_it_acted(self):
        sent = self.sim.send("/products", product("sim:lost-job"), "k")
        self.assertEqual([self.sim.poll(sent.job_id).status for _ in range(4)], [404] * 4)
        self.assertEqual(len(self.sim.effects()), 1)

    def test_a_late_job_is_found_at_the_third_poll(self):
        sent = self.sim.send("/products", product("sim:late-job"), "k")
        self.assertEqual([self.sim.poll(sent.job_id).status for _ in range(3)], [404, 404, 200])

    def test_a_wrong_id_and_a_final_state_that_changes(self):
        sent = self.sim.send("/products", product("sim:wrong-id"), "a")
        self.assertNotEqual(self.sim.poll(sent.job_id).json["id"], sent.job_id)
        sent = self.sim.send("/products", product("sim:flip"), "b")
        self.assertEqual(self.sim.poll(sent.job_id).json["status"], "success")
        self.assertEqual(self.sim.poll(sent.job_id).json["status"], "failure")

    def test_odd_states_end_well(self):
        for name, odd in (("odd-status", "processing"), ("regress", "prequeued")):
            sent = self.sim.send("/products", product("sim:" + name), name)
            seen = set()
            while "success" not in seen:
                seen.add(self.sim.poll(sent.job_id).json["status"])
            self.assertIn(odd, seen)

    def test_a_broken_server_acts_twice(self):
        self.job("acts-twice")
        self.assertEqual(self.effects("acts-twice"), 2)
        self.assertEqual(self.sim.stats()["duplicate_effects_by_name"], 1)


class Polls(SimulatorTest):
    def test_each_is_answered_once_and_then_the_job(self):
        for name in "401 403 404 410 429 452 500 502 503".split():
            with self.subTest(name):
                sent = self.sim.send("/products", product("sim:poll-" + name), name)
                self.assertEqual(self.sim.poll(sent.job_id).status, int(name))
                self.assertEqual(self.sim.poll(sent.job_id).json["status"], "success")

    def test_the_connection_fails_under_a_poll(self):
        for name in "poll-close poll-reset poll-truncated poll-chunks-cut".split():
            with self.subTest(name):
                sent = self.sim.send("/products", product("sim:" + name), name)
                with self.assertRaises(CLOSED):
                    self.sim.poll(sent.job_id)
                self.assertEqual(self.sim.poll(sent.job_id).json["status"], "success")

    def test_bodies_of_polls_are_spoilt(self):
        for name in "poll-garbage poll-empty poll-html poll-no-length".split():
            with self.subTest(name):
                sent = self.sim.send("/products", product("sim:" + name), name)
                with self.assertRaises(ValueError):
                    self.sim.poll(sent.job_id).json
        sent = self.sim.send("/products", product("sim:poll-wrapped"), "w")
        self.assertEqual(self.sim.poll(sent.job_id).json["job"]["id"], sent.job_id)

    def test_two_texts_work_together(self):
        sent = self.sim.send("/products", product("sim:poll-429*2 sim:job-450"), "k")
        answers = [self.sim.poll(sent.job_id) for _ in range(3)]
        self.assertEqual([a.status for a in answers], [429, 429, 200])
        self.assertEqual(answers[2].json["response"]["http_status"], 450)


if __name__ == "__main__":
    unittest.main()
