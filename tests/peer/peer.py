"""Starts servers that nobody here wrote, and purser against them."""

import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from workload import environment_of  # noqa: E402  (found through the path above)

EXIT_SKIP = 77
START_SECONDS_MAX = 90  # a loaded machine takes long to start a Java or a Node program
START_TRIES_MAX = 5
PR_SET_PDEATHSIG = 1


class Skip(Exception):
    """What is missing here to run a test."""


class Wrong(Exception):
    """What makes a test fail."""


def read_options(usage, tests):
    parser = argparse.ArgumentParser(usage=usage)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--peers", required=True, type=os.path.abspath,
                        help="the folder of prepare.sh")
    parser.add_argument("--openapi", default="", help="Rutter's OpenAPI document")
    parser.add_argument("--keep", help="leave all files in this folder")
    parser.add_argument("--plant", action="store_true",
                        help="plant what must be found, and succeed when it is")
    if len(tests) > 1:
        parser.add_argument("--what", required=True, choices=tests)
    return parser.parse_args()


def main(usage, tests):
    """Runs the test, or of several by name the one of --what, with the options and a folder: status
    77 and a reason when something is missing."""
    tests = tests if isinstance(tests, dict) else {"": tests}
    options = read_options(usage, tests)
    test = tests[getattr(options, "what", "")]
    folder = options.keep or tempfile.mkdtemp(prefix="purser-peer-")
    os.makedirs(folder, exist_ok=True)
    try:
        test(options, folder)
    except Skip as reason:
        print(f"skipped: {reason}")
        return EXIT_SKIP
    except Wrong as wrong:
        print(f"WRONG: {wrong}")
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def program(name, package):
    # Debian keeps servers where the path of a user does not lead.
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        raise Skip(f"{name} is missing; on Debian: apt-get install {package}")
    return found


def installed(options, *path):
    """A file that prepare.sh has installed."""
    file = os.path.join(options.peers, "node_modules", *path)
    if not os.path.exists(os.path.join(options.peers, "installed.json")) or \
            not os.path.exists(file):
        raise Skip("run the target peers first: cmake --build --preset release --target peers")
    return file


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """A server on a free port of the loopback; ready when it takes connections.

    `command_of(port)` gives its command. Nobody keeps the port for it until it is there: if it ends
    at once another port is tried. Its output is in the file `log`.
    """

    def __init__(self, command_of, folder, name):
        self.log = os.path.join(folder, name + ".log")
        self.name = name
        for _ in range(START_TRIES_MAX):
            self.port = free_port()
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    command_of(self.port), cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, preexec_fn=die_with_parent)
            if self._is_ready():
                break
        else:
            raise Wrong(f"{name} does not start:\n{self.text()[-2000:]}")
        self.origin = f"http://127.0.0.1:{self.port}"

    def _is_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            except OSError:
                pass
            if time.monotonic() > deadline:
                self.stop()
                raise Wrong(f"{self.name} takes no connection:\n{self.text()[-2000:]}")
            try:
                self.process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                pass
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Purser:
    """purser with a spec of its own in `folder`."""

    def __init__(self, options, folder, spec, environment=None):
        self.program, self.folder = options.purser, folder
        self.environment = {**environment_of(folder), **(environment or {})}
        os.makedirs(self.environment["HOME"], exist_ok=True)
        with open(os.path.join(folder, "spec.yaml"), "w", encoding="utf-8") as file:
            file.write(spec)

    def ask(self, *arguments):
        return subprocess.run([self.program, *arguments], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def run_all(self, count, *more):
        """One run in which all `count` items succeed; its report."""
        done = self.ask("run", "spec.yaml", "--output", "json", *more)
        try:
            report = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise Wrong(f"purser ended with {done.returncode}:\n{done.stderr[-4000:]}") from None
        items = report["items"]
        if done.returncode != 0 or (items["total"], items["succeeded"]) != (count, count):
            listing = self.ask("items", "spec.yaml", "--where", "state != succeeded").stdout
            raise Wrong(f"purser ended with {done.returncode}, {items}:\n"
                        f"{done.stderr[-4000:]}\n{listing[-4000:]}")
        return report
