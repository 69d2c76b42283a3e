"""The scenes of prove-oom: each command of purser, and the state that it meets."""

import hashlib
import json
import os
import re
import shutil
import sys
import threading
import uuid
from typing import NamedTuple

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
import judge  # noqa: E402  (found through the path above)
from hidden import Hidden  # noqa: E402
from workload import CLIENT_ID, CLIENT_SECRET, environment_of  # noqa: E402

COMMAND_SECONDS_MAX = 60
RUNS_MAX = 6

SPEC = """\
purser: 1
name: {name}
api:
  environment: {base}
  version: "2024-08-31"
  limits: {{ rate: unlimited }}
connections:
  shop:
    platform: SHOPIFY
    access_token: {{ env: TEST_ACCESS_TOKEN }}
    limits: {{ rate: unlimited }}
defaults: {{ connection: shop }}
schedule: {{ cron: "30 2 * * *", timezone: Europe/Berlin }}
jobs:
  products:
    source:
      csv: rows.csv
      key: ${{row.sku}}
      columns: {{ price: decimal }}
    request: POST /products
    idempotent: true
    body:
      product:
        name: ${{row.name}}
        description: made by a test ${{row.name | lower}}
        status: active
        variants:
          - sku: ${{row.sku}}
            price: ${{row.price}}
            option_values:
              - {{ name: size, value: one }}
    outputs: {{ id: "${{response.product.id}}" }}
    undo: DELETE /products/${{outputs.id}}
  extras:
    needs:
      product: {{ job: products, key: "${{row.of}}" }}
    source:
      command: [cat, extras.ndjson]
      format: ndjson
      key: ${{row.id}}
    idempotent: true
    request: POST /products
    body:
      product:
        name: ${{row.id}}
        description: beside ${{needs.product.outputs.id}}
        variants: [ {{ sku: "${{row.id}}", price: 1, option_values: [] }} ]
"""

GOOD_ROWS = "sku,name,price\nA,a,1.50\nB,b,2.25\nC,c,3.00\n"
# C is refused by the platform, D may or may not have been done.
MIXED_ROWS = "sku,name,price\nA,a,1.50\nC,c sim:job-450,3.00\nD,d sim:job-550,4.00\n"
CHANGED_ROWS = "sku,name,price\nA,a,1.50\nB,b,2.25\nC,c,3.00\nE,e,5.00\n"
EXTRAS = '{"id":"pa","of":"A"}\n'


class Wrong(Exception):
    """What makes a case fail. The first word is its kind."""


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Scene:
    """`command` in the folder that `setup` made. `changes`: it may write to the ledger or the API;
    `sends`: each case has a spec name and a connection of its own, and the wire is judged;
    `status_again`: how it may end when it was done by the command that said it could not go on;
    `may_end`: how it may end as well, the first time and afterwards, since a write that is sent at
    most once may be left in doubt, and a probe may have to say that nothing can be told; `steps`: commands, or functions of the world, that come before it; `goes_on`: commands after it."""

    def __init__(self, name, command, rows=None, steps=(), status=0, changes=False, sends=False,
                 same_output=True, status_again=(), may_end=(), before_main=False, judged=True, goes_on=()):
        self.name, self.command, self.rows, self.steps = name, command, rows, list(steps)
        self.status, self.changes, self.sends = status, changes, sends
        self.same_output, self.status_again = same_output and not sends, status_again
        self.before_main, self.judged = before_main, judged
        self.after, self.goes_on, self.may_end = None, list(goes_on), may_end


def run_to_end(*more):
    return ["run", "spec.yaml", "--quiet", *more]


def write_rows(text):
    def write(world):
        with open(os.path.join(world.folder, "rows.csv"), "w", encoding="utf-8") as file:
            file.write(text)
    return write


