#!/usr/bin/env python3
"""TLS that ends without a farewell: what was cut off may look like the end of an answer.

usage: tls.py --purser PROGRAM --sim PROGRAM

A TLS server in front of rutter-sim passes everything on, but the first answer to each write it gives
without Content-Length, whole or half, and then closes the connection underneath TLS (no close_notify),
as somebody on the way can. What is not whole is no answer: it is repeated under its key and done once. What is whole JSON may
count, for nothing is missing in it. The judge is the wire ledger.
"""

import argparse
import collections
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402
from workload import Workload  # noqa: E402

ITEMS = 6
SECONDS_MAX = 60


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem")],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class TlsServer:
    """Talks on each connection in a thread of its own: `talk(tls, stream)`, of who inherits it. Python then
    closes the socket without a farewell."""

    def __init__(self, folder, protocols=()):
        self.lock = threading.Lock()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
        if protocols:
            self.context.set_alpn_protocols(protocols)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with self.context.wrap_socket(connection, server_side=True) as tls:
                tls.settimeout(SECONDS_MAX)
                self.talk(tls, tls.makefile("rb"))
        except (OSError, ValueError):
            pass


class Front(TlsServer):
    """`cut` are the keys of writes whose answer was cut off already, `halved` those of which half was missing."""

    def __init__(self, folder, sim_port):
        self.sim_port = sim_port
        self.cut, self.halved = set(), set()
        super().__init__(folder)

    def talk(self, tls, stream):
        while self.exchange(tls, stream):
            pass

    def exchange(self, tls, stream):
        """Passes one request on; False when the connection is to end."""
        first = stream.readline().decode().split()
        if len(first) != 3:
            return False
        headers = dict(http.client.parse_headers(stream).items())
        length = int(headers.get("Content-Length", 0))
        body = stream.read(length)
        inner = http.client.HTTPConnection("127.0.0.1", self.sim_port, timeout=SECONDS_MAX)
        inner.request(first[0], first[1], body, headers)
        answer = inner.getresponse()
        content = answer.read()
        kept = [(name, value) for name, value in answer.getheaders()
                if name.lower() not in ("content-length", "connection", "transfer-encoding")]
        inner.close()
        key = headers.get("Idempotency-Key")
        with self.lock:
            cuts = key is not None and key not in self.cut
            if cuts:
                self.cut.add(key)
                halves = len(self.cut) % 2 == 1
                if halves:
                    self.halved.add(key)
        if cuts:
            # Without the header that proves an acceptance; every second one half.
            kept = [(name, value) for name, value in kept if name.lower() != "x-rutter-job-id"]
            content = content[:len(content) // (2 if halves else 1)]
        else:
            kept.append(("Content-Length", str(len(content))))
        head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in kept)
        tls.sendall(head.encode() + b"\r\n" + content)
        return not cuts

    def close(self):
        self.socket.close()


def play(options, folder):
    make_certificate(folder)
    with Simulator(options.sim, ["--seed", "1"]) as simulator:
        front = Front(folder, simulator.port)
        workload = Workload(folder, options.purser, f"https://127.0.0.1:{front.port}/versioned", ITEMS, name="tls")
        path = os.path.join(folder, "spec.yaml")
        with open(path, encoding="utf-8") as file:
            spec = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(spec.replace("  version:", "  ca_file: cert.pem\n  version:", 1)
                       .replace("    idempotent: true\n", "    idempotent: true\n    retry: { first_delay: 20ms }\n"))
        status = workload.start().wait(timeout=SECONDS_MAX)
        problems = [f"the run ended with {status}:\n{workload.text('stderr')}"] if status != 0 else []
        lines = simulator.ledger()
        problems += map(str, workload.judge(lines))
        front.close()
    sends = collections.Counter(send["idempotency_key"] for send in judge.sends_of(lines))
    if len(front.cut) != ITEMS or len(front.halved) != ITEMS // 2:
        problems.append(f"{len(front.cut)} answers were cut off, {len(front.halved)} of them halved")
    problems += [f"half an answer to {key} was taken for one" for key in sorted(front.halved) if sends[key] < 2]
    return problems


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="purser-tls-")
    try:
        problems = play(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for problem in problems:
        print(f"tls: {problem}")
    print(f"tls: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
