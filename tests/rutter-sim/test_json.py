"""The simulator's JSON reader agrees with the standard on what is JSON."""

import json
import random
import unittest

from simulator import SimulatorTest, product

RIGHT = [
    b'""',
    b'"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"',
    b'"\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/"',
    b'"abcdefghijklmnopq\\\\abcdefghijklm\xc3\xa9nop !#[]^_~\x7f"',
    b"0",
    b"-0.5e+10",
    b"1E400",
    b"12345678901234567890123",
    b"true",
    b"[ ]",
    b"{ }",
    b'[1 , {"a" : [ false ]}]',
    b'{"a":1,"a":2}',
    b"[" * 60 + b"]" * 60,
]
WRONG = [
    b"",
    b"'a'",
    b'"a',
    b'"\x01"',
    b'"abcdefghijklmnop\x1fabcdefghijklmnop"',
    b'"abcdefghijklmnop\xffabcdefghijklmnop"',
    b'"\\x"',
    b'"\\u12g4"',
    b'"\xff"',
    b'"\xc0\xaf"',
    b'"\xed\xa0\x80"',
    b'"\xe2\x82"',
    b'"\xf5\x80\x80\x80"',
    b"01",
    b"1.",
    b".5",
    b"+1",
    b"1e",
    b"-",
    b"NaN",
    b"Infinity",
    b"nul",
    b"True",
    b"[1,]",
    b"[1 2]",
    b"[1",
    b'{"a":1,}',
    b'{"a" 1}',
    b'{"a":}',
    b"{a:1}",
    b'{"a":1',
    b"1 1",
    b"//c\n1",
    b"[" * 70 + b"]" * 70,
]


FRAGMENTS = [
    b'"', b"\\", b"\\u00", b"\\ud83d", b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b".", b"e", b"1E5",
    b"true", b"fals", b" ", b"\n", b"\x00", b"\x1f", b"\x7f", b"\xc3\xa9", b"\xe2\x82", b"\xff", b"/", b"a",
]


def is_json(text):
    def refuse(_):
        raise ValueError

    try:
        json.loads(text.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return not text.startswith(b"\xef\xbb\xbf")


class Json(SimulatorTest):
    def send_with(self, value):
        body = json.dumps(product("a", extra="HERE")).encode()
        return self.sim.send("/products", body.replace(b'"HERE"', value))

    def test_right_values_are_accepted(self):
        for value in RIGHT:
            with self.subTest(value):
                self.assertEqual(self.send_with(value).status, 200)

    def test_wrong_values_are_refused(self):
        for value in WRONG:
            with self.subTest(value):
                answer = self.send_with(value)
                self.assertEqual((answer.status, answer.code), (400, "INVALID_JSON"))

    def test_a_body_cut_anywhere_is_refused(self):
        body = json.dumps(product("é\n", price=1.25, tags=[True, {}])).encode()
        connection = self.sim.connect()
        for length in range(1, len(body)):
            answer = self.sim.send("/products", body[:length], connection=connection)
            self.assertEqual(answer.status, 400, body[:length])
        connection.close()

    def test_it_agrees_with_python_on_damaged_texts(self):
        chance = random.Random(5)
        value = b'{"a":[1.5,-0,"x\\n\xc3\xa9",true],"b":{"c":"12345678901234567890"}}'
        connection = self.sim.connect()
        seen = set()
        for _ in range(3000):
            text = bytearray(value)
            for _ in range(chance.randint(1, 3)):
                start = chance.randrange(len(text) + 1)
                end = start if chance.random() < 0.5 else min(len(text), start + chance.randint(1, 4))
                text[start:end] = chance.choice(FRAGMENTS) if chance.random() < 0.8 else b""
            body = json.dumps(product("a", extra="HERE")).encode().replace(b'"HERE"', bytes(text))
            expected = 200 if is_json(body) else 400
            answer = self.sim.send("/products", body, connection=connection)
            self.assertEqual(answer.status, expected, bytes(text))
            seen.add(expected)
        connection.close()
        self.assertEqual(seen, {200, 400})

    def test_text_behind_the_body_is_refused(self):
        body = json.dumps(product("a")).encode()
        self.assertEqual(self.sim.send("/products", body + b" \n").status, 200)
        self.assertEqual(self.sim.send("/products", body + b"x").status, 400)

    def test_a_body_that_is_no_object_is_refused(self):
        for body in (b"[]", b'"a"', b"1"):
            self.assertEqual(self.sim.send("/products", body).status, 400)

    def test_the_fields_come_back_with_their_own_text(self):
        body = b'{"response_mode":"async","product":{ "name":"a","description":"d","variants":[{"price":1.10}]}}'
        job = self.sim.send("/products", body, "k").job_id
        answer = self.sim.poll(job)
        self.assertIn(b'"price":1.10', answer.body)
        self.assertEqual(answer.json["request"]["body"], json.loads(body))


if __name__ == "__main__":
    unittest.main()
