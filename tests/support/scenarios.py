"""Small worlds in which a command can be disturbed: what is there before, the command, and what a
user does after it until all is done. Judged by tests/support/judge.py.

A step is ("run", word…) or another command of purser; ("unless-done", word…): one that is refused
when it was done already; ("write", file, text), ("edit", file, old, new), ("sim", path, body), or
("die", name, count, word…): the command dies after its `count`-th call of that name.
"""

from typing import NamedTuple

from stage import Stage, Wrong, number_of, read_calls  # noqa: F401  (what takes worlds takes these)
from workload import ACCESS_TOKEN

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
    starts_purser: bool = False  # in such a process
    is_judged: bool = True  # by the wire; False: only the ends of the items are compared


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


DOUBTFUL = rows("one", "sim:job-550*1", "three")
SCHEDULED = HEAD.replace("jobs:", 'schedule: {{ cron: "0 * * * *" }}\njobs:') + CREATE
TICK = ("schedule", "tick", "spec.yaml", "--quiet")
INSTALL = ("schedule", "install", "spec.yaml")
PLANNED = ("run", "spec.yaml", "--plan", "plan.json")


def command(name, *words, before=(RUN,), again=(), **more):
    """A command that sends nothing, in a world of three items that are done, or as `more` says;
    `again`: what is done after it before the next run."""
    return Scenario(name, before=before, victim=words, after=(*again, RUN), **more)


def resolve(word):
    words = ("resolve", "spec.yaml", "products/A-2", "--as", word)
    return command("resolve-" + word, *words, items=DOUBTFUL, again=(("unless-done", *words),))


# All other commands.
COMMANDS = [
    command("plan", "plan", "spec.yaml", before=()),
    command("plan-file", "plan", "spec.yaml", "-o", "plan.json", before=()),
    command("run-plan", *PLANNED, before=(("plan", "spec.yaml", "-o", "plan.json"),),
            again=(("unless-done", *PLANNED),)),
    command("check", "check", "spec.yaml", before=()),
    command("status", "status", "spec.yaml"),
    command("items", "items", "spec.yaml", "--output", "ndjson"),
    command("explain", "explain", "spec.yaml", "products/A-1"),
    command("connections", "connections", "spec.yaml", "--check", before=()),
    command("connections-known", "connections", "spec.yaml"),
    command("operations", "operations", "POST", "/products"),
    command("reconcile", "reconcile", "spec.yaml", items=DOUBTFUL),
    resolve("done"),
    resolve("not-done"),
    resolve("abandon"),
    command("probe", "probe", "idempotency", "spec.yaml", "products/A-1", "--after", "0s",
            is_judged=False),
    command("schedule-next", "schedule", "next", "spec.yaml", spec=SCHEDULED),
    command("schedule-log", "schedule", "log", "spec.yaml", spec=SCHEDULED, before=(TICK,),
            starts_purser=True),
    command("schedule-tick", *TICK, spec=SCHEDULED, again=(TICK,), has_child=True,
            before=((*TICK, "--now", "2033-03-02T22:30Z"),), starts_purser=True),
    command("schedule-install", *INSTALL, spec=SCHEDULED, again=(INSTALL,), before=()),
    command("schedule-uninstall", "schedule", "uninstall", "spec.yaml", spec=SCHEDULED,
            again=(("unless-done", "schedule", "uninstall", "spec.yaml"),), before=(INSTALL,)),
    command("doctor", "doctor", "spec.yaml", has_child=True),
    command("adopt", "adopt", "spec.yaml", "--as", "restored"),
    command("help", "help", "in-doubt"),
    command("version", "version"),
]
BY_NAME = {scenario.name: scenario for scenario in [*SCENARIOS, *COMMANDS]}