def correct_failed(world):
    """failed.csv of the results, its refused name corrected."""
    path = os.path.join(world.folder, "results", "products", "failed.csv")
    with open(path, encoding="utf-8") as file:
        text = file.read().replace(" sim:job-450", "")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def all_scenes():
    spec = "spec.yaml"
    yield Scene("before_main", ["version"], before_main=True)
    yield Scene("version", ["version"])
    yield Scene("help", ["help"])
    yield Scene("help_topic", ["help", "expressions"])
    yield Scene("help_code", ["help", "spec.unknown_key"])
    yield Scene("help_command", ["run", "--help"])
    yield Scene("unknown_command", ["rum"], status=2)
    yield Scene("operations", ["operations"])
    yield Scene("check", ["check", spec], rows=MIXED_ROWS)
    yield Scene("plan_new", ["plan", spec], rows=GOOD_ROWS)
    mixed = {"rows": MIXED_ROWS, "steps": [run_to_end()]}
    yield Scene("plan", ["plan", spec], **mixed)
    yield Scene("plan_show", ["plan", spec, "--show", "products/A"], **mixed)
    yield Scene("plan_file", ["plan", spec, "-o", "plan.json"], **mixed)
    yield Scene("status", ["status", spec], **mixed)
    yield Scene("status_json", ["status", spec, "--output", "json"], **mixed)
    yield Scene("items", ["items", spec], **mixed)
    yield Scene("items_where", ["items", spec, "--where", "state=failed and key~C"], **mixed)
    yield Scene("items_json", ["items", spec, "--output", "json"], **mixed)
    yield Scene("items_csv", ["items", spec, "--output", "csv"], **mixed)
    yield Scene("explain", ["explain", spec, "products/C"], **mixed)
    yield Scene("results", ["results", spec, "-o", "results"], **mixed)
    yield Scene("connections", ["connections", spec], **mixed)
    yield Scene("connections_check", ["connections", spec, "--check"], **mixed)
    yield Scene("schedule_next", ["schedule", "next", spec], **mixed)
    yield Scene("schedule_log", ["schedule", "log", spec], **mixed)
    yield Scene("schedule_install", ["schedule", "install", spec, "--print"], **mixed)
    yield Scene("schedule_install_units", ["schedule", "install", spec], **mixed)
    yield Scene("schedule_uninstall", ["schedule", "uninstall", spec], status_again=(2,), rows=MIXED_ROWS,
                steps=[run_to_end(), ["schedule", "install", spec]])
    yield Scene("doctor", ["doctor", spec], **mixed)
    yield Scene("doctor_json", ["doctor", spec, "--output", "json"], **mixed)
    yield Scene("doctor_offline", ["doctor", spec, "--offline"], **mixed)
    yield Scene("adopt", ["adopt", spec, "--as", "moved"], **mixed)
    yield Scene("undo_dry", ["undo", spec, "--run", "1", "--dry-run"], **mixed)
    yield Scene("reconcile", ["reconcile", spec], status=7, **mixed)
    yield Scene("retry", ["retry", spec], changes=True, same_output=True, **mixed)
    yield Scene("resolve", ["resolve", spec, "products/D", "--as", "not-done"], changes=True,
                status_again=(2,), **mixed)
    yield Scene("cancel", ["cancel", spec], changes=True, rows=GOOD_ROWS,
                steps=[run_to_end("--limit", "1")])
    sends = {"changes": True, "sends": True}
    yield Scene("run", ["run", spec], rows=GOOD_ROWS, **sends)
    yield Scene("run_again", ["run", spec], rows=GOOD_ROWS, steps=[run_to_end()], **sends)
    yield Scene("run_rest", ["run", spec], rows=GOOD_ROWS, steps=[run_to_end("--limit", "1")], **sends)
    yield Scene("run_changed", ["run", spec], rows=GOOD_ROWS,
                steps=[run_to_end(), write_rows(CHANGED_ROWS)], **sends)
    yield Scene("run_plan", ["run", spec, "--plan", "plan.json"], rows=GOOD_ROWS,
                steps=[["plan", spec, "-o", "plan.json", "--quiet"]], status_again=(2,),
                goes_on=[["run", spec]], **sends)
    yield Scene("retry_input", ["retry", spec, "--input", "results/products/failed.csv"],
                rows=MIXED_ROWS.split("D,")[0],
                steps=[run_to_end(), ["results", spec, "-o", "results"], correct_failed], **sends)
    yield Scene("undo", ["undo", spec, "--run", "1"], status=3, rows=GOOD_ROWS,
                steps=[run_to_end()], may_end=(7,), **sends)
    yield Scene("tick", ["schedule", "tick", spec, "--quiet"], rows=GOOD_ROWS,
                steps=[["schedule", "tick", spec, "--now", "2024-03-29T05:00Z"]], **sends)
    yield Scene("probe", ["probe", "idempotency", spec, "products/A", "--after", "0s"],
                rows=GOOD_ROWS, judged=False, may_end=(3,), **sends)


