"""Small worlds in which a command can be disturbed: what is there before, the command, and what a
user does after it until all is done. Judged by tests/support/judge.py.

A step is ("run", word…) or another command of purser, ("write", file, text), ("sim", path, body), or
("die", name, count, word…): the command dies after its `count`-th call of that name.
"""

import os
import re
import shutil
import signal
import subprocess
from typing import NamedTuple

import judge
from simulator import Simulator
from workload import ACCESS_TOKEN, environment_of

SECONDS_MAX = 60
RUNS_MAX = 6
EXIT_NOT_FINISHED = 75
ENDS = (0, 3, 7)

HEAD = """purser: 1
name: world
api: {{ environment: {base}, version: "2024-08-31", limits: {{ rate: unlimited, in_flight: 8 }} }}
connections:
  shop:
    access_token: {{ env: TEST_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: 4 }}
jobs:
"""
CREATE = """  products:
    source: {{ csv: items.csv, key: "${{row.sku}}" }}
    request: POST /products
    idempotent: true
    body:
      product:
        name: ${{row.name}}
        description: made by a test
        status: active
        variants: [{{ sku: "${{row.sku}}", price: 1.5, option_values: [{{ name: size, value: one }}] }}]
"""
AGAIN = CREATE.replace("    idempotent", "    when_changed: resend\n    idempotent")
CHANGE = """  products:
    source: {{ csv: items.csv, key: "${{row.sku}}" }}
    request: PATCH /products/${{row.sku}}
    body: {{ product: {{ name: "${{row.name}}" }} }}
"""
INVOICES = """  invoices:
    needs: {{ customer: {{ job: customers, key: "${{row.customer}}" }} }}
    source: {{ csv: items.csv, key: "${{row.sku}}" }}
    request: POST /accounting/invoices
    body:
      invoice:
        document_number: ${{row.sku}}
        customer_id: ${{needs.customer.outputs.id}}
        due_date: "2026-12-01"
        issue_date: "2026-11-01"
        currency_code: EUR
        line_items: [{{ total_amount: 1 }}]
  customers:
    source: {{ inline: [{{ id: C1 }}], key: "${{row.id}}" }}
    request: POST /accounting/customers
    body: {{ customer: {{ customer_name: "${{row.id}}", contact_name: x, email: x, phone: x }} }}
    outputs: {{ id: "${{response.customer.id}}" }}
"""
# The row of A-1 names another customer when it is corrected.
CORRECTED = INVOICES.replace("{{ id: C1 }}", "{{ id: C1 }}, {{ id: C2 }}").replace(
    "currency_code", "memo: ${{row.memo}}\n        currency_code")
REVERSED = INVOICES.replace(
    "  customers:\n", "    outputs: {{ id: \"${{response.invoice.id}}\" }}\n"
    "    undo: DELETE /accounting/invoices/${{outputs.id}}\n  customers:\n") + """    undo:
      request: PATCH /accounting/customers/${{outputs.id}}
      body: {{ customer: {{ customer_name: gone }} }}
"""
CHANGED_BACK = CHANGE + """    undo:
      request: PATCH /products/${{item.key}}
      body: {{ product: {{ name: "undo ${{item.key}}" }} }}
"""
KEYS = ["A-1", "A-2", "A-3"]
CORRECT = ("retry", "spec.yaml", "--input", "fixed.csv", "--job", "invoices")
UNDO = ("undo", "spec.yaml", "--run", "1")


def rows(*names, customer=None):
    if customer:
        return "sku,customer\n" + "".join(f"{key},{customer}\n" for key in KEYS[:2])
    return "sku,name\n" + "".join(f"{key},{name}\n" for key, name in zip(KEYS, names))


THREE = rows("one", "two", "three")
RUN = ("run", "spec.yaml")
STATE = "/_sim/connection"


def is_now(state):
    return "sim", STATE, {"access_token": ACCESS_TOKEN, "state": state}


class Scenario(NamedTuple):
    name: str
    spec: str = HEAD + CREATE
    items: str = THREE
    before: tuple = ()
    victim: tuple = RUN
    after: tuple = (RUN,)
    wanted: tuple = tuple(KEYS)
    effects: dict = None  # as of judge.judge
    at_most_once: bool = False  # an interruption may leave a doubt
    has_child: bool = False  # a process that the shim leaves alone: calls have no fixed order


