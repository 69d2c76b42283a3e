"""Every write operation of the API: what it needs, and how it answers."""

import unittest

from simulator import SimulatorTest, head, product

# method, path, wrapper, required members, class. Classes: Y async by response_mode; A the same,
# undeclared; W a job, but always the finished entity; N no job and no key. Those that make and end
# connections are in test_connections.py.
OPERATIONS = """
POST /accounting/accounts account account_type,currency_code,name,nominal_code Y
POST /accounting/bank_deposits bank_deposit account_id Y
DELETE /accounting/bank_deposits/1 - - Y
POST /accounting/bank_deposits/1/attachments - file,file_name N
POST /accounting/bank_feeds/accounts bank_feed_account internal_bank_account_id,bank_account_type,currency_code,name Y
DELETE /accounting/bank_feeds/accounts/1 - - Y
POST /accounting/bank_feeds/otp - - N
POST /accounting/bank_feeds/transactions bank_feed_transactions bank_feed_account_id,transactions W
POST /accounting/bank_transfers bank_transfer credit_account_id,debit_account_id,total_amount Y
DELETE /accounting/bank_transfers/1 - - Y
POST /accounting/bank_transfers/1/attachments - file,file_name N
POST /accounting/bill_credit_applications bill_credit_application bill_credit_memo_id,vendor_id,transaction_date,currency_code,linked_bills Y
POST /accounting/bill_credit_applications/unapply bill_credit_unapplication - N
POST /accounting/bill_credit_memos bill_credit_memo account_id,vendor_id,issue_date,currency_code,line_items Y
POST /accounting/bill_payments bill_payment account_id,vendor_id,transaction_date,currency_code,linked_bills Y
DELETE /accounting/bill_payments/1 - - Y
PATCH /accounting/bill_payments/1 bill_payment status Y
POST /accounting/bills bill vendor_id,issue_date,currency_code,line_items Y
DELETE /accounting/bills/1 - - Y
PATCH /accounting/bills/1 bill - Y
POST /accounting/bills/1/attachments - file,file_name A
POST /accounting/classes class - Y
POST /accounting/customer_refunds customer_refund - Y
DELETE /accounting/customer_refunds/1 - - Y
POST /accounting/customers customer contact_name,customer_name,email,phone Y
PATCH /accounting/customers/1 customer - Y
POST /accounting/departments department - Y
POST /accounting/expenses expense account_id,currency_code,expense_type,line_items Y
DELETE /accounting/expenses/1 - - Y
PATCH /accounting/expenses/1 expense - Y
POST /accounting/expenses/1/attachments - file,file_name A
POST /accounting/invoice_credit_applications invoice_credit_application customer_id,invoice_credit_memo_id,transaction_date,currency_code,linked_invoices Y
POST /accounting/invoice_credit_memos invoice_credit_memo account_id,customer_id,issue_date,currency_code,line_items Y
DELETE /accounting/invoice_credit_memos/1 - - Y
POST /accounting/invoice_payments invoice_payment account_id,customer_id,txn_date,currency_code,total_amount,linked_invoices Y
DELETE /accounting/invoice_payments/1 - - Y
PATCH /accounting/invoice_payments/1 invoice_payment - Y
POST /accounting/invoices invoice customer_id,due_date,issue_date,currency_code,line_items Y
DELETE /accounting/invoices/1 - - Y
PATCH /accounting/invoices/1 invoice - Y
POST /accounting/invoices/1/attachments - file,file_name A
POST /accounting/items item name Y
DELETE /accounting/items/1 - - Y
PATCH /accounting/items/1 item - Y
POST /accounting/journal_entries journal_entry transaction_date,currency_code,line_items Y
DELETE /accounting/journal_entries/1 - - Y
PATCH /accounting/journal_entries/1 journal_entry - Y
POST /accounting/journal_entries/1/attachments - file,file_name A
DELETE /accounting/payment_terms/1 - - Y
POST /accounting/purchase_orders purchase_order vendor_id,currency,line_items Y
DELETE /accounting/purchase_orders/1 - - Y
POST /accounting/sales_orders sales_order customer_id,line_items Y
POST /accounting/tax_rates tax_rate - Y
POST /accounting/vendors vendor contact_name,currency_code,vendor_name Y
PATCH /accounting/vendors/1 vendor - Y
POST /accounting/custom_thing - other_entity_fields,line_items N
POST /connections/backfill - start_date N
POST /connections/incremental_sync - - N
POST /orders order currency_code,line_items,customer,billing_address N
PATCH /orders/1 order status N
POST /orders/1/fulfillments fulfillment carrier,tracking_number,line_items A
POST /products product description,name,variants A
DELETE /products/1 - - N
PATCH /products/1 product - N
POST /products/1/variants variant price,sku,option_values N
DELETE /products/1/variants/2 - - N
PATCH /products/1/variants/2 variant id N
"""


def operations():
    for line in OPERATIONS.split("\n"):
        if line:
            method, path, wrapper, required, kind = line.split(" ")
            names = [] if required == "-" else required.split(",")
            yield method, path, "" if wrapper == "-" else wrapper, names, kind


def body_of(wrapper, names, mode=None):
    fields = {name: "value" for name in names}
    if "transactions" in fields:
        fields["transactions"] = [{"note": "n"}, {"note": '["], "}]'}]
    fields.setdefault("note", "n")
    body = {wrapper: fields} if wrapper else dict(fields)
    if mode:
        body["response_mode"] = mode
    return body


