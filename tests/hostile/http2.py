#!/usr/bin/env python3
"""An HTTP/2 server that refuses streams, resets them and goes away.

usage: http2.py --purser PROGRAM

The server (TLS, ALPN h2, frames by hand) takes one stream at a time on each connection and does to the
first request of most items what RFC 9113 allows: RST_STREAM with REFUSED_STREAM before anything is
done, RST_STREAM with INTERNAL_ERROR after it was done, GOAWAY that leaves the stream out, GOAWAY that
counts it in, each before the connection ends. One job is repeated under its key, one is sent at
most once. What must hold:

- no more requests reached the server than purser says that it has attempted: libcurl repeats none by itself
  (fewer may: one that is on its way when the connection ends is never read);
- what is repeated under its key is done, and succeeds;
- what is sent at most once is done at most once; what was done without an answer is in doubt.
"""

import argparse
import collections
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)
from tls import TlsServer, make_certificate  # noqa: E402  (found through the path above)
from workload import environment_of  # noqa: E402

ITEMS = 10
SECONDS_MAX = 60
SPEC = """purser: 1
name: http2
api: {{ environment: "https://127.0.0.1:{port}/versioned", ca_file: cert.pem, version: "2024-08-31" }}
connections:
  shop: {{ platform: SHOPIFY, access_token: {{ env: TEST_ACCESS_TOKEN }} }}
jobs:
  made:
    source: {{ csv: items.csv, key: "${{row.sku}}" }}
    request: POST /products
    mode: sync
    idempotent: true
    retry: {{ first_delay: 20ms }}
    body:
      product:
        name: made ${{row.sku}}
        description: x
        variants: [{{ sku: "${{row.sku}}", price: 1, option_values: [] }}]
  changed:
    source: {{ csv: items.csv, key: "${{row.sku}}" }}
    request: PATCH /products/${{row.sku}}
    mode: sync
    body: {{ product: {{ name: "changed ${{row.sku}}" }} }}
"""
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
ACK = END_STREAM = 1
END_HEADERS = 4
MAX_CONCURRENT_STREAMS = 3
NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM = 0, 2, 7
# HPACK, by index: ":status: 200", ":status: 404"; then content-type as a literal with an indexed name.
STATUS = {200: b"\x88", 404: b"\x8d"}
CONTENT_TYPE = b"\x0f\x10\x10application/json"
FAULTS = ["none", "refused", "reset", "leaves out", "counts in"]


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Server(TlsServer):
    def __init__(self, folder):
        self.seen, self.done, self.met = (collections.Counter() for _ in range(3))
        super().__init__(folder, ["h2"])

    def talk(self, tls, stream):
        if stream.read(24) != b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":
            return
        tls.sendall(frame(SETTINGS, 0, 0, struct.pack(">HI", MAX_CONCURRENT_STREAMS, 1)))
        bodies = {}
        while True:
            head = stream.read(9)
            if len(head) < 9:
                return
            kind, flags, number = head[3], head[4], struct.unpack(">I", head[5:])[0]
            payload = stream.read(int.from_bytes(head[:3], "big"))
            if kind in (SETTINGS, PING) and not flags & ACK:
                tls.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            elif kind == HEADERS:
                bodies[number] = b""
            elif kind == DATA:
                bodies[number] += payload
            if kind in (HEADERS, DATA) and flags & END_STREAM and \
                    not self.answer(tls, number, bodies.pop(number).decode()):
                return

    def answer(self, tls, number, body):
        """False: the connection ends."""
        match = re.search(r'"name":"((made|changed) SKU-(\d+))"', body)
        if match is None:
            self.reply(tls, number, 404, {})
            return True
        name = match[1]
        with self.lock:
            self.seen[name] += 1
            fault = FAULTS[int(match[3]) % len(FAULTS)] if self.seen[name] == 1 else "none"
            self.met[fault] += 1
            # A key is remembered: what comes again under it is answered and not done again.
            if fault not in ("refused", "leaves out") and (match[2] == "changed" or not self.done[name]):
                self.done[name] += 1
        if fault == "refused":
            tls.sendall(frame(RST_STREAM, 0, number, struct.pack(">I", REFUSED_STREAM)))
        elif fault == "reset":
            tls.sendall(frame(RST_STREAM, 0, number, struct.pack(">I", INTERNAL_ERROR)))
        elif fault != "none":
            last = number if fault == "counts in" else number - 2 if number > 1 else 0
            tls.sendall(frame(GOAWAY, 0, 0, struct.pack(">II", last, NO_ERROR)))
            return False
        else:
            self.reply(tls, number, 200, {"product": {"id": name}})
        return True

    @staticmethod
    def reply(tls, number, status, value):
        tls.sendall(frame(HEADERS, END_HEADERS, number, STATUS[status] + CONTENT_TYPE) +
                    frame(DATA, END_STREAM, number, json.dumps(value).encode()))


def judge(server, items):
    problems = []
    for item in items:
        name = f"{item['job']} {item['key']}"
        known = f"{name} is {item['state']}, attempts {item['attempts']}, reached the server " \
                f"{server.seen[name]} times and was done {server.done[name]} times"
        if server.seen[name] > item["attempts"]:
            problems.append(f"more requests than attempts: {known}")
        if server.done[name] > 1:
            problems.append(f"twice: {known}")
        if item["job"] == "made" and (item["state"] != "succeeded" or server.done[name] != 1):
            problems.append(f"not done: {known}")
        if item["state"] == "succeeded" and server.done[name] != 1:
            problems.append(f"pretended: {known}")
        if item["state"] not in ("succeeded", "in_doubt"):
            problems.append(f"no end: {known}")
    if len(items) != 2 * ITEMS or any(server.met[fault] == 0 for fault in FAULTS):
        problems.append(f"{len(items)} items, faults {dict(server.met)}")
    return problems


def play(options, folder):
    make_certificate(folder)
    server = Server(folder)
    environment = environment_of(folder)
    with open(os.path.join(folder, "spec.yaml"), "w", encoding="utf-8") as file:
        file.write(SPEC.format(port=server.port))
    with open(os.path.join(folder, "items.csv"), "w", encoding="utf-8") as file:
        file.write("sku\n" + "".join(f"SKU-{number}\n" for number in range(ITEMS)))

    def purser(*words):
        return subprocess.run([options.purser, *words], cwd=folder, env=environment, capture_output=True,
                              text=True, timeout=SECONDS_MAX, check=False)

    run = purser("run", "spec.yaml")
    items = [json.loads(line) for line in purser("items", "spec.yaml", "--output", "ndjson").stdout.splitlines()]
    problems = judge(server, [item for item in items if "key" in item])
    if run.returncode not in (0, 7):
        problems.append(f"the run ended with {run.returncode}: {run.stderr}")
    server.socket.close()
    return problems, server


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="purser-http2-") as folder:
        problems, server = play(options, folder)
    for problem in problems:
        print(f"http2: {problem}")
    print(f"http2: {server.seen.total()} requests, {dict(server.met)}, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