SCENARIOS = [
    Scenario("first-run"),
    Scenario("resume", before=(("die", "send", 4, *RUN),)),
    Scenario("retry", items=rows("sim:job-450*1", "two", "sim:job-450*1"), before=(RUN,),
             victim=("retry", "spec.yaml"), after=(("retry", "spec.yaml"), RUN)),
    Scenario("changed-row", HEAD + AGAIN,
             before=(RUN, ("write", "items.csv", rows("one", "other", "third"))),
             effects={"A-1": 1, "A-2": 2, "A-3": 2}),
    Scenario("parked-connection", before=(is_now("needs-update"),),
             victim=(*RUN, "--wait", "5s"), after=(is_now("ready"), RUN)),
    Scenario("cancel", before=(is_now("needs-update"), (*RUN, "--wait", "5s")),
             victim=("cancel", "spec.yaml"), after=(("cancel", "spec.yaml"), is_now("ready"), RUN)),
    Scenario("dependency", HEAD + INVOICES, rows(customer="C1"), wanted=("A-1", "A-2", "C1")),
    Scenario("import", HEAD + CREATE.replace("csv: items.csv", "command: [cat, items.csv], format: csv"),
             has_child=True),
    Scenario("canary", victim=(*RUN, "--canary", "1"), after=((*RUN, "--canary", "1"),)),
    Scenario("new-version", HEAD + AGAIN,
             before=(RUN, ("edit", "spec.yaml", 'made by a test', 'of the new version')),
             effects={"A-1": 2, "A-2": 2, "A-3": 2}),
    Scenario("results", items=rows("one", "sim:job-450", "three"), before=(RUN,),
             victim=("results", "spec.yaml", "-o", "out"),
             after=(("results", "spec.yaml", "-o", "out"),)),
    Scenario("second-run", before=(RUN,)),
    Scenario("at-most-once", HEAD + CHANGE, at_most_once=True),
    Scenario("correction", HEAD + CORRECTED, "sku,customer,memo\nA-1,C1,sim:450\nA-2,C1,sim:job-450\n",
             before=(RUN, ("write", "fixed.csv", "sku,customer,memo\nA-1,C2,one\nA-2,C1,two\n")),
             victim=CORRECT, after=(CORRECT,), wanted=("A-1", "A-2", "C1", "C2")),
    Scenario("undo", HEAD + REVERSED, rows(customer="C1"), before=(RUN,), victim=UNDO, after=(UNDO,),
             wanted=("A-1", "A-2", "C1")),
    Scenario("undo-at-most-once", HEAD + CHANGED_BACK, before=(RUN,), victim=UNDO, after=(UNDO,),
             at_most_once=True),
]


def command(name, *words, before=(RUN,), **more):
    """A command that only tells, in a world of three items that are done, or as `more` says."""
    return Scenario(name, before=before, victim=words, **more)


COMMANDS = [
    SCENARIOS[0]._replace(name="run"),
    SCENARIOS[1],
    SCENARIOS[7],
    command("plan", "plan", "spec.yaml", before=()),
    command("check", "check", "spec.yaml", before=()),
    command("status", "status", "spec.yaml"),
    command("items", "items", "spec.yaml", "--output", "ndjson"),
    command("explain", "explain", "spec.yaml", "products/A-1"),
    SCENARIOS[2],
    command("results", "results", "spec.yaml", "-o", "out"),
    SCENARIOS[5],
    command("connections", "connections", "spec.yaml", "--check", before=()),
    command("operations", "operations", "POST", "/products"),
    command("reconcile", "reconcile", "spec.yaml"),
    command("schedule-next", "schedule", "next", "spec.yaml",
            spec=HEAD.replace("jobs:", 'schedule: {{ cron: "0 * * * *" }}\njobs:') + CREATE),
    command("help", "help", "in-doubt"),
]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


class Wrong(Exception):
    """What a proof finds."""