class Operations(SimulatorTest):
    def test_each_is_known_and_answers_by_its_class(self):
        for method, path, wrapper, names, kind in operations():
            with self.subTest(f"{method} {path}"):
                answer = self.sim.send(path, body_of(wrapper, names, "async"), None, method)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(answer.job_id is not None, kind != "N")
                self.assertEqual("async_response" in answer.json, kind in "YA")

    def test_each_answers_its_entity_when_nothing_is_asked(self):
        for method, path, wrapper, names, kind in operations():
            with self.subTest(f"{method} {path}"):
                answer = self.sim.send(path, body_of(wrapper, names), None, method)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertNotIn("async_response", answer.json)
                if wrapper:
                    entity = answer.json[wrapper][0] if kind == "W" else answer.json[wrapper]
                    self.assertEqual(entity["note"], "n")
                    self.assertTrue(entity["id"])

    def test_transactions_of_a_bank_feed_are_answered_one_by_one(self):
        body = body_of("bank_feed_transactions", ["bank_feed_account_id", "transactions"])
        answer = self.sim.send("/accounting/bank_feeds/transactions", body, None)
        first, second = answer.json["bank_feed_transactions"]
        self.assertNotEqual(first["id"], second["id"])
        for got, sent in zip((first, second), body["bank_feed_transactions"]["transactions"]):
            self.assertEqual((got["bank_feed_account_id"], got["platform_ingested"], got["note"]),
                             ("value", True, sent["note"]))

    def test_each_names_the_required_member_that_is_missing(self):
        for method, path, wrapper, names, _ in operations():
            for missing in names:
                with self.subTest(f"{method} {path} without {missing}"):
                    rest = [name for name in names if name != missing]
                    answer = self.sim.send(path, body_of(wrapper, rest), None, method)
                    self.assertEqual(answer.status, 400)
                    self.assertEqual(answer.code, "MISSING_REQUIRED_FIELD")
                    self.assertIn(missing, answer.json["error_message"])
        self.assertEqual(self.sim.effects(), [])

    def test_each_needs_its_wrapper(self):
        for method, path, wrapper, names, _ in operations():
            if wrapper:
                with self.subTest(f"{method} {path}"):
                    self.assertEqual(self.sim.send(path, {"x": {}}, None, method).status, 400)

    def test_patch_answers_the_id_of_its_path(self):
        answer = self.sim.send("/products/p-7", {"product": {"name": "x"}}, None, "PATCH")
        self.assertEqual(answer.json["product"], {"id": "p-7", "name": "x"})

    def test_a_members_own_id_is_kept(self):
        answer = self.sim.send("/products/1/variants/2", {"variant": {"id": "v"}}, None, "PATCH")
        self.assertEqual(answer.json["variant"], {"id": "v"})

    def test_a_second_delete_finds_nothing_and_has_no_effect(self):
        first = self.sim.send("/accounting/bills/1", {"response_mode": "prefer_sync"}, None, "DELETE")
        second = self.sim.send("/accounting/bills/1", None, None, "DELETE")
        self.assertEqual(first.json, {"deleted_bill": {"code": "deleted", "success": True}})
        self.assertEqual(second.json, {"deleted_bill": {"code": "not_found", "success": False}})
        self.assertEqual(len(self.sim.effects()), 1)

    def test_an_unknown_path_is_a_404_and_a_wrong_method_a_405(self):
        self.assertEqual(self.sim.send("/nothing", {}).status, 404)
        self.assertEqual(self.sim.send("/products", product("a"), None, "DELETE").status, 405)
        self.assertEqual(self.sim.call("POST", "/products", {}, head()).status, 404)


class Requests(SimulatorTest):
    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.code), (status, code))
        self.assertIsNone(answer.job_id)
        self.assertTrue(answer.headers["X-Rutter-Request-ID"])
        self.assertTrue(answer.headers["Date"])

    def test_wrong_basic_credentials_are_a_401(self):
        for headers in (head(secret="wrong"), head(client="wrong"), {}):
            answer = self.sim.call("POST", "/versioned/products", {}, headers)
            self.refused(answer, 401, "INVALID_CREDENTIALS")
            self.refused(self.sim.call("GET", "/versioned/jobs/1", None, headers), 401, "INVALID_CREDENTIALS")

    def test_a_missing_or_malformed_token_is_a_401(self):
        for token in (None, "", "not-a-uuid"):
            self.refused(self.sim.send("/products", product("a"), token=token), 401, "INVALID_CREDENTIALS")

    def test_the_version_header_is_required(self):
        for version in ("", "2022-02-07"):
            answer = self.sim.send("/products", product("a"), headers={"X-Rutter-Version": version})
            self.refused(answer, 400, "INVALID_VERSION")

    def test_null_is_refused_at_any_depth(self):
        for extra in ({"memo": None}, {"variants": [{"sku": None}]}, {"a": [[{"b": [None]}]]}):
            self.refused(self.sim.send("/products", product("a", **extra)), 400, "INVALID_REQUEST")

    def test_another_content_type_is_refused(self):
        answer = self.sim.send("/products", product("a"), headers={"Content-Type": "text/plain"})
        self.refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")

    def test_an_unknown_response_mode_is_refused(self):
        self.refused(self.sim.send("/products", dict(product("a"), response_mode="x")), 400, "INVALID_REQUEST")

    def test_response_mode_is_also_read_from_the_query(self):
        body = {"product": product("a")["product"]}
        answer = self.sim.send("/products", body, token="11111111-2222-4333-8444-555555555555&response_mode=async")
        self.assertIn("async_response", answer.json)


if __name__ == "__main__":
    unittest.main()
