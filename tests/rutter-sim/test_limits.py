"""Limits of the organisation (429) and of a connection (452)."""

import unittest

from simulator import OTHER_TOKEN, SimulatorTest, head, product


class Organisation(SimulatorTest):
    options = ("--rate-limit", "5/30s")

    def test_sends_polls_and_reads_share_it(self):
        job_id = self.sim.send("/products", product("a"), "k").job_id
        self.sim.poll(job_id)
        self.sim.call("GET", "/versioned/connections", None, head())
        self.sim.send("/products", product("a"), "k")
        self.sim.send("/products", b"{", token=OTHER_TOKEN)
        answer = self.sim.send("/products", product("b"), "free")
        self.assertEqual((answer.status, answer.job_id), (429, None))
        self.assertIn(int(answer.headers["Retry-After"]), range(1, 31))
        self.assertEqual(self.sim.poll(job_id).status, 429)
        self.assertEqual(len(self.sim.effects()), 1)

    def test_wrong_credentials_do_not_count(self):
        for _ in range(10):
            self.sim.call("GET", "/versioned/connections", None, {})
        self.assertEqual(self.sim.send("/products", product("a"), "k").status, 200)


class Platform(SimulatorTest):
    options = ("--platform-limit", "2/30s")

    def test_it_counts_the_writes_of_each_connection(self):
        statuses = [self.sim.send("/products", product(str(n)), str(n)).status for n in range(3)]
        other = self.sim.send("/products", product("a"), "o", token=OTHER_TOKEN)
        self.assertEqual(statuses, [200, 200, 452])
        self.assertEqual(other.status, 200)
        self.assertEqual(self.sim.poll(other.job_id).status, 200)
        self.assertEqual(len(self.sim.effects()), 3)

    def test_replays_do_not_count(self):
        statuses = [self.sim.send("/products", product("a"), "k").status for _ in range(5)]
        self.assertEqual(statuses, [200] * 5)


class ShortWindow(SimulatorTest):
    options = ("--rate-limit", "3/1s")

    def test_it_opens_again(self):
        statuses = []
        while statuses.count(200) < 6 and len(statuses) < 100000:
            statuses.append(self.sim.send("/products", product("a"), "k").status)
        times = [r["t_ms"] for r in self.sim.requests() if r["status"] == 200]
        self.assertEqual(statuses[:4], [200, 200, 200, 429])
        self.assertGreaterEqual(times[3] - times[0], 1000)
        self.assertGreaterEqual(times[5] - times[2], 1000)
        self.assertLess(times[5] - times[0], 2500)


if __name__ == "__main__":
    unittest.main()