class Stage:
    """A simulator and a folder, used for one world after the other."""

    def __init__(self, purser, sim, shim, folder):
        self.program, self.shim, self.place = purser, shim, folder
        self.disk = "fast"
        self.folder = os.path.join(folder, "world")
        self.simulator = Simulator(sim, ["--rate-limit", "unlimited"])
        self.runs = 0
        os.makedirs(folder, exist_ok=True)

    def close(self):
        self.simulator.stop()
        shutil.rmtree(self.place, ignore_errors=True)

    def purser(self, words, **shim):
        """Runs a command under the shim, whose options are `shim`; its exit status, stdout, stderr."""
        environment = {**environment_of(self.folder), "LD_PRELOAD": self.shim,
                       "PURSER_SHIM_CLOCK": os.path.join(self.folder, "clock"),
                       "PURSER_SHIM_DISK": self.disk,
                       **{f"PURSER_SHIM_{name}" if name else "PURSER_SHIM": value
                          for name, value in shim.items() if value}}
        self.runs += 1
        try:
            done = subprocess.run([self.program, *words], cwd=self.folder, env=environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{' '.join(words)} hangs") from None
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(
            errors="replace")

    def file(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)

    def step(self, scenario, step):
        if step[0] == "write":
            self.write(*step[1:])
        elif step[0] == "edit":
            with open(self.file(step[1]), encoding="utf-8") as file:
                text = file.read()
            if step[2] not in text:
                raise Wrong(f"{step[1]} has no {step[2]}")
            self.write(step[1], text.replace(step[2], step[3]))
        elif step[0] == "sim":
            self.simulator._ask(*step[1:])
        elif step[0] == "die":
            number = number_of(self.calls(scenario, step[3:], ()), step[1], step[2])
            self.begin(scenario, ())
            status, _, talk = self.purser(step[3:], **{"": f"after:{number}"})
            if status != -signal.SIGKILL:
                raise Wrong(f"{scenario.name}: not killed, {status}:\n{talk}")
        else:
            return self.purser(step)
        return None

    def begin(self, scenario, before=None):
        """The world as it is when the victim starts."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(os.path.join(self.folder, "home"))
        self.simulator._ask("/_sim/reset", {})
        self.write("spec.yaml", scenario.spec.format(base=self.simulator.base))
        self.write("items.csv", scenario.items)
        for step in scenario.before if before is None else before:
            self.step(scenario, step)

    def calls(self, scenario, words, before=None, **shim):
        """The names of the calls of an undisturbed command, in order."""
        self.begin(scenario, before)
        listed = self.file("calls")
        self.purser(words, LIST=listed, **shim)
        return read_calls(listed)

    def finish(self, scenario):
        """What a user does then: the same steps, and runs until all has ended."""
        for step in scenario.after:
            for _ in range(RUNS_MAX):
                done = self.step(scenario, step)
                if done is None or done[0] != EXIT_NOT_FINISHED:
                    break
            if done is not None and done[0] not in ENDS:
                raise Wrong(f"afterwards {' '.join(step)} ended with {done[0]}:\n{done[2]}")

    def ask(self, *words):
        status, out, talk = self.purser(words)
        if status != 0:
            raise Wrong(f"{' '.join(words)} ended with {status}:\n{talk}")
        return out

    def judge(self, scenario, interruptions=1, whole=True):
        """All that purser says against the wire; the states of the items by job and key."""
        if whole:
            report = judge.read_report(self.ask, self.file("report"))
        else:
            report = judge.Report(judge.items_from(self.ask("items", "spec.yaml", "--output",
                                                            "ndjson")))
        verdicts = judge.judge(self.simulator.ledger(), report, scenario.wanted,
                               scenario.effects, interruptions=interruptions, at_risk=4)
        if verdicts:
            raise Wrong(judge.shown(verdicts))
        return {(item["job"], item["key"]): item["state"] for item in report.items}

    def judge_as(self, scenario, expected, interruptions=1, whole=True):
        """The judge, and the states of an undisturbed world."""
        states = self.judge(scenario, interruptions, whole)
        doubts = {(job, key) for (job, key), state in states.items()
                  if scenario.at_most_once and state == "in_doubt"}
        for item, state in states.items():
            is_in_doubt = item in doubts or (f"{item[0]}:undo", f"{item[1]}#1") in doubts
            if state != expected[item] and not is_in_doubt:
                raise Wrong(f"{item[1]} is {state}, undisturbed it is {expected[item]}")


def read_calls(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return [re.match(r"\d+ (\S+)", line).group(1) for line in file]


def number_of(calls, name, count):
    """The number of the count-th call of that name."""
    return [number for number, call in enumerate(calls, 1) if call == name][count - 1]
