"""Starts and asks rutter-sim, for tests that drive whole processes."""

import json
import re
import select
import subprocess
import urllib.request

START_SECONDS_MAX = 20
ASK_SECONDS_MAX = 60


class Simulator:
    """A rutter-sim process on a free loopback port; `base` is what a spec names as environment."""

    def __init__(self, program, options=(), environment=None):
        self.process = subprocess.Popen(
            [program, "--port", "0", "--exit-with-parent", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment,
        )
        line = self._first_line()
        match = re.search(r"https?://[^\s/]+:(\d+)", line)
        if match is None:
            self.stop()
            raise RuntimeError(f"rutter-sim gave no address: {line!r}")
        self.origin = match.group(0)
        self.port = int(match.group(1))
        self.base = self.origin + "/versioned"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _first_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS_MAX)
        if not ready:
            self.stop()
            raise RuntimeError("rutter-sim printed no address in time")
        return self.process.stdout.readline().decode()

    def _ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data=data)
        request.add_header("Content-Type", "application/json")
        # A proxy in the environment of the tester is not meant for loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=ASK_SECONDS_MAX) as answer:
            return answer.read()

    def fail(self, entries):
        """Scripts the next answers, as `rutter-sim --outcomes` and its README describe them."""
        self._ask("/_sim/fail", {"next": entries})

    def connection(self, token, state, platform=None):
        """What the connection of a token is from now on: ready, needs-update, disabled …"""
        more = {} if platform is None else {"platform": platform}
        self._ask("/_sim/connection", {"access_token": token, "state": state, **more})

    def drop(self, count):
        """So many of the next connections are closed unread."""
        self._ask("/_sim/fail", {"drop_connections": count})

    def ledger(self):
        """Every request as received and every effect as executed, in order."""
        return [json.loads(line) for line in self._ask("/_sim/ledger").splitlines() if line]

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
