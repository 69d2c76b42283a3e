#!/usr/bin/env python3
"""Prism between purser and rutter-sim judges both by Rutter's own OpenAPI document.

With --errors Prism refuses a request that the document does not allow (422) and puts an error of
its own (500) in the place of an answer that it does not allow. Each operation that purser knows to
have an asynchronous answer is a job of two items whose bodies are the document's examples. All must
succeed without a complaint of Prism's.

What the document does not know, and how it is treated:
- The headers Idempotency-Key and X-Rutter-Version are no declared parameters: Prism passes them on
  and says nothing. The same holds for response_mode in a body that the document has, or in the query.
- response_mode in the body of a DELETE: the document, older than that, has no body there, and Prism
  refuses any. These jobs, and the one that never has an asynchronous answer, say `mode: sync`.
- Operations that are newer than the document are left out, and counted.
- It contradicts itself in one place, see `mend`.

With --plant the document asks for a member that no request and one that no answer has; then Prism
must complain of both.
"""

import collections
import copy
import json
import os
import re
import sys
import uuid

import peer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402

ITEMS_A_JOB = 2
BASE = "/versioned"
VERSION = "2023-03-14"
PLANTED = "planted_by_the_test"
PLANTED_PATHS = ("/accounting/invoices", "/accounting/bills")  # a request, and a poll of a job
# How Prism's log tells of a fault. With --errors it names the request, without it the place in it.
COMPLAINT = re.compile(r"\S+ \S+ +✖ +error .*|.*Violation: .*")
COMPLAINTS_SHOWN_MAX = 20


def shape(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


class Document:
    def __init__(self, file):
        with open(file, encoding="utf-8") as text:
            self.whole = json.load(text)
        self.paths = {shape(path): item for path, item in self.whole["paths"].items()}

    def operation(self, method, path):
        return self.paths.get(shape(path), {}).get(method.lower())

    def resolve(self, part):
        while "$ref" in part:
            target = self.whole
            for name in part["$ref"].removeprefix("#/").split("/"):
                target = target[name.replace("~1", "/").replace("~0", "~")]
            part = target
        return part

    def body(self, operation):
        """The request body that the document shows, or one made from its schema; None if there is
        none."""
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return None
        for example in content.get("examples", {}).values():
            return without_null(self.resolve(example)["value"])
        return self.value(content["schema"])

    def answers_later(self, operation):
        """Whether the document has an asynchronous answer for it."""
        content = operation["responses"]["200"]["content"]["application/json"]
        return "async_response" in json.dumps(self.expanded(content["schema"]))

    def expanded(self, schema):
        """The schema with what it and its alternatives stand for, one level deep."""
        schema = self.resolve(schema)
        return [list(schema.get("properties", {}))] + [
            self.expanded(part) for word in ("anyOf", "oneOf", "allOf")
            for part in schema.get(word, [])]

    def value(self, schema):
        """Something that the schema allows: all members, so that much is checked."""
        schema = self.resolve(schema)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self.value(schema[word][0])
        if "allOf" in schema:
            whole = {}
            for part in schema["allOf"]:
                whole.update(self.value(part))
            return whole
        kind = schema.get("type", "object")
        kind = kind[0] if isinstance(kind, list) else kind
        if "enum" in schema:
            return schema["enum"][0]
        if kind == "object":
            return {name: self.value(part) for name, part in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.value(schema["items"])]
        if kind == "string":
            return {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, "purser")),
                    "email": "merchant@shop.example",
                    "uri": "https://shop.example"}.get(schema.get("format"), "text")
        return {"number": 12.5, "integer": 3, "boolean": True}[kind]


def without_null(value):
    """Rutter refuses null; examples of the document have it for members that may be left out."""
    if isinstance(value, dict):
        return {name: without_null(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_null(part) for part in value if part is not None]
    return value


def operations_of(options, folder):
    """The writes that purser knows to have an asynchronous answer."""
    done = peer.Purser(options, folder, "").ask("operations", "--output", "json")
    return [row for row in json.loads(done.stdout) if row["class"] != "plain"]


def token_of(platform):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "https://purser.example/" + platform))


def job_of(row, document, number):
    """A job as JSON, which is YAML too."""
    operation = document.operation(row["method"], row["path"])
    body = document.body(operation)
    ids = [{"id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{number}-{item}"))}
           for item in range(ITEMS_A_JOB)]
    job = {
        "connection": (row["platforms"] or ["QUICKBOOKS"])[0].lower(),
        "source": {"key": "${row.id}", "inline": ids},
        "request": row["method"] + " " + re.sub(r"\{[^}]*\}", "${row.id}", row["path"]),
    }
    if body is not None:
        job["body"] = body
    if not document.answers_later(operation):
        job["mode"] = "sync"
    return job


def spec_of(port, jobs, platforms):
    return json.dumps({
        "purser": 1,
        "name": "every-asynchronous-operation",
        "api": {"environment": f"http://127.0.0.1:{port}{BASE}", "version": VERSION},
        "connections": {platform.lower(): {"platform": platform,
                                           "access_token": {"env": "TOKEN_" + platform}}
                        for platform in platforms},
        "jobs": jobs,
    }, indent=1)


