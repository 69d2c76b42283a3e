"""Connections: made, exchanged, deleted, given a new token, listed; their states and status."""

import unittest
import uuid

from simulator import OTHER_TOKEN, TOKEN, SimulatorTest, head, invoice, new_key, product

SHOPIFY = {
    "platform": "SHOPIFY",
    "store_url": "https://a.example",
    "basic_username": "u",
    "basic_password": "p",
}
CREDENTIALS = """
AMAZON oauth_client_id oauth_client_secret oauth_refresh_token amazon_access_key_id amazon_secret_access_key amazon_selling_partner_role amazon_seller_region
BIG_COMMERCE store_url oauth_access_token
EBAY oauth_client_id oauth_client_secret oauth_refresh_token
FNAC partner_id shop_id key
LAZADA oauth_client_id oauth_client_secret oauth_access_token oauth_refresh_token country
MAGENTO store_url basic_username basic_password
NETSUITE consumer_key consumer_secret token_id token_secret store_name
PRESTASHOP store_url api_key
QUICKBOOKS oauth_client_id oauth_client_secret oauth_refresh_token realm_id
SHOPER store_url oauth_access_token oauth_refresh_token
SHOPIFY store_url oauth_client_id oauth_client_secret oauth_access_token
SQUARE oauth_client_id oauth_client_secret oauth_refresh_token
STRIPE oauth_access_token account_id
WALMART oauth_client_id oauth_client_secret
WOO_COMMERCE store_url basic_username basic_password
XERO oauth_client_id oauth_client_secret oauth_refresh_token tenant_id user_id
"""


class ConnectionsTest(SimulatorTest):
    def create(self, body):
        return self.sim.send("/connections/create", body, token=None)

    def exchange(self, **changed):
        body = {"client_id": "sim-client", "secret": "sim-secret", "public_token": "public"}
        return self.sim.send("/item/public_token/exchange", dict(body, **changed), token=None)

    def read(self, path, token=None):
        query = "?access_token=" + token if token else ""
        return self.sim.call("GET", "/versioned" + path + query, None, head())

    def listed(self):
        return {one["id"]: one for one in self.read("/connections").json["connections"]}


