"""The random profiles: a careful client always reaches the end, and every item has one effect.

The client here is the plainest one that keeps the rules: same key and same bytes until an answer
proves acceptance, polls until the job ends, a new key only after a job-level 452.
"""

import concurrent.futures
import http.client
import json
import unittest

from simulator import CLOSED, Simulator, SimulatorTest, head, product

TRIES_MAX = 60
BROKEN = CLOSED + (http.client.HTTPException, ValueError, TimeoutError)


class Client:
    def __init__(self, sim, name):
        self.sim = sim
        self.body = json.dumps(product(name)).encode()
        self.key = name
        self.generation = 1

    def strict(self, text):
        def no_duplicates(pairs):
            if len({name for name, _ in pairs}) != len(pairs):
                raise ValueError("duplicate member")
            return dict(pairs)

        return json.loads(text, object_pairs_hook=no_duplicates)

    def submit(self):
        for _ in range(TRIES_MAX):
            try:
                answer = self.sim.send("/products", self.body, f"{self.key}-{self.generation}")
            except BROKEN:
                continue
            if answer.job_id:
                return answer.job_id
            if answer.status >= 300:
                assert answer.status in (408, 429, 452, 500, 502, 503, 504), answer.status
                continue
            try:
                value = self.strict(answer.body)
                return value.get("async_response", value)["id"]
            except (ValueError, KeyError):
                continue
        raise AssertionError("never accepted")

    def ended(self, job_id):
        for _ in range(2000):
            try:
                answer = self.sim.poll(job_id)
                job = self.strict(answer.body)
            except BROKEN:
                continue
            if answer.status != 200 or answer.headers.get_content_type() != "application/json":
                continue
            job = job.get("job", job)
            if job["status"] in ("success", "failure"):
                return job
        raise AssertionError("never ended")

    def run(self):
        while True:
            job = self.ended(self.submit())
            if job["status"] == "success":
                return self.generation
            assert job["response"]["http_status"] == 452, job
            self.generation += 1


def run_all(sim, count):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        return list(pool.map(lambda n: Client(sim, f"item-{n}").run(), range(count)))


class Realistic(SimulatorTest):
    options = ("--profile", "realistic", "--latency", "0", "--job-time", "5-30", "--rate-limit", "unlimited")

    def test_every_item_ends_well_with_one_effect(self):
        self.assertEqual(set(run_all(self.sim, 150)), {1})
        effects = [effect["name"] for effect in self.sim.effects()]
        self.assertEqual(sorted(effects), sorted(f"item-{n}" for n in range(150)))
        self.assertGreater(len({r["fault"] for r in self.sim.requests()}), 2)


class Hostile(SimulatorTest):
    options = ("--profile", "hostile", "--seed", "7", "--job-time", "5-30", "--rate-limit", "unlimited")

    def test_every_item_ends_well_with_one_effect(self):
        self.assertEqual(set(run_all(self.sim, 250)), {1, 2})
        effects = [effect["name"] for effect in self.sim.effects()]
        self.assertEqual(sorted(effects), sorted(f"item-{n}" for n in range(250)))
        self.assertGreater(len({r["fault"] for r in self.sim.requests()}), 20)


class Seeds(unittest.TestCase):
    def faults(self, seed):
        sim = Simulator("--profile", "hostile", "--seed", str(seed), "--job-time", "0", "--rate-limit", "unlimited")
        try:
            for number in range(60):
                try:
                    sim.send("/products", product(f"item-{number}"), f"key-{number}")
                except BROKEN:
                    pass
            return [r["fault"] for r in sim.requests()]
        finally:
            sim.stop()

    def test_a_seed_repeats_its_faults_and_another_has_others(self):
        first = self.faults(3)
        self.assertEqual(first, self.faults(3))
        self.assertNotEqual(first, self.faults(4))


class Clean(SimulatorTest):
    def test_it_has_no_faults(self):
        run_all(self.sim, 50)
        self.assertEqual({r["fault"] for r in self.sim.requests()}, {None})
        self.assertEqual(self.sim.stats()["requests"], 100)


if __name__ == "__main__":
    unittest.main()
