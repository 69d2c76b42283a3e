"""The program: options, address, credentials, files, its parent, and TLS."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from simulator import BINARY, TOKEN, Simulator, head, product


def run(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=20)


class Options(unittest.TestCase):
    def test_help_version_and_outcomes(self):
        self.assertIn("--job-time", run("--help").stdout)
        self.assertRegex(run("--version").stdout, r"^rutter-sim \d+\.\d+\.\d+\n$")
        self.assertIn("job-452", run("--outcomes").stdout)

    def test_wrong_options_end_with_2_and_say_why(self):
        for wrong in (
            ["--port", "99999"],
            ["--port", "x"],
            ["--profile", "x"],
            ["--latency", "5-1"],
            ["--job-time", "-1"],
            ["--rate-limit", "0/s"],
            ["--rate-limit", "5"],
            ["--tls-cert", "x"],
            ["--unknown"],
            ["more"],
        ):
            with self.subTest(wrong):
                ended = run(*wrong)
                self.assertEqual((ended.returncode, ended.stdout), (2, ""))
                self.assertTrue(ended.stderr)

    def test_a_port_in_use_ends_with_1(self):
        sim = Simulator()
        self.addCleanup(sim.stop)
        ended = run("--port", sim.host.split(":")[1])
        self.assertEqual(ended.returncode, 1)
        self.assertIn("Address already in use", ended.stderr)

    def test_sigterm_ends_it_with_0(self):
        sim = Simulator()
        self.assertRegex(sim.address, r"^http://127\.0\.0\.1:\d+$")
        sim.stop()
        self.assertEqual(sim.process.returncode, 0)

    def test_credentials_and_tokens_can_be_set(self):
        sim = Simulator("--client-id", "i", "--client-secret", "s", "--access-token", "abc")
        self.addCleanup(sim.stop)
        headers = head("i", "s")
        for token, status in (("abc", 200), (TOKEN, 401)):
            path = "/versioned/products?access_token=" + token
            self.assertEqual(sim.call("POST", path, product("a"), headers).status, status)
        self.assertEqual(sim.call("GET", "/versioned/connections", None, head()).status, 401)

    def test_any_token_will_do_when_asked_for(self):
        sim = Simulator("--any-token")
        self.addCleanup(sim.stop)
        for token, status in (("abc", 200), ("x", 200), ("", 401)):
            path = "/versioned/products?access_token=" + token
            self.assertEqual(sim.call("POST", path, product("a"), head()).status, status)

    def test_the_ledger_file_has_what_the_ledger_has(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ledger.ndjson")
            sim = Simulator("--ledger", path)
            for number in range(3):
                sim.send("/products", product(str(number)), str(number))
            whole = sim.ledger()
            sim.stop()
            with open(path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
        in_file = sorted(lines, key=lambda line: line.get("seq") or line["effect"])
        self.assertEqual(in_file, sorted(whole, key=lambda line: line.get("seq") or line["effect"]))

    def test_it_ends_with_its_parent(self):
        script = (
            "import subprocess, sys\n"
            f"p = subprocess.Popen([{BINARY!r}, '--exit-with-parent'], stdout=subprocess.PIPE)\n"
            "p.stdout.readline()\n"
            "print(p.pid, flush=True)\n"
            "sys.stdin.read()\n"
        )
        parent = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        child = int(parent.stdout.readline())
        descriptor = os.pidfd_open(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        parent.stdin.close()
        parent.stdout.close()
        self.assertTrue(select.select([descriptor], [], [], 10)[0], "it lived on")
        os.close(descriptor)


@unittest.skipUnless(shutil.which("openssl") and shutil.which("curl"), "needs openssl and curl")
class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.cert = os.path.join(cls.folder.name, "cert.pem")
        key = os.path.join(cls.folder.name, "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-keyout", key, "-out", cls.cert, "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True,
        )
        cls.sim = Simulator("--tls-cert", cls.cert, "--tls-key", key)

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()
        cls.folder.cleanup()

    def curl(self, version, body, *more):
        headers = [f"-H{name}: {value}" for name, value in head().items()]
        return subprocess.run(
            ["curl", "-s", version, "--cacert", self.cert, "-w", "\n%{http_version} %{http_code}",
             "-d", body, *headers, *more,
             f"{self.sim.address}/versioned/products?access_token={TOKEN}"],
            capture_output=True, text=True, timeout=30,
        )

    def test_it_speaks_https_and_chooses_http_2_by_alpn(self):
        self.assertTrue(self.sim.address.startswith("https://127.0.0.1:"))
        for version, shown in (("--http1.1", "1.1 200"), ("--http2", "2 200")):
            answer = self.curl(version, json.dumps(product(version)))
            body, last = answer.stdout.rsplit("\n", 1)
            self.assertEqual(last, shown)
            url = json.loads(body)["async_response"]["response_url"]
            self.assertTrue(url.startswith(self.sim.address + "/versioned/jobs/"), url)

    def test_a_large_body_is_read_before_the_answer(self):
        body = json.dumps(product("large", memo="x" * 3000000))
        path = os.path.join(self.folder.name, "body")
        with open(path, "w", encoding="ascii") as file:
            file.write(body)
        answer = self.curl("--http2", "@" + path)
        self.assertEqual(answer.stdout.rsplit("\n", 1)[1], "2 200")

    def test_faults_reach_http_2_clients(self):
        for name in ("close", "reset", "truncated", "reset-body", "close-early"):
            with self.subTest(name):
                answer = self.curl("--http2", json.dumps(product(f"h2 sim:{name}")))
                self.assertNotEqual(answer.returncode, 0)
                answer = self.curl("--http2", json.dumps(product(f"h2 sim:{name}")))
                self.assertEqual(answer.stdout.rsplit("\n", 1)[1], "2 200")


if __name__ == "__main__":
    unittest.main()