class Made(ConnectionsTest):
    def test_a_created_one_has_a_token_that_works(self):
        answer = self.create(SHOPIFY)
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.job_id)
        made = answer.json["connection"]
        self.assertEqual(sorted(made), ["access_token", "id", "link_url"])
        token = made["access_token"]
        self.assertEqual(self.sim.send("/products", product("a"), token=token).status, 200)
        status = self.read("/connections/status", token).json
        self.assertEqual(status["connection"]["id"], made["id"])
        self.assertEqual(status["status"]["platform"], "SHOPIFY")
        self.assertEqual(status["status"]["link_url"], made["link_url"])
        one = self.read("/connections/access_token", token).json["connection"]
        self.assertEqual(one["store_name"], "https://a.example")
        self.assertEqual(self.listed()[made["id"]]["platform"], "SHOPIFY")

    def test_each_platform_needs_its_credentials(self):
        for line in CREDENTIALS.strip().split("\n"):
            platform, *names = line.split(" ")
            body = dict({name: "v" for name in names}, platform=platform)
            self.assertEqual(self.create(body).status, 200, platform)
            for missing in names:
                with self.subTest(f"{platform} without {missing}"):
                    rest = {name: value for name, value in body.items() if name != missing}
                    answer = self.create(rest)
                    self.assertEqual(answer.status, 400)
                    self.assertEqual(answer.code, "MISSING_REQUIRED_FIELD")
                    self.assertEqual(self.create(dict(rest, **{missing: ""})).status, 400)
        self.assertEqual(self.create({"platform": "MYSPACE"}).status, 400)
        self.assertEqual(self.create({"scope": "x"}).status, 400)

    def test_without_a_platform_the_merchant_must_follow_the_link_first(self):
        for body in (None, {}):
            made = self.create(body).json["connection"]
            answer = self.sim.send("/products", product("a"), token=made["access_token"])
            self.assertEqual(answer.code, "PRODUCT_NOT_READY")
            status = self.read("/connections/status", made["access_token"]).json["status"]
            self.assertFalse(status["is_ready"])
            self.assertIsNone(status["last_sync_completed_at"])

    def test_each_request_makes_another_whatever_its_key(self):
        first = self.sim.send("/connections/create", SHOPIFY, "k", token=None).json["connection"]
        second = self.sim.send("/connections/create", SHOPIFY, "k", token=None).json["connection"]
        self.assertNotEqual(first["id"], second["id"])
        self.assertEqual(len(self.sim.effects()), 2)
        self.assertEqual(self.sim.effects()[0]["name"], "https://a.example")

    def test_a_lost_answer_leaves_one_that_is_listed(self):
        before = set(self.listed())
        self.sim.fail({"outcome": "lost-504"})
        self.assertEqual(self.create(SHOPIFY).status, 504)
        self.assertEqual(len(set(self.listed()) - before), 1)

    def test_a_public_token_is_exchanged_once(self):
        answer = self.exchange()
        self.assertEqual(answer.status, 200)
        self.assertEqual(
            sorted(answer.json),
            ["access_token", "connection_id", "is_ready", "platform", "store_unique_name"],
        )
        token = answer.json["access_token"]
        self.assertEqual(self.sim.send("/products", product("a"), token=token).status, 200)
        self.assertEqual(self.exchange().code, "INVALID_PUBLIC_TOKEN")
        self.assertEqual(self.exchange(public_token="other").status, 200)
        self.assertEqual(len(self.sim.effects()), 3)

    def test_an_exchange_needs_the_right_client(self):
        for wrong in ({"client_id": "x"}, {"secret": "x"}):
            answer = self.exchange(**wrong)
            self.assertEqual((answer.status, answer.code), (401, "INVALID_CREDENTIALS"))
        answer = self.sim.send("/item/public_token/exchange", {"client_id": "c"}, token=None)
        self.assertEqual(answer.code, "MISSING_REQUIRED_FIELD")


class Ended(ConnectionsTest):
    def test_a_deleted_ones_token_is_refused(self):
        made = self.create(SHOPIFY).json["connection"]
        path = "/connections/" + made["id"]
        self.assertEqual(self.sim.send(path, None, None, "DELETE", None).json, {"success": True})
        self.assertEqual(self.sim.send("/products", {}, token=made["access_token"]).status, 401)
        self.assertEqual(self.read("/connections/status", made["access_token"]).status, 401)
        self.assertNotIn(made["id"], self.listed())
        effects = len(self.sim.effects())
        self.assertEqual(self.sim.send(path, None, None, "DELETE", None).status, 200)
        self.assertEqual(len(self.sim.effects()), effects)

    def test_what_never_was_cannot_be_deleted(self):
        path = "/connections/" + str(uuid.uuid4())
        self.assertEqual(self.sim.send(path, None, None, "DELETE", None).status, 410)

    def test_an_invalidated_token_is_replaced(self):
        self.sim.send("/products", product("a"), new_key())
        answer = self.sim.send("/connections/access_token/invalidate")
        new = answer.json["new_access_token"]
        self.assertEqual(self.sim.send("/products", product("b"), new_key()).status, 401)
        self.assertEqual(self.sim.send("/products", product("b"), new_key(), token=new).status, 200)
        self.assertEqual(len({effect["connection"] for effect in self.sim.effects()}), 1)
        self.assertEqual(len(self.read("/products", new).json["products"]), 2)


