"""What a simulator remembers of the one before it (--world)."""

import os
import shutil
import subprocess
import tempfile
import unittest

from simulator import BINARY, OTHER_TOKEN, TOKEN, Simulator, head, invoice, new_key, product


class WorldTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.world = os.path.join(self.folder, "world")
        self.sim = None

    def start(self, *options):
        """A simulator with the world that the last one has left."""
        if self.sim is not None:
            self.sim.stop()
        else:
            self.addCleanup(lambda: self.sim.stop())
        self.sim = Simulator("--world", self.world, *options)
        return self.sim


class Kept(WorldTest):
    def test_a_key_still_answers_its_job_and_a_job_its_entity(self):
        key, body = new_key(), invoice("I-1")
        sim = self.start()
        first = sim.send("/accounting/invoices", body, key)
        entity = sim.poll(first.job_id).json["response"]
        sim = self.start()
        again = sim.send("/accounting/invoices", body, key)
        self.assertEqual(again.job_id, first.job_id)
        self.assertEqual(sim.poll(first.job_id).json["response"], entity)
        self.assertEqual(sim.send("/accounting/invoices", invoice("I-2"), key).status, 409)
        self.assertEqual(sim.stats()["effects"], 1)

    def test_a_job_under_way_goes_on_and_acts_once(self):
        sim = self.start("--job-time", "100")
        job = sim.send("/products", product("p"), new_key()).job_id
        sim = self.start("--job-time", "100")
        while sim.poll(job).json["status"] != "success":
            pass
        self.assertEqual(len(sim.effects()), 1)
        self.assertEqual(sim.stats()["effects"], 1)

    def test_ids_and_numbers_go_on(self):
        sim = self.start()
        jobs = {sim.send("/products", product("p%d" % i), new_key()).job_id for i in range(3)}
        last = sim.ledger()[-1]["effect"]
        sim = self.start()
        self.assertEqual(sim.ledger(), [])
        jobs |= {sim.send("/products", product("q%d" % i), new_key()).job_id for i in range(3)}
        self.assertEqual(len(jobs), 6)
        self.assertEqual(sim.ledger()[0]["seq"], last + 1)
        self.assertEqual(sim.ledger("?from=1&limit=1"), [sim.ledger()[0]])

    def test_outcomes_of_jobs_and_counts_of_contents(self):
        sim = self.start()
        bad = sim.send("/products", product("sim:job-450"), new_key()).job_id
        self.assertEqual(sim.send("/products", product("sim:452*2"), new_key()).status, 452)
        sim = self.start()
        self.assertEqual(sim.poll(bad).json["response"]["http_status"], 450)
        self.assertEqual(sim.send("/products", product("sim:452*2"), new_key()).status, 452)
        self.assertEqual(sim.send("/products", product("sim:452*2"), new_key()).status, 200)

    def test_states_of_connections_and_deletions(self):
        sim = self.start()
        sim.send("/products", product("a"), new_key(), token=OTHER_TOKEN)
        sim.send("/products/1", method="DELETE")
        sim.call("POST", "/_sim/connection", {"access_token": TOKEN, "state": "revoked"})
        sim = self.start()
        self.assertEqual(sim.send("/products", product("b"), new_key()).status, 451)
        self.assertEqual(
            sim.send("/products", product("b"), new_key(), token=OTHER_TOKEN).status, 200
        )
        sim.call("POST", "/_sim/connection", {"access_token": TOKEN, "state": "ready"})
        self.assertFalse(sim.send("/products/1", method="DELETE").json["success"])

    def test_forgotten_bodies_are_known_by_their_digest(self):
        key = new_key()
        sim = self.start("--no-echo")
        first = sim.send("/products", product("a"), key)
        digests = [line["body_sha256"] for line in sim.requests()]
        sim = self.start()
        self.assertEqual(sim.send("/products", product("a"), key).job_id, first.job_id)
        self.assertEqual([line["body_sha256"] for line in sim.requests()], digests)
        self.assertEqual(sim.send("/products", product("b"), key).status, 409)

    def test_any_bytes_and_very_many_jobs(self):
        sim = self.start()
        body = "{\"product\":{\"name\":\"\u00e4\U0001f600\\n \",\"description\":\"\n"
        body = body.replace("\n", " ") + "1:x\", \"variants\":[]}}"
        key = new_key()
        answer = sim.send("/products", body.encode(), key)
        connection = sim.connect()
        for i in range(1500):  # more than one block of jobs
            sim.send("/products", product("m%d" % i), new_key(), connection=connection)
        connection.close()
        sim = self.start()
        self.assertEqual(sim.send("/products", body.encode(), key).job_id, answer.job_id)
        sim.reset()
        job = sim.send("/products", product("after"), new_key()).job_id
        sim = self.start()
        self.assertEqual(sim.poll(job).json["status"], "success")
        self.assertEqual(sim.stats()["jobs"], 1)


    def test_connections_that_were_made_and_tokens_that_were_revoked(self):
        body = {"platform": "PRESTASHOP", "store_url": "https://s", "api_key": "api-secret"}
        sim = self.start()
        made = sim.send("/connections/create", body, token=None).json["connection"]
        new = sim.send("/connections/access_token/invalidate").json["new_access_token"]
        gone = sim.send("/connections/create", body, token=None).json["connection"]
        sim.send("/connections/" + gone["id"], None, None, "DELETE", None)
        sim.send("/products", product("a"), new_key(), token=OTHER_TOKEN)
        self.sim.stop()
        with open(self.world, "rb") as file:
            content = file.read()
        for secret in (TOKEN, OTHER_TOKEN, made["access_token"], new, "api-secret"):
            self.assertNotIn(secret.encode(), content)
        self.sim = sim = Simulator("--world", self.world)
        for token, status in (
            (made["access_token"], 200),
            (new, 200),
            (OTHER_TOKEN, 200),
            (TOKEN, 401),
            (gone["access_token"], 401),
        ):
            self.assertEqual(sim.send("/products", product("b"), new_key(), token=token).status, status)
        query = "?access_token=" + OTHER_TOKEN
        listed = sim.call("GET", "/versioned/products" + query, None, head()).json["products"]
        self.assertEqual([one["name"] for one in listed], ["a", "b"])

    def test_forgotten_keys_stay_forgotten(self):
        key = new_key()
        sim = self.start()
        first = sim.send("/products", product("a"), key)
        sim.call("POST", "/_sim/forget-keys")
        sim = self.start()
        second = sim.send("/products", product("a"), key)
        self.assertNotEqual(second.job_id, first.job_id)
        entities = [sim.poll(one.job_id).json["response"]["body"] for one in (first, second)]
        self.assertNotEqual(entities[0], entities[1])


class Refused(WorldTest):
    def refused(self, why):
        ended = subprocess.run(
            [BINARY, "--world", self.world], capture_output=True, text=True, timeout=20
        )
        self.assertEqual((ended.returncode, ended.stdout), (1, ""))
        self.assertIn(self.world, ended.stderr)
        self.assertIn(why, ended.stderr)

    def test_damage_is_told(self):
        self.start().send("/products", product("p"), new_key())
        self.sim.stop()
        with open(self.world, "rb") as file:
            whole = file.read()
        cases = [(whole[:-1], "cut off"), (whole[:30], "cut off"), (b"", "empty")]
        cases.append((whole.replace(b"products", b"prodUcts"), "was changed"))
        cases.append((b"x" + whole, "does not begin"))
        for content, why in cases:
            with self.subTest(why):
                with open(self.world, "wb") as file:
                    file.write(content)
                self.refused(why)
        with open(self.world, "wb") as file:
            file.write(whole)
        self.sim = Simulator("--world", self.world)

    def test_where_nothing_can_be_written(self):
        self.world = os.path.join(self.folder, "missing", "world")
        self.refused("No such file")


if __name__ == "__main__":
    unittest.main()
