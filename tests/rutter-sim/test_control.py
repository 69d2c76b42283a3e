"""/_sim: scripted answers, the ledger, counts, connection states."""

import hashlib
import json
import time
import unittest

from simulator import CLOSED, OTHER_TOKEN, TOKEN, SimulatorTest, head, invoice, product


class Script(SimulatorTest):
    def test_named_outcomes_are_taken_in_order(self):
        self.sim.fail("429", "poll-500", "450")
        statuses = [self.sim.send("/products", product("a"), "k").status for _ in range(3)]
        self.assertEqual(statuses, [429, 450, 200])
        job_id = self.sim.send("/products", product("a"), "k").job_id
        self.assertEqual([self.sim.poll(job_id).status for _ in range(2)], [500, 200])
        self.assertEqual(self.sim.stats()["script_left"], 0)

    def test_an_answer_may_be_spelled_out(self):
        self.sim.fail({"status": 418, "headers": {"X-Rutter-Job-ID": "j", "Retry-After": "7"}, "body": {"a": 1}})
        answer = self.sim.send("/products", product("a"), "k")
        self.assertEqual((answer.status, answer.json), (418, {"a": 1}))
        self.assertEqual((answer.job_id, answer.headers["Retry-After"]), ("j", "7"))
        self.assertEqual(self.sim.effects(), [])

    def test_a_spelled_out_answer_may_follow_the_act(self):
        self.sim.fail({"status": 500, "body": "", "act": True})
        self.assertEqual(self.sim.send("/products", product("a"), "k").status, 500)
        self.assertEqual(len(self.sim.effects()), 1)
        self.assertTrue(self.sim.send("/products", product("a"), "k").job_id)
        self.assertEqual(len(self.sim.effects()), 1)

    def test_it_goes_before_credentials(self):
        self.sim.fail({"status": 200, "body": "{}"})
        self.assertEqual(self.sim.call("POST", "/versioned/products", {}, {}).status, 200)

    def test_close_and_delay(self):
        self.sim.fail({"close": True}, {"status": 503, "delay_ms": 120})
        with self.assertRaises(CLOSED):
            self.sim.send("/products", product("a"), "k")
        start = time.monotonic()
        self.assertEqual(self.sim.send("/products", product("a"), "k").status, 503)
        self.assertGreater(time.monotonic() - start, 0.11)

    def test_on_times_and_match_choose_the_requests(self):
        self.sim.fail(
            {"on": "poll", "status": 500, "times": 2},
            {"outcome": "452", "match": "needle"},
        )
        job_id = self.sim.send("/products", product("a"), "k").job_id
        self.assertEqual([self.sim.poll(job_id).status for _ in range(3)], [500, 500, 200])
        self.assertEqual(self.sim.send("/products", product("needle"), "n").status, 452)
        self.assertEqual(self.sim.send("/products", product("needle"), "n").status, 200)

    def test_job_ends_can_be_scripted(self):
        self.sim.fail("job-450")
        job_id = self.sim.send("/products", product("a"), "k").job_id
        self.assertEqual(self.sim.poll(job_id).json["response"]["http_status"], 450)

    def test_connections_can_be_closed_unread(self):
        self.sim.call("POST", "/_sim/fail", {"drop_connections": 2})
        for _ in range(2):
            with self.assertRaises(CLOSED):
                self.sim.send("/products", product("a"), "k")
        self.assertEqual(self.sim.send("/products", product("a"), "k").status, 200)
        self.assertEqual(len(self.sim.requests()), 1)
        self.assertEqual(self.sim.stats()["dropped_connections"], 2)

    def test_wrong_scripts_are_refused_whole(self):
        for wrong in (["nothing"], [{"statsu": 1}], [{"status": 7}], [{"on": "x"}], [1], ["429", "x"]):
            answer = self.sim.call("POST", "/_sim/fail", {"next": wrong})
            self.assertEqual(answer.status, 400)
            self.assertTrue(answer.json["error"])
        for wrong in (b"", b"{", b"[]", b"{}", b'{"drop_connections":-1}', b'{"next":1}'):
            self.assertEqual(self.sim.call("POST", "/_sim/fail", wrong).status, 400)
        self.assertEqual(self.sim.stats()["script_left"], 0)


