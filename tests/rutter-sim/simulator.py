"""Starts rutter-sim and talks to it: the base of its tests."""

import base64
import http.client
import json
import os
import subprocess
import unittest
import uuid

BINARY = os.environ.get("RUTTER_SIM", "build/release/bin/rutter-sim")
TOKEN = "11111111-2222-4333-8444-555555555555"
OTHER_TOKEN = "99999999-2222-4333-8444-555555555555"
CLOSED = (
    http.client.RemoteDisconnected,
    http.client.IncompleteRead,
    ConnectionError,
    BrokenPipeError,
)


def product(name, **fields):
    inner = {"name": name, "description": "d", "variants": [{"sku": "S-" + name}]}
    inner.update(fields)
    return {"response_mode": "async", "product": inner}


def invoice(number, **fields):
    inner = {
        "document_number": number,
        "customer_id": "c",
        "due_date": "2026-01-02",
        "issue_date": "2026-01-01",
        "currency_code": "EUR",
        "line_items": [{"total_amount": 12.34}],
    }
    inner.update(fields)
    return {"response_mode": "async", "invoice": inner}


def new_key():
    return str(uuid.uuid4())


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def job_id(self):
        return self.headers.get("X-Rutter-Job-ID")

    @property
    def code(self):
        return self.json["error_code"]


class Simulator:
    def __init__(self, *arguments):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RUTTER_CLIENT")}
        self.process = subprocess.Popen(
            [BINARY, "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.address = self.process.stdout.readline().strip()
        self.host = self.address.split("//")[1]

    def stop(self):
        self.process.terminate()
        status = self.process.wait(10)
        self.process.stdout.close()
        if status != 0:
            raise RuntimeError(f"rutter-sim ended with {status}")

    def connect(self):
        return http.client.HTTPConnection(self.host, timeout=20)

    def call(self, method, path, body=None, headers=None, connection=None):
        """One exchange. `body` is an object to encode, or bytes as they stand."""
        own = connection is None
        connection = connection or self.connect()
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            if own:
                connection.close()

    def send(self, path, body=None, key=None, method="POST", token=TOKEN, **other):
        headers = head()
        if key:
            headers["Idempotency-Key"] = key
        headers.update(other.pop("headers", {}))
        query = "?access_token=" + token if token else ""
        return self.call(method, "/versioned" + path + query, body, headers, **other)

    def poll(self, job_id, **other):
        return self.call("GET", "/versioned/jobs/" + job_id, None, head(), **other)

    def fail(self, *entries):
        answer = self.call("POST", "/_sim/fail", {"next": list(entries)})
        if answer.status != 200:
            raise ValueError(answer.body)

    def stats(self):
        return self.call("GET", "/_sim/stats").json

    def ledger(self, query=""):
        answer = self.call("GET", "/_sim/ledger" + query)
        return [json.loads(line) for line in answer.body.decode().splitlines()]

    def effects(self):
        return [line for line in self.ledger() if "effect" in line and "seq" not in line]

    def requests(self):
        return [line for line in self.ledger() if "seq" in line]

    def reset(self):
        self.call("POST", "/_sim/reset", b"")


def head(client="sim-client", secret="sim-secret"):
    pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
    return {
        "Authorization": "Basic " + pair,
        "X-Rutter-Version": "2024-08-31",
        "Content-Type": "application/json",
    }


class SimulatorTest(unittest.TestCase):
    """A test with one simulator for its class; forgotten state between tests."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator(*cls.options)

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.reset()
