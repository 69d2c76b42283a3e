"""Answers of a server that means no good: on the wire, in addresses, in size and depth, in time."""

import email.utils
import gzip
import json
import time
import unittest

from simulator import Simulator, SimulatorTest, new_key, product


class HostileTest(SimulatorTest):
    options = ("--foreign-origin", "http://127.0.0.1:9")

    def raw(self, name, limit=1 << 30):
        """What comes back on a connection that sends one request, up to so many bytes."""
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
        while len(text) < limit and (chunk := connection.sock.recv(65536)):
            text += chunk
        connection.close()
        return text

    def sent(self, name):
        self.sim.reset()
        return self.sim.send("/products", product("sim:" + name), new_key())


class Wire(HostileTest):
    def test_all_of_them_have_acted(self):
        for name in ("no-head", "bad-status-line", "header-flood", "no-date"):
            self.sim.reset()
            self.raw(name)
            self.assertEqual(len(self.sim.effects()), 1, name)

    def test_no_head_and_a_bad_status_line(self):
        self.assertTrue(self.raw("no-head").startswith(b'{"async_response"'))
        self.sim.reset()
        self.assertTrue(self.raw("bad-status-line").startswith(b"HTTP/1.1 banana"))

    def test_a_flood_of_headers_and_a_storm_of_hints_come_before_a_right_body(self):
        text = self.raw("header-flood")
        self.assertGreater(text.index(b"\r\n\r\n"), 100000)
        self.assertIn(b'"async_response"', text)
        self.sim.reset()
        text = self.raw("hints-storm")
        self.assertEqual(text.count(b"HTTP/1.1 103"), 1000)
        self.assertIn(b'"async_response"', text)

    def test_some_have_no_end(self):
        for name in ("endless-headers", "endless-hints", "endless-body"):
            self.sim.reset()
            self.assertGreaterEqual(len(self.raw(name, 3 << 20)), 3 << 20)
        self.assertEqual(self.sim.send("/products", product("next")).status, 200)

    def test_a_trickle_is_slow_from_the_first_byte_on(self):
        begin = time.monotonic()
        self.assertEqual(self.raw("trickle", 4), b"HTTP")
        self.assertGreater(time.monotonic() - begin, 0.5)

    def test_a_script_can_send_any_bytes(self):
        self.sim.fail({"raw": "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\n{}", "act": True})
        answer = self.sim.send("/products", product("a"))
        self.assertEqual((answer.status, answer.body), (200, b"{}"))
        self.assertEqual(len(self.sim.effects()), 1)

    def test_polls_have_them_too(self):
        job = self.sent("poll-redirect sim:poll-gzip").job_id
        answer = self.sim.poll(job)
        self.assertEqual(answer.status, 302)
        self.assertEqual(answer.headers["Location"], "http://127.0.0.1:9/versioned/elsewhere")
        self.assertEqual(self.sim.poll(self.sent("poll-huge").job_id).json["status"], "success")


class Addresses(HostileTest):
    def url(self, name):
        return self.sent(name).json["async_response"]["response_url"]

    def test_each_form(self):
        own, host = "http://" + self.sim.host, self.sim.host
        for name, start, end in (
            ("foreign-url", "http://127.0.0.1:9/versioned/jobs/", ""),
            ("url-userinfo", own + "@127.0.0.1:9/versioned/jobs/", ""),
            ("url-file", "file:///etc/hostname", ""),
            ("url-port", "http://127.0.0.1:9/versioned/jobs/", ""),
            ("url-scheme", "https://" + host + "/versioned/jobs/", ""),
            ("url-traversal", own + "/versioned/jobs/../", ""),
            ("url-token", own + "/versioned/jobs/", "?access_token=from-the-server"),
            ("url-fragment", own + "/versioned/jobs/", "#fragment"),
            ("url-crlf", own + "/versioned/jobs/", "\r\nX-Injected: 1"),
            ("url-relative", "/versioned/jobs/", ""),
            ("url-long", own + "/uuuu", ""),
        ):
            with self.subTest(name):
                url = self.url(name)
                self.assertTrue(url.startswith(start) and url.endswith(end), url[:200])

    def test_redirects(self):
        for name, status, effects in (
            ("redirect", 302, 0),
            ("redirect-301", 301, 0),
            ("redirect-303", 303, 0),
            ("redirect-307", 307, 0),
            ("redirect-308", 308, 0),
            ("acted-redirect", 307, 1),
        ):
            answer = self.sent(name)
            self.assertEqual((answer.status, answer.job_id), (status, None))
            self.assertEqual(answer.headers["Location"], "http://127.0.0.1:9/versioned/elsewhere")
            self.assertEqual(len(self.sim.effects()), effects)


class Bodies(HostileTest):
    def test_size_depth_and_compression(self):
        huge = self.sent("huge")
        self.assertGreater(len(huge.body), 5 << 20)
        self.assertIn("async_response", huge.json)
        self.assertGreater(self.sent("deep").body.count(b"["), 99999)
        packed = self.sent("gzip")
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertIn("async_response", json.loads(gzip.decompress(packed.body)))

    def test_a_job_may_vanish_with_or_without_its_effect(self):
        for name, effects in (("vanished", 0), ("lost-job", 1)):
            answer = self.sent(name)
            self.assertEqual(self.sim.poll(answer.job_id).status, 404)
            self.assertEqual(len(self.sim.effects()), effects)


class Dates(HostileTest):
    def test_a_date_may_be_missing_or_none(self):
        self.assertNotIn("Date", self.sent("no-date").headers)
        self.assertIn("yesterday", self.sent("bad-date").headers["Date"])
        self.assertIsNotNone(email.utils.parsedate(self.sent("bare").headers["Date"]))

    def test_the_servers_clock_may_be_wrong(self):
        for skew, hours in (("2h", 2), ("-25h", -25)):
            sim = Simulator("--clock-skew", skew)
            self.addCleanup(sim.stop)
            date = sim.send("/products", product("a")).headers["Date"]
            ahead = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
            self.assertAlmostEqual(ahead / 3600, hours, delta=0.1)


if __name__ == "__main__":
    unittest.main()