class Ledger(SimulatorTest):
    def test_a_request_line_says_what_came_and_what_was_answered(self):
        body = json.dumps(product("a")).encode()
        answer = self.sim.send("/products", body, "k")
        line = self.sim.requests()[0]
        expected = {
            "seq": 1,
            "method": "POST",
            "path": "/versioned/products",
            "connection": hashlib.sha256(TOKEN.encode()).hexdigest()[:12],
            "idempotency_key": "k",
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "status": 200,
            "job_id": answer.job_id,
            "accepted": True,
            "replay": False,
            "effect": True,
            "fault": None,
            "job_fault": None,
        }
        line.pop("t_ms")
        self.assertEqual(line, expected)

    def test_a_request_line_names_what_befell_its_answer_and_its_job(self):
        self.sim.send("/products", product("sim:lost-502 sim:job-450"), "k")
        line = self.sim.requests()[0]
        self.assertEqual((line["fault"], line["job_fault"]), ("lost-502", "job-450"))

    def test_an_effect_line_names_what_was_written(self):
        job_id = self.sim.send("/accounting/invoices", invoice("INV-7"), "k", token=OTHER_TOKEN).job_id
        line = self.sim.effects()[0]
        self.assertEqual(
            (line["effect"], line["request"], line["name"], line["idempotency_key"], line["job_id"]),
            (2, 1, "INV-7", "k", job_id),
        )
        self.sim.send("/products", {"product": {"description": "d", "name": "", "variants": [{"sku": "S9"}]}})
        self.assertEqual((self.sim.effects()[1]["name"], self.sim.effects()[1]["sku"]), ("S9", "S9"))

    def test_refused_and_lost_requests_are_lines_too(self):
        self.sim.send("/products", b"{", "k")
        self.sim.call("GET", "/versioned/jobs/x", None, {})
        self.sim.call("PUT", "/else?access_token=" + TOKEN, b"x", head())
        lines = self.sim.requests()
        self.assertEqual([line["status"] for line in lines], [400, 401, 404])
        self.assertEqual([line["method"] for line in lines], ["POST", "GET", "PUT"])
        self.assertEqual(lines[0]["body_sha256"], hashlib.sha256(b"{").hexdigest())

    def test_the_token_never_shows(self):
        self.sim.send("/products", product("a"), "k")
        self.sim.send("/products", product("a"), "k", token="not-accepted-token")
        text = self.sim.call("GET", "/_sim/ledger").body
        self.assertNotIn(TOKEN.encode(), text)
        self.assertNotIn(b"not-accepted-token", text)

    def test_it_can_be_paged(self):
        for number in range(5):
            self.sim.send("/products", product(str(number)))
        whole = self.sim.ledger()
        self.assertEqual(len(whole), 10)
        self.assertEqual(self.sim.ledger("?from=4"), whole[3:])
        self.assertEqual(self.sim.ledger("?from=4&limit=2"), whole[3:5])
        self.assertEqual(self.sim.ledger("?from=11"), [])

    def test_a_long_one_comes_whole(self):
        connection = self.sim.connect()
        for number in range(1500):
            self.sim.send("/products", product(str(number)), connection=connection)
        connection.close()
        whole = self.sim.ledger()
        self.assertEqual([line.get("seq", line.get("effect")) for line in whole if "seq" in line or "request" in line],
                         list(range(1, 3001)))

    def test_odd_bytes_keep_the_lines_json(self):
        self.sim.send("/products", product('q"\\\u00e9\n'), 'k"\\')
        self.sim.call("POST", '/versioned/x"y', b"", head())
        self.assertEqual(self.sim.effects()[0]["name"], 'q"\\\u00e9\n')
        self.assertEqual(self.sim.requests()[0]["idempotency_key"], 'k"\\')

    def test_stats_count(self):
        job_id = self.sim.send("/products", product("a"), "k").job_id
        self.sim.send("/products", product("a"), "k")
        self.sim.poll(job_id)
        stats = self.sim.stats()
        self.assertEqual((stats["requests"], stats["sends"], stats["polls"]), (3, 2, 1))
        self.assertEqual(stats["by_status"], {"200": 3})
        self.assertEqual((stats["jobs"], stats["keys"], stats["effects"]), (1, 1, 1))
        self.assertEqual(stats["duplicate_effects_by_name"], 0)
        self.assertGreater(stats["cpu_us"], 0)


class Connections(SimulatorTest):
    def status(self):
        return self.sim.call("GET", "/versioned/connections/status?access_token=" + TOKEN, None, head())

    def set_state(self, state, **other):
        answer = self.sim.call("POST", "/_sim/connection", dict(other, state=state))
        self.assertEqual(answer.status, 200)

    def test_a_connection_is_ready_unless_told_otherwise(self):
        status = self.status().json["status"]
        self.assertTrue(status["is_ready"])
        self.assertFalse(status["disabled_status"]["is_disabled"])
        self.assertFalse(status["needs_update_status"]["needs_update"])

    def test_a_state_refuses_writes_until_it_is_ready_again(self):
        for state, code in (
            ("not-ready", "PRODUCT_NOT_READY"),
            ("disabled", "CONNECTION_DISABLED"),
            ("needs-update", "NEEDS_UPDATE"),
            ("revoked", "PLATFORM_UNAUTHORIZED"),
        ):
            self.set_state(state, access_token=TOKEN)
            self.assertEqual(self.sim.send("/products", product("a"), "k" + state).code, code)
            self.assertEqual(self.sim.send("/products", product("a"), token=OTHER_TOKEN).status, 200)
            self.set_state("ready")
            self.assertEqual(self.sim.send("/products", product("a"), "k" + state).status, 200)

    def test_the_status_shows_the_state(self):
        self.set_state("disabled", access_token=TOKEN)
        self.assertTrue(self.status().json["status"]["disabled_status"]["is_disabled"])
        self.set_state("not-ready", access_token=TOKEN)
        self.assertFalse(self.status().json["status"]["is_ready"])

    def test_connections_are_listed_with_basic_credentials_alone(self):
        self.sim.send("/products", product("a"))
        answer = self.sim.call("GET", "/versioned/connections", None, head())
        self.assertIn(TOKEN, [c["access_token"] for c in answer.json["connections"]])
        self.assertEqual(self.sim.call("GET", "/versioned/connections", None, {}).status, 401)

    def test_unknown_states_are_refused(self):
        for wrong in (b"", b"[]", b'{"state":"x"}', b'{"state":"ready","access_token":"x"}'):
            self.assertEqual(self.sim.call("POST", "/_sim/connection", wrong).status, 400)

    def test_other_paths_are_a_404(self):
        self.assertEqual(self.sim.call("GET", "/_sim/nothing").status, 404)


if __name__ == "__main__":
    unittest.main()