class States(ConnectionsTest):
    def set(self, **members):
        return self.sim.call("POST", "/_sim/connection", members).status

    def test_a_wrong_client_and_a_bad_token_look_alike_but_for_the_list(self):
        self.sim.send("/products", product("a"))
        self.assertEqual(self.set(access_token=TOKEN, state="bad-token"), 200)
        bad_token = self.sim.send("/products", product("b"))
        wrong_client = self.sim.send("/products", product("b"), headers=head(secret="x"))
        self.assertEqual((bad_token.status, bad_token.code), (401, "INVALID_CREDENTIALS"))
        self.assertEqual((wrong_client.status, wrong_client.code), (401, "INVALID_CREDENTIALS"))
        self.assertEqual(self.read("/connections").status, 200)
        answer = self.sim.call("GET", "/versioned/connections", None, head(secret="x"))
        self.assertEqual(answer.status, 401)
        self.assertEqual(self.set(access_token=TOKEN, state="ready"), 200)
        self.assertEqual(self.sim.send("/products", product("c")).status, 200)

    def test_not_allowed(self):
        self.sim.send("/products", product("a"))
        self.set(access_token=TOKEN, state="not-allowed")
        answer = self.sim.send("/products", product("b"))
        self.assertEqual((answer.status, answer.code), (403, "PRODUCT_NOT_ALLOWED"))

    def test_the_status_tells_reason_platform_and_store_in_both_forms(self):
        self.sim.send("/products", product("a"))
        members = {"platform": "XERO", "store": "S", "disabled_reason": "CERT_EXPIRED"}
        self.assertEqual(self.set(access_token=TOKEN, state="disabled", **members), 200)
        wrapped = self.read("/connections/status", TOKEN).json["status"]
        reason = {"is_disabled": True, "disabled_reason": "CERT_EXPIRED"}
        self.assertEqual(wrapped["disabled_status"], reason)
        self.assertEqual(wrapped["platform"], "XERO")
        self.set(access_token=TOKEN, status_form="flat")
        flat = self.read("/connections/status", TOKEN).json
        self.assertEqual(flat["disabled_status"], reason)
        self.assertEqual(set(flat), set(wrapped))
        one = self.read("/connections/access_token", TOKEN).json["connection"]
        self.assertEqual((one["store_name"], one["disabled"]), ("S", True))
        self.assertEqual(self.set(access_token=TOKEN, status_form="round"), 400)
        self.assertEqual(self.set(access_token=TOKEN), 400)

    def test_an_outcome_can_be_for_one_connection_alone(self):
        self.sim.fail({"outcome": "450", "access_token": OTHER_TOKEN, "times": 0})
        self.sim.fail({"outcome": "poll-503", "access_token": OTHER_TOKEN, "times": 0})
        job = self.sim.send("/products", product("a"), new_key()).job_id
        self.assertEqual(self.sim.poll(job).status, 200)
        self.assertEqual(self.sim.send("/products", product("a"), token=OTHER_TOKEN).status, 450)

    def test_other_reads_can_be_scripted(self):
        self.sim.send("/products", product("a"))
        self.sim.fail({"status": 503, "on": "read", "match": "/status"}, {"outcome": "429", "on": "all"})
        self.assertEqual(self.read("/connections").status, 429)
        self.assertEqual(self.read("/connections").status, 200)
        self.assertEqual(self.read("/connections/status", TOKEN).status, 503)
        self.sim.fail({"outcome": "poll-garbage", "on": "read"})
        with self.assertRaises(ValueError):
            self.read("/connections/status", TOKEN).json

    def test_a_read_of_what_is_not_ready_can_be_forced(self):
        self.sim.send("/accounting/invoices", invoice("1"))
        self.set(access_token=TOKEN, state="not-ready")
        self.assertEqual(self.read("/accounting/invoices", TOKEN).code, "PRODUCT_NOT_READY")
        forced = self.read("/accounting/invoices", TOKEN + "&force_fetch=true")
        self.assertEqual(len(forced.json["invoices"]), 1)


if __name__ == "__main__":
    unittest.main()
