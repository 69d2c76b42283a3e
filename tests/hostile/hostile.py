#!/usr/bin/env python3
"""A hostile server against the real purser: no credential elsewhere, no hang, no wrong end.

usage: hostile.py --purser PROGRAM --sim PROGRAM [--only NAME] [--verbose]

Each scene (scenes.py) is a rutter-sim that treats the second of three invoices badly, and a spec
that purser runs until all has ended. A second listener is where redirects, foreign addresses and
proxies lead: whoever connects to it has lost. The simulator's own record of effects, and nothing
that purser says, tells whether the states are true.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
import scenes  # noqa: E402
from simulator import Simulator  # noqa: E402
from workload import environment_of  # noqa: E402

AT_ONCE = 6
RUNS_MAX = 3
RUN_SECONDS_MAX = 45  # the timeouts below add up to far less
NUMBERS = ["I-1", "I-2", "I-3"]
SPEC = """\
purser: 1
name: hostile
api:
  environment: {base}
  version: "2024-08-31"
  limits: {{ rate: unlimited, in_flight: 4 }}
  timeouts: {{ connect: 1s, exchange: 1500ms }}
connections:
  books:
    platform: QUICKBOOKS
    access_token: {{ env: TEST_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 2 }}
defaults:
  retry: {{ attempts: 8, first_delay: 50ms, max_delay: 500ms }}
jobs:
  invoices:
    connection: books
    source:
      inline:
{rows}
      key: ${{row.number}}
    request: POST /accounting/invoices
    body:
      invoice:
        document_number: ${{row.number}}
        customer_id: c-1
        issue_date: "2026-01-01"
        due_date: "2026-02-01"
        currency_code: EUR
        memo: ${{row.memo}}
        line_items:
          - {{ description: work, total_amount: 12.34 }}
"""


class Wrong(Exception):
    """What makes the test fail."""


class Foreign:
    """Listens where nobody must come, and counts who does."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.origin = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.heard = []
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(2)
            try:
                self.heard.append(connection.recv(65536))
            except OSError:
                self.heard.append(b"")
            connection.close()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


class Stage:
    def __init__(self, options, folder, scene, simulator):
        self.options, self.folder, self.scene, self.simulator = options, folder, scene, simulator
        self.environment = {**environment_of(folder), **scene.environment}
        os.makedirs(self.environment["HOME"])
        for name, text in scene.files.items():
            path = os.path.join(self.environment["HOME"], name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, 0o600)
        memos = ["", scene.memo, ""]
        rows = "\n".join(f'        - {{ number: {number}, memo: "{memo}" }}'
                         for number, memo in zip(NUMBERS, memos))
        with open(os.path.join(folder, "spec.yaml"), "w", encoding="utf-8") as file:
            file.write(SPEC.format(base=simulator.base, rows=rows))
        self.talk = ""

    def purser(self, *words):
        begin = time.monotonic()
        try:
            done = subprocess.run([self.options.purser, *words], cwd=self.folder, text=True,
                                  env=self.environment, stdin=subprocess.DEVNULL, errors="replace",
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=RUN_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Wrong(f"`purser {' '.join(words)}` hangs for {RUN_SECONDS_MAX} s") from None
        self.talk += f"[{time.monotonic() - begin:.1f} s, status {done.returncode}] {done.stderr}"
        return done

    def run_to_the_end(self):
        """The exit statuses of all runs."""
        statuses = []
        while len(statuses) < RUNS_MAX:
            wait = ["--wait", self.scene.wait] if self.scene.wait else []
            statuses.append(self.purser("run", "spec.yaml", "--quiet", *wait).returncode)
            if statuses[-1] in (scenes.DONE, scenes.FAILED, scenes.IN_DOUBT) or wait:
                break
        return statuses

    def items(self):
        done = self.purser("items", "spec.yaml", "--output", "ndjson")
        if done.returncode != 0:
            raise Wrong("`purser items` fails:\n" + self.talk)
        return {item["key"]: item for item in map(json.loads, done.stdout.splitlines())
                if "key" in item}


def play(options, folder, scene, foreign):
    sim_options = ["--foreign-origin", foreign.origin, *scene.options]
    with Simulator(options.sim, sim_options) as simulator:
        if scene.script == ("drop",):
            simulator.drop(5)
        elif scene.script:
            simulator.fail(list(scene.script))
        stage = Stage(options, folder, scene, simulator)
        statuses = stage.run_to_the_end()
        items = stage.items()
        # A scene with --wait is left while I-2 is open.
        verdicts = judge.judge(simulator.ledger(), list(items.values()), NUMBERS,
                               waits=["I-2"] if scene.wait else [])
        problems = [str(verdict) for verdict in verdicts]
    second = items.get("I-2", {})
    if statuses[0] != scene.first:
        problems.append(f"the first run ended with {statuses[0]}, not {scene.first}")
    if statuses[-1] != scene.final:
        problems.append(f"the runs ended with {statuses}, not at last with {scene.final}")
    if second.get("state") != scene.state:
        problems.append(f"I-2 is {second.get('state')} ({second.get('reason')}), not {scene.state}")
    for number in ("I-1", "I-3"):
        if items.get(number, {}).get("state") != "succeeded":
            problems.append(f"{number} is {items.get(number, {}).get('state')}")
    if options.verbose or problems:
        print(f"{scene.name}: {statuses}, I-2 {second.get('state')} {second.get('reason')}\n"
              + stage.talk, file=sys.stderr)
    return problems


def play_alone(options, scene, foreign):
    folder = tempfile.mkdtemp(prefix="purser-hostile-")
    try:
        return play(options, folder, scene, foreign)
    except Wrong as wrong:
        return [str(wrong)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("--only", help="scenes whose name contains this")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    foreign = Foreign()
    played = [scene for scene in [*scenes.wire_scenes(), *scenes.address_scenes(foreign.origin),
                                  *scenes.job_scenes()]
              if options.only is None or options.only in scene.name]
    with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        results = pool.map(lambda scene: play_alone(options, scene, foreign), played)
    wrong = 0
    for scene, problems in zip(played, results):
        wrong += bool(problems)
        for problem in problems:
            print(f"hostile: {scene.name}: {problem}")
    foreign.close()
    for bytes_ in foreign.heard:
        print(f"hostile: somebody came to the second origin, with {bytes_[:300]!r}")
    print(f"hostile: {len(played)} scenes, {wrong} wrong, {len(foreign.heard)} visits elsewhere")
    return 1 if wrong or foreign.heard or not played else 0


if __name__ == "__main__":
    sys.exit(main())