def mend(document):
    """The reason why a connection is disabled may be null by its type, but not by its enum."""
    status = document["components"]["schemas"]["GetConnectionStatusResponse"]["properties"]["status"]
    reason = status["properties"]["disabled_status"]["properties"]["disabled_reason"]
    if "null" not in reason["type"] or None in reason["enum"]:
        raise peer.Wrong("the document is another one: mend() has nothing to mend")
    reason["enum"] = reason["enum"] + [None]


def plant(document):
    """Asks for what the other side does not send."""
    jobs = document["components"]["schemas"]["AsynchronousJob"]
    jobs["required"] = jobs["required"] + [PLANTED]
    invoice = document["components"]["schemas"]["CreateCreateInvoiceRequest"]
    invoice["required"] = invoice.get("required", []) + [PLANTED]


def write_document(document, file, planted):
    """The same document with the paths that purser asks for: below the base URL."""
    whole = copy.deepcopy(document.whole)
    whole["paths"] = {BASE + path: item for path, item in whole["paths"].items()}
    mend(whole)
    if planted:
        plant(whole)
    with open(file, "w", encoding="utf-8") as text:
        json.dump(whole, text)


def judge_effects(lines, rows):
    """Each item had one effect under a key of its own, for each operation."""
    effects = judge.effects_of(lines)
    keys = collections.Counter(effect["idempotency_key"] for effect in effects)
    for key, count in keys.items():
        if count != 1 or not key:
            yield f"{count} effects under the key {key}"
    templates = [(row, re.compile(BASE + re.sub(r"\{[^}]*\}", "[^/]+", row["path"]) + "$"))
                 for row in rows]
    counts = collections.Counter()
    for effect in effects:
        for row, template in templates:
            if row["method"] == effect["method"] and template.match(effect["path"]):
                counts[row["method"], row["path"]] += 1
                break
        else:
            yield f"an effect that nobody asked for: {effect['method']} {effect['path']}"
    for row in rows:
        count = counts[row["method"], row["path"]]
        if count != ITEMS_A_JOB:
            yield f"{row['method']} {row['path']}: {count} effects, {ITEMS_A_JOB} expected"


def complaints_of(log):
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)  # colours are for people
    return [match.group(0).strip() for match in COMPLAINT.finditer(plain)]


class Trial:
    """One run of all jobs through Prism."""

    def __init__(self, options, folder, document, flags):
        node, command = peer.program("node", "nodejs"), peer.installed(options, ".bin", "prism")
        os.makedirs(folder)
        contract = os.path.join(folder, "contract.json")
        write_document(document, contract, options.plant)
        self.rows = operations_of(options, folder)
        self.known = [row for row in self.rows if document.operation(row["method"], row["path"])
                      and (not options.plant or row["path"] in PLANTED_PATHS)]
        jobs = {f"job-{number:02}": job_of(row, document, number)
                for number, row in enumerate(self.known)}
        self.late = sum("mode" not in job for job in jobs.values())
        platforms = sorted({(row["platforms"] or ["QUICKBOOKS"])[0] for row in self.known})
        self.report, self.failure = None, ""
        with Simulator(options.sim) as simulator:
            with peer.Peer(lambda port: [node, command, "proxy", *flags, "-p", str(port), contract,
                                         simulator.origin], folder, "prism") as proxy:
                purser = peer.Purser(options, folder, spec_of(proxy.port, jobs, platforms),
                                     {"TOKEN_" + name: token_of(name) for name in platforms})
                try:
                    self.report = purser.run_all(len(jobs) * ITEMS_A_JOB,
                                                 "--wait", "10s" if options.plant else "120s")
                except peer.Wrong as wrong:
                    self.failure = str(wrong)
                self.complaints = complaints_of(proxy.text())
            self.lines = simulator.ledger()


def test(options, folder):
    peer.installed(options, ".bin", "prism")
    peer.program("node", "nodejs")
    if not os.path.isfile(options.openapi):
        raise peer.Skip("PURSER_OPENAPI does not name Rutter's document of version " + VERSION)
    document = Document(options.openapi)
    trial = Trial(options, os.path.join(folder, "errors"), document, ["--errors"])
    if options.plant:
        judge_plant(trial.complaints)
        return
    if trial.complaints or trial.failure:
        # Once more: only without --errors does Prism's log tell what is wrong.
        told = Trial(options, os.path.join(folder, "told"), document, []).complaints
        raise peer.Wrong("\n".join(trial.complaints[:COMPLAINTS_SHOWN_MAX]
                                   + sorted(set(told))[:COMPLAINTS_SHOWN_MAX] + [trial.failure]))
    problems = list(judge_effects(trial.lines, trial.known))
    if problems:
        raise peer.Wrong("\n".join(problems))
    requests = sum("seq" in line for line in trial.lines)
    print(f"prism: {len(trial.known)} operations, {trial.late} of them asynchronous, "
          f"{trial.report['items']['succeeded']} items, {requests} requests, no violation; "
          f"{len(trial.rows) - len(trial.known)} operations are newer than the document")


def judge_plant(complaints):
    for request, error in (("post /versioned/accounting/invoices ", "UNPROCESSABLE_ENTITY"),
                           ("get /versioned/jobs/", "VIOLATIONS")):
        if not any(line.startswith(request) and error in line for line in complaints):
            raise peer.Wrong(f"Prism did not complain of what was planted: {request}\n"
                             + "\n".join(complaints[:COMPLAINTS_SHOWN_MAX]))
    print(f"prism: what was planted was found, {len(complaints)} complaints")


if __name__ == "__main__":
    sys.exit(peer.main(__doc__, test))
