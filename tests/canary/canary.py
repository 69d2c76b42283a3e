#!/usr/bin/env python3
"""Marked secrets must come out nowhere: no output, no state, no command line, in no encoding.

usage: canary.py --purser PROGRAM --sim PROGRAM

The client id and secret, the access token and a platform's credentials are strings that occur nowhere else. purser runs at
its most talkative, well and badly: with an answer of 401, with nobody listening, with a wrong spec,
killed in the middle. After each run all that it printed, every file below its folder and its
/proc/PID/cmdline are searched for each secret, also as base64 (the secret alone at each of the three
alignments, and as the header of Basic authentication), URL-encoded, hexadecimal and reversed.
"""

import argparse
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from hidden import Hidden  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402
from workload import Workload  # noqa: E402

RUN_SECONDS_MAX = 60
ITEMS = 50
# With characters that URL encoding changes, and long enough that no part is met by chance.
CLIENT_ID = "canary-id-7Hq2"
SECRETS = {
    "client secret": "canary/secret+Zk81=vQ0m&w",
    "access token": "c0ffee11-5eed-4bad-9bee-fa11ed0ca9a1",
    "platform key": "canary/platform-key+Tq55=xN3b&u",
    "platform password": "canary\"platform\\password-9Jd7",
}
CONNECT = """purser: 1
name: connect
api: {{ environment: {base}, limits: {{ rate: unlimited }} }}
jobs:
  shops:
    source: {{ key: "${{row.shop}}", inline: [ {{ shop: one }}, {{ shop: two }} ] }}
    request: POST /connections/create
    access_tokens: {outside}/tokens
    body:
      platform: MAGENTO
      store_url: https://${{row.shop}}.example
      basic_username: {{ env: SHOP_KEY }}
      basic_password: {{ file: "{outside}/password-${{row.shop}}" }}
    outputs: {{ connection_id: "${{response.connection.id}}" }}
  merchants:
    source: {{ key: "${{row.name}}", inline: [ {{ name: three }} ] }}
    request: POST /item/public_token/exchange
    access_tokens: {outside}/tokens
    body: {{ public_token: {{ env: SHOP_KEY }} }}
"""


HIDDEN = Hidden(CLIENT_ID, SECRETS["client secret"], SECRETS)


def search(where, content, leaks):
    for what, position in HIDDEN.find(content):
        leaks.append(f"{what} in {where} at byte {position}")


def search_folder(title, folder, leaks):
    count = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                search(f"{title}: {os.path.relpath(path, folder)}", file.read(), leaks)
            search(f"{title}: name of a file", name.encode(), leaks)
            count += 1
    return count


