"""A rutter-sim whose clock stands and whose port is always the same (still_server.c)."""

import http.client
import json
import os
import re
import select
import signal

from starter import Starter

PORT = 8  # STILL_PORT
START_SECONDS_MAX = 20
ASK_SECONDS_MAX = 60


class StillSimulator:
    """One simulator process after the other, each with a world as bytes, and the lines of the wire
    ledger that led to it."""

    base = f"http://127.0.0.1:{PORT}/versioned"

    def __init__(self, program, library, folder, clock):
        self.starter = Starter(program, library, folder)
        self.folder, self.clock = folder, clock
        self.world = os.path.join(folder, "world")
        pipe = os.path.join(folder, "address")
        os.mkfifo(pipe)
        self.pipe = os.open(pipe, os.O_RDWR)
        self.lines, self.asks, self.port = [], None, None

    def close(self):
        self.kill()
        self.starter.close()
        os.close(self.pipe)

    def kill(self):
        if self.asks is not None:
            self.asks.close()
            self.asks = None
            self.starter.kill()

    def start(self, world=None, lines=()):
        """In the place of the one that is there, if any."""
        self.kill()
        self.lines = list(lines)
        if world is not None:
            with open(self.world, "wb") as file:
                file.write(world)
        elif os.path.exists(self.world):
            os.unlink(self.world)
        self.starter.start(
            ["--port", "0", "--exit-with-parent", "--rate-limit", "unlimited", "--world", self.world],
            {"PURSER_SHIM_CLOCK": self.clock}, self.folder, out=os.path.join(self.folder, "address"))
        text = b""
        while text.count(b"\n") < 2:
            if not select.select([self.pipe], [], [], START_SECONDS_MAX)[0]:
                raise RuntimeError(f"rutter-sim printed no address in time: {text!r}")
            text += os.read(self.pipe, 4096)
        self.port = re.match(rb"port (\d+)\n", text).group(1).decode()
        self.asks = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=ASK_SECONDS_MAX)

    def save(self):
        """Its world as bytes and all lines, when it has read what was sent to it. It ends."""
        lines = self.ledger()
        self.asks.close()
        self.asks = None
        os.kill(self.starter.child, signal.SIGTERM)
        self.starter.wait(START_SECONDS_MAX)
        with open(self.world, "rb") as file:
            return file.read(), lines

    def ask(self, path, body=None, ok=True):
        data = None if body is None else json.dumps(body).encode()
        self.asks.request("GET" if data is None else "POST", path, data,
                          {"Content-Type": "application/json"})
        answer = self.asks.getresponse()
        text = answer.read()
        if ok and answer.status != 200:
            raise RuntimeError(f"{path} was answered {answer.status}: {text!r}")
        return text

    def settle(self):
        """What a process that is gone has sent is read, and its connections are closed."""
        while json.loads(self.ask("/_sim/stats"))["open_connections"] > 1:
            pass

    def ledger(self):
        """Every request as received and every effect as executed, in order."""
        self.settle()
        return self.lines + [json.loads(line) for line in self.ask("/_sim/ledger").splitlines()]
