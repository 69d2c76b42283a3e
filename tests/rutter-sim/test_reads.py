"""Reads of what was written: lists, single objects, filters, pages, and how far they are behind."""

import unittest
import urllib.parse

from simulator import OTHER_TOKEN, TOKEN, Simulator, SimulatorTest, head, invoice, new_key, product


class ReadsTest(SimulatorTest):
    def get(self, path, token=TOKEN, **query):
        text = urllib.parse.urlencode(dict({"access_token": token}, **query))
        return self.sim.call("GET", "/versioned" + path + "?" + text, None, head())

    def write(self, number, token=TOKEN, **fields):
        body = dict(invoice(number, **fields), response_mode="prefer_sync")
        answer = self.sim.send("/accounting/invoices", body, new_key(), token=token)
        return answer.json["invoice"]["id"]

    def numbers(self, **query):
        answer = self.get("/accounting/invoices", **query)
        self.assertEqual(answer.status, 200, answer.body)
        return [one["document_number"] for one in answer.json["invoices"]]


class Lists(ReadsTest):
    def test_a_list_holds_what_was_created_with_its_id(self):
        identity = self.write("I-1", total_amount=12.34)
        answer = self.get("/accounting/invoices").json
        self.assertEqual(sorted(answer), ["connection", "invoices", "next_cursor"])
        self.assertIsNone(answer["next_cursor"])
        one = answer["invoices"][0]
        self.assertEqual(one["id"], identity)
        self.assertEqual(one["total_amount"], 12.34)
        self.assertRegex(one["created_at"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(self.get("/accounting/invoices/" + identity).json["invoice"], one)

    def test_each_connection_has_its_own(self):
        self.write("mine")
        self.write("theirs", token=OTHER_TOKEN)
        self.assertEqual(self.numbers(), ["mine"])
        self.assertEqual(self.numbers(token=OTHER_TOKEN), ["theirs"])

    def test_a_failed_job_leaves_nothing_and_a_doubled_one_two(self):
        self.write("good")
        for text in ("sim:job-450", "sim:acts-twice"):
            self.sim.send("/accounting/invoices", invoice("x", memo=text), new_key())
        found = self.get("/accounting/invoices", filter='document_number = "x"').json["invoices"]
        self.assertEqual(len({one["id"] for one in found}), 2)
        self.assertEqual(self.numbers(), ["good", "x", "x"])

    def test_updates_and_deletes_are_seen(self):
        first, second = self.write("1", memo="old"), self.write("2")
        self.sim.send("/accounting/invoices/" + first, {"invoice": {"memo": "new"}}, new_key(), "PATCH")
        self.sim.send("/accounting/invoices/" + first, {"invoice": {"due_date": "2027-01-01"}}, new_key(), "PATCH")
        self.sim.send("/accounting/invoices/" + second, None, None, "DELETE")
        one = self.get("/accounting/invoices/" + first).json["invoice"]
        self.assertEqual((one["memo"], one["due_date"], one["id"]), ("new", "2027-01-01", first))
        self.assertEqual(self.numbers(), ["1"])
        self.assertEqual(self.get("/accounting/invoices/" + second).status, 410)

    def test_every_collection_can_be_read(self):
        self.sim.send("/products", product("p"), new_key())
        order = {"currency_code": "EUR", "line_items": [], "customer": {}, "billing_address": {}}
        made = self.sim.send("/orders", {"order": dict(order, order_number="o-1")}).json["order"]["id"]
        fulfillment = {"carrier": "c", "tracking_number": "t", "line_items": []}
        path = f"/orders/{made}/fulfillments"
        self.sim.send(path, {"fulfillment": fulfillment}, new_key())
        account = {"bank_feed_account": dict.fromkeys(
            ("internal_bank_account_id", "bank_account_type", "currency_code", "name"), "v")}
        self.sim.send("/accounting/bank_feeds/accounts", account, new_key())
        self.assertEqual(self.get("/products").json["products"][0]["name"], "p")
        self.assertEqual(self.get("/orders", order_number="o-1").json["orders"][0]["id"], made)
        self.assertEqual(self.get("/orders", order_number="o-2").json["orders"], [])
        self.assertEqual(len(self.get(path).json["fulfillments"]), 1)
        accounts = self.get("/accounting/bank_feeds/accounts").json["bank_feed_accounts"]
        self.assertEqual(len(accounts), 1)
        self.assertEqual(self.get("/accounting/bills").json["bills"], [])

    def test_what_is_no_collection_is_a_404_and_a_bad_token_a_401(self):
        for path in ("/nothing", "/accounting/metrics/x", "/accounting", "/"):
            self.assertEqual(self.get(path).status, 404, path)
        self.assertEqual(self.get("/products", token="x").status, 401)
        self.assertEqual(self.get("/products/none").status, 410)


class Pages(ReadsTest):
    def test_a_cursor_leads_through_all_of_them_once(self):
        for number in range(7):
            self.write(str(number))
        seen, cursor = [], {}
        while True:
            page = self.get("/accounting/invoices", limit="3", **cursor).json
            seen += [one["document_number"] for one in page["invoices"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        self.assertEqual(seen, [str(number) for number in range(7)])

    def test_a_page_that_ends_with_the_last_object_has_no_next(self):
        for number in range(4):
            self.write(str(number))
        self.assertIsNone(self.get("/accounting/invoices", limit="4").json["next_cursor"])
        page = self.get("/accounting/invoices", limit="1", filter='document_number = "2"').json
        self.assertIsNone(page["next_cursor"])

    def test_wrong_parameters_are_refused(self):
        for query in ({"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"cursor": "x"},
                      {"created_at_min": "yesterday"}):
            self.assertEqual(self.get("/accounting/invoices", **query).status, 400, query)


class Filters(ReadsTest):
    def setUp(self):
        super().setUp()
        for number, balance in (("a", 5), ("b", 50.5), ('q"\\é😀', -1)):
            self.write(number, balance=balance, issue_date="2024-03-0" + str(len(number)))

    def test_of_the_documents(self):
        since = 'created_at >= "2024-03-01"'
        for text, found in (
            ('document_number = "a"', ["a"]),
            ("balance = 50.5", ["b"]),
            ("balance >= 0 AND balance <= 100", ["a", "b"]),
            ("balance>=0 AND balance<=10", ["a"]),
            ('document_number = "a" OR (balance > 6 AND ' + since + ")", ["a", "b"]),
            ('(balance >= 0 AND balance <= 10) OR document_number = "b"', ["a", "b"]),
            ('document_number = "b" OR balance < 100 AND balance > 100', ["b"]),
            (since + ' AND created_at <= "2999-01-01T00:00:00.000Z"', ["a", "b", 'q"\\é😀']),
            ('document_number = "q\\"\\\\é😀"', ['q"\\é😀']),
            ('document_number = "A"', []),
            ('nobody = "a"', []),
            ('balance = "5"', []),
            ("document_number = 5", []),
        ):
            with self.subTest(text):
                self.assertEqual(self.numbers(filter=text), found)

    def test_what_is_none_is_refused_with_the_reason(self):
        for text in ("=", "a", "a =", "a = b", 'a = "b', 'a = "b" c', "(a = 1", "a = 1)", "a ~ 1",
                     "a = 1 AND", "(" * 40 + "a = 1" + ")" * 40, "a = 1 XOR b = 2"):
            answer = self.get("/accounting/invoices", filter=text)
            self.assertEqual((answer.status, answer.code), (400, "INVALID_REQUEST"), text)

    def test_times_as_milliseconds(self):
        self.assertEqual(len(self.numbers(updated_at_min="1700000000000")), 3)
        self.assertEqual(self.numbers(created_at_max="1700000000000"), [])


class Behind(ReadsTest):
    def stand_still(self, value):
        answer = self.sim.call("POST", "/_sim/reads", {"stand_still": value})
        self.assertEqual(answer.status, 200)

    def synced_at(self):
        return self.get("/connections/status").json["status"]["last_sync_completed_at"]

    def test_reads_that_stand_still_show_nothing_new(self):
        changed = self.write("1", memo="old")
        self.stand_still(True)
        before = self.synced_at()
        self.write("2")
        self.sim.send("/accounting/invoices/" + changed, {"invoice": {"memo": "new"}}, new_key(), "PATCH")
        self.assertEqual(self.numbers(), ["1"])
        self.assertEqual(self.get("/accounting/invoices/" + changed).json["invoice"]["memo"], "old")
        self.assertEqual(self.synced_at(), before)
        self.stand_still(False)
        self.assertEqual(self.numbers(), ["1", "2"])
        self.assertEqual(self.get("/accounting/invoices/" + changed).json["invoice"]["memo"], "new")

    def test_reads_can_be_behind_by_a_time(self):
        late = Simulator("--read-lag", "86400000")
        self.addCleanup(late.stop)
        late.send("/products", product("p"), new_key())
        query = "?access_token=" + TOKEN
        answer = late.call("GET", "/versioned/products" + query, None, head())
        self.assertEqual(answer.json["products"], [])
        status = late.call("GET", "/versioned/connections/status" + query, None, head()).json
        self.assertLess(status["status"]["last_sync_completed_at"], status["status"]["created_at"])

    def test_wrong_orders_are_refused(self):
        for body in (None, {}, {"stand_still": 1}, b"{"):
            self.assertEqual(self.sim.call("POST", "/_sim/reads", body).status, 400)


if __name__ == "__main__":
    unittest.main()