class Stage:
    """One folder with a spec; each run in it is searched afterwards."""

    def __init__(self, folder, program, base):
        os.makedirs(folder, exist_ok=True)
        self.workload = Workload(folder, program, base, ITEMS, name="canary", in_flight=4)
        self.workload.environment.update(
            RUTTER_CLIENT_ID=CLIENT_ID,
            RUTTER_CLIENT_SECRET=SECRETS["client secret"],
            TEST_ACCESS_TOKEN=SECRETS["access token"])
        self.folder, self.program = folder, program

    def command(self, title, words, statuses, leaks, kill_after=None, ledger=True):
        done = subprocess.Popen([self.program, *words], cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.workload.environment)
        with open(f"/proc/{done.pid}/cmdline", "rb") as file:
            search(f"{title}: command line", file.read(), leaks)
        try:
            out, talk = done.communicate(timeout=kill_after or RUN_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            done.kill()
            out, talk = done.communicate()
            if kill_after is None:
                leaks.append(f"{title}: no end after {RUN_SECONDS_MAX} s")
        search(f"{title}: stdout", out, leaks)
        search(f"{title}: stderr", talk, leaks)
        allowed = set(statuses) | ({-signal.SIGKILL} if kill_after else set())
        if done.returncode not in allowed:
            leaks.append(f"{title}: ended with {done.returncode}, not one of {sorted(allowed)}:\n"
                         + talk.decode(errors="replace")[-2000:])
        # Spec and rows are always there; where there is a ledger its files must be among the searched.
        if search_folder(title, self.folder, leaks) < (4 if ledger else 2):
            leaks.append(f"{title}: the folder has no files to search")
        return out + talk


RUN = ["run", "spec.yaml", "-vv"]
ITEM = "products/SKU-1"
# Every command; what it says when it refuses is searched as well.
ALL = [
    (RUN, [0]), (["items", "spec.yaml", "--output", "ndjson"], [0]), (["explain", "spec.yaml", ITEM], [0]),
    (["status", "spec.yaml"], [0]), (["results", "spec.yaml", "-o", "results"], [0]),
    (["doctor", "spec.yaml", "-vv"], [0]),
    (["check", "spec.yaml"], [0]), (["plan", "spec.yaml", "-o", "plan.json"], [0]),
    (["connections", "spec.yaml"], [0]), (["connections", "spec.yaml", "--check"], [0]),
    (["reconcile", "spec.yaml"], [0]), (["retry", "spec.yaml"], [0]), (["cancel", "spec.yaml"], [0]),
    (["resolve", "spec.yaml", ITEM, "--as", "done"], [2]), (["undo", "spec.yaml", "--run", "1"], [0, 2, 3]),
    (["probe", "idempotency", "spec.yaml", ITEM, "--after", "0s"], [0]),
    (["schedule", "next", "spec.yaml"], [2]), (["schedule", "tick", "spec.yaml"], [0, 2]),
    (["schedule", "log", "spec.yaml"], [0]), (["schedule", "install", "spec.yaml", "--print"], [0, 2]),
    (["schedule", "uninstall", "spec.yaml", "--print"], [2]),
    (["adopt", "spec.yaml", "--as", "moved"], [0]),
    (["operations", "POST", "/products"], [0]), (["help", "in-doubt"], [0]), (["version"], [0]),
]


def well(stage, leaks):
    stage.command("plan", ["plan", "spec.yaml"], [0], leaks, ledger=False)
    stage.command("plan --show", ["plan", "spec.yaml", "--show", "products/SKU-1"], [0], leaks,
                  ledger=False)
    stage.command("killed run", RUN, [0], leaks, kill_after=0.05, ledger=False)
    for words, statuses in ALL:
        stage.command(" ".join(words), words, statuses, leaks)
    stage.command("doctor, JSON", ["doctor", "spec.yaml", "--output", "json"], [0], leaks)


def refused(stage, simulator, leaks):
    simulator.fail([{"outcome": "401", "times": 0}])
    stage.command("run with 401", RUN, [4], leaks)
    stage.command("doctor with 401", ["doctor", "spec.yaml"], [0], leaks)
    stage.command("items after 401", ["items", "spec.yaml", "--output", "ndjson"], [0], leaks)


def mangled(stage, simulator, leaks):
    # The answer quotes the request, and the secret of the server's address with it.
    echo = {"status": 400, "times": 0, "body": {
        "error_type": "API_REQUEST_ERROR", "error_code": "INVALID_REQUEST",
        "error_message": f"no {SECRETS['access token']} {SECRETS['client secret']}"}}
    simulator.fail([echo])
    stage.command("run with an answer that quotes secrets", RUN, [3, 5], leaks)
    stage.command("items after it", ["items", "spec.yaml", "--output", "ndjson"], [0], leaks)
    stage.command("explain after it", ["explain", "spec.yaml", "products/SKU-1"], [0], leaks)
    stage.command("doctor with such an answer", ["doctor", "spec.yaml"], [0], leaks)


def nobody_listens(stage, leaks):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        stage.workload.write_spec("canary", f"http://127.0.0.1:{free.getsockname()[1]}/versioned")
        stage.command("run with nobody listening", [*RUN, "--wait", "2s"], [75], leaks)
        stage.command("doctor with nobody listening", ["doctor", "spec.yaml"], [3], leaks)


def own_simulator(stage, program, leaks):
    stage.workload.write_spec("canary", "simulator")
    stage.workload.environment["PURSER_SIMULATOR"] = program
    stage.command("run with its own simulator", RUN, [0], leaks)
    world = os.path.join(stage.folder, "state", "purser", "canary", "simulator.world")
    if not os.path.exists(world):
        leaks.append("the simulator has left no world to search")


def connects(stage, simulator, outside, leaks):
    """Connections are made; secrets and tokens are in a folder of their own, which is not searched."""
    os.makedirs(outside, mode=0o700)
    for shop in ("one", "two"):
        path = os.path.join(outside, "password-" + shop)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(SECRETS["platform password"] + "\n")
    with open(os.path.join(stage.folder, "connect.yaml"), "w", encoding="utf-8") as file:
        file.write(CONNECT.format(base=simulator.base, outside=outside))
    stage.workload.environment["SHOP_KEY"] = SECRETS["platform key"]
    escaped = SECRETS["platform password"]
    simulator.fail([{"status": 400, "body": {
        "error_type": "API_REQUEST_ERROR", "error_code": "INVALID_REQUEST",
        "error_message": f"no {escaped} {SECRETS['platform key']}"}}])
    run = ["run", "connect.yaml", "-vv"]
    said = stage.command("run that connects", run, [3], leaks)
    said += stage.command("retry of what was refused", ["retry", "connect.yaml"], [0], leaks)
    said += stage.command("run that connects the rest", run, [0], leaks)
    with open(os.path.join(outside, "tokens"), encoding="utf-8") as file:
        tokens = [json.loads(line)["access_token"] for line in file]
    if len(tokens) != 3:
        leaks.append(f"{len(tokens)} tokens were kept, not 3")
    for token in tokens:
        HIDDEN.add("token of an answer", token)
    search("runs that connect", said, leaks)
    for words in (["items", "connect.yaml", "--output", "ndjson"],
                  ["explain", "connect.yaml", "shops/one"], ["status", "connect.yaml"],
                  ["results", "connect.yaml", "-o", "connected"]):
        stage.command(words[0] + " after connecting", words, [0], leaks)


def wrong_spec(stage, leaks):
    path = os.path.join(stage.folder, "spec.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("request:", "requset:"))
    stage.command("check of a wrong spec", ["check", "spec.yaml"], [2], leaks, ledger=False)
    stage.command("run of a wrong spec", RUN, [2], leaks, ledger=False)
    stage.command("doctor of a wrong spec", ["doctor", "spec.yaml"], [2], leaks, ledger=False)


def check_finder():
    """The search itself finds each form where it is hidden."""
    for needle, what in HIDDEN.needles.items():
        leaks = []
        search("self", b"noise " + needle + b" noise", leaks)
        assert leaks, what
    pair = f"{CLIENT_ID}:{SECRETS['client secret']}".encode()
    for padding in range(3):
        leaks = []
        search("self", base64.b64encode(b"x" * padding + pair + b"yz"), leaks)
        assert any("base64" in leak for leak in leaks), padding


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    options = parser.parse_args()
    check_finder()
    folder = tempfile.mkdtemp(prefix="purser-canary-")
    leaks = []
    sim_options = ["--client-id", CLIENT_ID, "--client-secret", SECRETS["client secret"]]
    try:
        scenes = [well, refused, mangled, nobody_listens, own_simulator, connects, wrong_spec]
        for number, scene in enumerate(scenes):
            with Simulator(options.sim, sim_options) as simulator:
                stage = Stage(os.path.join(folder, str(number)), options.purser, simulator.base)
                more = [simulator] if scene in (refused, mangled) else []
                if scene is own_simulator:
                    more = [options.sim]
                if scene is connects:
                    more = [simulator, os.path.join(folder, "outside")]
                scene(stage, *more, leaks)
    finally:
        shutil.rmtree(folder)
    for leak in leaks:
        print("canary: " + leak)
    print(f"canary: {len(HIDDEN.needles)} forms of {len(SECRETS)} secrets, {len(leaks)} problems")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