def plain(text):
    """Output without what differs from case to case: times, ids, folders."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}[0-9a-f-]*", "ID", text)
    text = re.sub(r"/\S*purser-oom\S*", "PATH", text)
    text = re.sub(r"oom-[a-z-]+\d*", "NAME", text)
    return re.sub(r"\d[\d.:TZ+-]*( ?ms| ?s\b)?", "N", text)


def once_each(lines):
    """For writes that carry no key, which the judge cannot give to an item: each was done once."""
    done = [(effect["method"], effect["path"], effect["name"]) for effect in judge.effects_of(lines)]
    return [f"twice: {write}" for write in set(done) if done.count(write) > 1]


class World:
    def __init__(self, folder, token, name):
        self.folder, self.token, self.name = folder, token, name
        self.environment = environment_of(folder)
        self.environment["TEST_ACCESS_TOKEN"] = token
        self.hidden = Hidden(CLIENT_ID, CLIENT_SECRET, {"access token": token})


class Maker:
    """Sets scenes up. Scenes without writes of their own get copies of one folder."""

    def __init__(self, folder, starters, simulator):
        self.folder, self.starters, self.simulator = folder, starters, simulator
        self.templates, self.locks = {}, {}
        self.lines = {}  # of the wire ledger, by connection
        self.read_up_to = 0
        self.lock, self.wire_lock = threading.Lock(), threading.Lock()

    def run(self, world, command, more):
        """The command with these settings of the shim."""
        try:
            status, out, talk = self.starters.run(command, {**world.environment, **more},
                                                  world.folder, COMMAND_SECONDS_MAX)
        except TimeoutError:
            raise Wrong(f"hang: {command[0]} after {COMMAND_SECONDS_MAX} s") from None
        for name, said in (("stdout", out), ("stderr", talk)):
            for what, _ in world.hidden.find(said):
                raise Wrong(f"secret: {what} is in {name}")
        return Done(status, out.decode(errors="replace"), talk.decode(errors="replace"))

    def ask(self, world, command):
        """Undisturbed."""
        return self.run(world, command, {"PURSER_MEMORY_LEAKS": "off"})

    def build(self, scene, name):
        world = World(os.path.join(self.folder, name), str(uuid.uuid4()), "oom-" + name.replace("_", "-"))
        os.makedirs(world.environment["HOME"])
        if scene.rows is None:
            return world
        for file_name, text in (("spec.yaml", SPEC.format(name=world.name, base=self.simulator.base)),
                                ("rows.csv", scene.rows), ("extras.ndjson", EXTRAS)):
            with open(os.path.join(world.folder, file_name), "w", encoding="utf-8") as file:
                file.write(text)
        for step in scene.steps:
            if callable(step):
                step(world)
                continue
            done = self.ask(world, step)
            if done.returncode not in (0, 3, 7, 75):
                raise Wrong(f"setup: {step} ended with {done.returncode}: {done.stderr}")
        return world

    def make(self, scene, name):
        """A folder with the state that the scene meets."""
        if scene.sends:
            return self.build(scene, f"{scene.name}-{name}")
        what = (scene.rows, str(scene.steps))
        with self.lock:
            number, lock = self.locks.setdefault(what, (len(self.locks), threading.Lock()))
        with lock:
            if what not in self.templates:
                self.templates[what] = self.build(scene, f"template-{number}")
        template = self.templates[what]
        world = World(os.path.join(self.folder, f"{scene.name}-{name}"), template.token, template.name)
        shutil.copytree(template.folder, world.folder)
        if os.path.exists(os.path.join(world.folder, "state")):  # it is a copy, and the only one in use here
            self.ask(world, ["adopt", "spec.yaml", "--as", "moved"])
        return world

    def items(self, world):
        done = self.ask(world, ["items", "spec.yaml", "--output", "ndjson"])
        if done.returncode != 0:
            raise Wrong(f"items: ended with {done.returncode}: {done.stderr}")
        return judge.items_from(done.stdout)

    def finish(self, scene, world):
        """Takes what was sent to its end, judges it, and gives the states of the items."""
        if not scene.changes:
            return None
        for command in scene.goes_on:
            done = self.ask(world, command)
            if done.returncode != 0:
                raise Wrong(f"afterwards: {command} ended with {done.returncode}: {done.stderr}")
        items = self.items(world) if scene.judged else []
        if scene.sends and scene.judged:
            lines = self.wire(world)
            verdicts = once_each(lines) if scene.name == "undo" else judge.judge(lines, items)
            if verdicts:
                raise Wrong("judge: " + "; ".join(map(str, verdicts[:4])))
        return sorted((item["job"], item["key"], item["state"], item["reason"]) for item in items)

    def wire(self, world):
        """The lines of the wire ledger that are of this world's connection."""
        with self.wire_lock:
            path = f"/_sim/ledger?from={self.read_up_to + 1}"
            for line in filter(None, self.simulator._ask(path).splitlines()):
                entry = json.loads(line)
                self.read_up_to = max(self.read_up_to, entry.get("seq") or entry.get("effect"))
                self.lines.setdefault(entry["connection"], []).append(entry)
            connection = hashlib.sha256(world.token.encode()).hexdigest()[:12]
            return list(self.lines.get(connection, []))
