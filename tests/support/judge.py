#!/usr/bin/env python3
"""Holds what purser reports against what the simulator has received and done.

usage: judge.py --ledger FILE --items FILE [--status FILE] [--results FOLDER] [--wanted FILE]
                [--interruptions N] [--at-risk N] [--waits KEY]… [--effects KEY=N]…

It reads the wire ledger of rutter-sim (NDJSON) and purser's own words: `purser items SPEC --output
ndjson` (or json), `purser status SPEC --output json`, and the folder of `purser results`. It shares
no code with purser: no derivation of keys, no ledger, no life cycle. A verdict is one of

  lost    what was asked for was not done, and no state says why; or purser does not know it
  twice   more effects than were asked for, or one request under two keys
  wrong   what purser reports contradicts the wire, or itself
  doubt   an item is in doubt, and nothing that happened to it explains that

Exit status: 0 no verdict, 1 some, 2 usage. `judge()` is the same for programs.
"""

import argparse
import collections
import csv
import json
import os
import re
import sys
from typing import NamedTuple

LOST, TWICE, WRONG, DOUBT = "lost", "twice", "wrong", "doubt"
SENDING_METHODS = {"POST", "PATCH", "PUT", "DELETE"}
SHOWN_MAX = 5
SHOWN_LINES_MAX = 20
OPEN_STATES = {"blocked", "ready", "sending", "waiting"}

# Ends of a remote job (outcomes of rutter-sim) that prove neither done nor not done.
UNCLEAR_ENDS = {"550", "job-409", "job-500", "job-503", "job-550", "job-550-acted", "partial", "no-http-status",
                "inconsistent", "wrong-key", "wrong-id", "odd-status", "lost-job", "vanished", "flip",
                "pending", "no-body", "no-response", "regress", "second-job", "acts-twice"}
# Faults that are an answer all the same.
CLEAR_FAULTS = re.compile(r"(?!408)4\d\d(-|$)|(not-ready|disabled|needs-update|slow|job-.*)$")
# Refusals that say "later" and not "no".
LATER = {408, 425, 429, 452}


class Verdict(NamedTuple):
    kind: str
    item: str  # its key; empty when the verdict is about no item that purser knows
    text: str

    def __str__(self):
        return f"{self.kind}: {self.item + ' ' if self.item else ''}{self.text}"


class Report(NamedTuple):
    """What purser says. `results` are its rows; None = not asked for."""

    items: list
    status: dict = None
    results: list = None


class Facts:
    """What the wire says of one item."""

    def __init__(self):
        self.sends = []
        self.effects = []
        self.answers = []  # sends, and polls of the jobs that they made

    def has_unclear_end(self):
        return any({line.get("fault"), line.get("job_fault")} & UNCLEAR_ENDS or line["status"] == 409
                   for line in self.answers)

    def has_refusal(self):
        return any(400 <= (send["status"] or 0) < 500 and send["status"] not in LATER
                   for send in self.sends)

    def has_lost_answer(self):
        """What came back, if anything, may not have been the answer."""
        return any(send["fault"] and not CLEAR_FAULTS.match(send["fault"])
                   or not send["status"] or send["status"] >= 500 for send in self.sends)


def sends_of(lines):
    """The requests that ask for a write."""
    return [line for line in lines if "seq" in line and line["method"] in SENDING_METHODS]


def effects_of(lines):
    return [line for line in lines if "request" in line]


def some(values):
    """The first few of many, as text."""
    values = sorted(str(value) for value in values)
    more = len(values) - SHOWN_MAX
    return ", ".join(values[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def is_undo(item):
    return item["job"].endswith(":undo")


def last_of(path):
    return path.rsplit("/", 1)[-1]


class Wire:
    """Gives each send and each effect to the item that it is of.

    By the key in the report, which is of the item's last generation; else by its name, which is
    the item's key unless `name_of` says otherwise: the name or sku in the effect, or the end of
    the path. An undo that is sent without a key writes the name "undo KEY".
    """

    def __init__(self, lines, items, name_of):
        self.facts = collections.defaultdict(Facts)
        self.strangers = []
        by_key = {item["idempotency_key"]: number for number, item in enumerate(items)
                  if item["idempotency_key"]}
        by_name = {name_of(item): number for number, item in enumerate(items) if not is_undo(item)}
        by_name.update(("undo " + item["key"].rpartition("#")[0], number)
                       for number, item in enumerate(items) if is_undo(item))
        effect_of = {effect["request"]: effect for effect in effects_of(lines)}
        self.owner_of_key = dict(by_key)
        self.sends = sends_of(lines)
        for effect in effects_of(lines):
            names = (effect["name"], effect["sku"], last_of(effect["path"]))
            owner = by_key.get(effect["idempotency_key"])
            if owner is None:
                owner = next((by_name[name] for name in names if name in by_name), None)
            if owner is None:
                self.strangers.append(effect)
                continue
            self.facts[owner].effects.append(effect)
            if effect["idempotency_key"]:
                self.owner_of_key[effect["idempotency_key"]] = owner
        self.owner_of_job = {}
        for send in self.sends:
            owner = self.owner_of_key.get(send["idempotency_key"])
            if owner is None:
                effect = effect_of.get(send["seq"], {})
                names = (effect.get("name"), effect.get("sku"), last_of(send["path"]))
                owner = next((by_name[name] for name in names if name in by_name), None)
            if owner is None:
                continue
            self.facts[owner].sends.append(send)
            self.facts[owner].answers.append(send)
            if send["job_id"]:
                self.owner_of_job[send["job_id"]] = owner
        for line in lines:
            if "seq" in line and line["method"] == "GET":
                owner = self.owner_of_job.get(last_of(line["path"]))
                if owner is not None:
                    self.facts[owner].answers.append(line)


def judge_ledger(lines):
    """The ledger itself must make sense, else nothing read from it does."""
    sends = {line["seq"]: line for line in sends_of(lines)}
    for effect in effects_of(lines):
        send = sends.get(effect["request"])
        if send is None:
            yield Verdict(WRONG, "", f"effect {effect['effect']} names request "
                          f"{effect['request']}, which is no write")
        elif send["idempotency_key"] != effect["idempotency_key"]:
            yield Verdict(WRONG, "", f"effect {effect['effect']} and its request have different keys")


def request_of(send):
    return send["method"], send["path"], send["connection"], send["body_sha256"]


def judge_keys(wire, items, may_repeat):
    """One request for one key, and one key for one request of one item."""
    requests_of_key = collections.defaultdict(list)
    keys_of_request = collections.defaultdict(lambda: collections.defaultdict(list))
    for send in wire.sends:
        key = send["idempotency_key"]
        if key:
            # What was refused before it was accepted has left the key free for other bytes.
            if send["accepted"] or not 400 <= (send["status"] or 0) < 500:
                requests_of_key[key].append(request_of(send))
            keys_of_request[request_of(send)][key].append(send)
    for key, requests in sorted(requests_of_key.items()):
        # What was answered before its connection or body was looked at has null there.
        differing = [set(values) - {None} for values in zip(*requests)]
        if any(len(values) > 1 for values in differing):
            owner = wire.owner_of_key.get(key)
            yield Verdict(WRONG, "" if owner is None else items[owner]["key"],
                          f"key {key} travelled with different requests: "
                          + "; ".join(some(values) for values in differing if len(values) > 1))
    for request, sends_of_key in keys_of_request.items():
        # A job that failed without effect is followed by a new key.
        keys = {key for key, sends in sends_of_key.items()
                if not any(send.get("job_fault") for send in sends)}
        owners = {wire.owner_of_key[key] for key in keys if key in wire.owner_of_key}
        unknown = {key for key in keys if key not in wire.owner_of_key}
        if len(owners) > 1 or any(items[owner]["key"] in may_repeat for owner in owners):
            continue
        if len(keys) > 1 and (unknown or owners):
            item = items[next(iter(owners))]["key"] if owners else ""
            yield Verdict(TWICE, item, f"one request ({request[0]} {request[1]}) has "
                          f"{len(keys)} keys: {some(keys)}")


def judge_state(item, facts, expected):
    """An ended item against its effects; `expected` = so many were asked for, None = as its state."""
    state, count = item["state"], len(facts.effects)
    if expected is None:
        was_done = state == "succeeded" or item["reason"] in ("undone", "undo_found_nothing")
        may_be = state in ("in_doubt", "sending", "waiting")
        least, most = (1, 1) if was_done else (0, 1) if may_be else (0, 0)
    else:
        least = most = expected
    keys = {effect["idempotency_key"] for effect in facts.effects}
    if count > max(most, 1):
        yield Verdict(TWICE, item["key"], f"({state}) has {count} effects, at most {most} asked for; "
                      f"keys: {some(keys)}")
    elif count > most:
        yield Verdict(WRONG, item["key"], f"is reported {state}, and the server has done it")
    elif count < least and item["reason"] != "resolved_by_person":
        yield Verdict(WRONG, item["key"], f"is reported {state} with {count} effects, "
                      f"{least} asked for")
    if any(key and sum(effect["idempotency_key"] == key for effect in facts.effects) > 1
           for key in keys):
        yield Verdict(TWICE, item["key"], f"has two effects under one key: {some(keys)}")


def judge_claims(number, item, facts, jobs):
    """Other words of the report that the wire can contradict."""
    key = item["idempotency_key"]
    sends = [send for send in facts.sends if key and send["idempotency_key"] == key]
    without = [send["seq"] for send in facts.sends if not send["idempotency_key"]]
    if key and sends and without:
        yield Verdict(WRONG, item["key"], f"was sent without its key: requests {some(without)}")
    if jobs.get(item["remote_job"], number) != number:
        yield Verdict(WRONG, item["key"], f"names the remote job of another item: "
                      f"{item['remote_job']}")
    # A key is reported of every item; not every operation carries it.
    if key and item["state"] == "failed" and item["reason"] != "not_rendered" and not (sends or without):
        yield Verdict(WRONG, item["key"], "is reported failed, and was never sent")


def judge_doubts(items, wire, interruptions, at_risk, restored):
    """Each doubt needs a fault; what is sent once, and is interrupted, is one by itself."""
    by_interruption = []
    for number, item in enumerate(items):
        if item["state"] != "in_doubt" or restored and item["reason"] == "restored_state":
            continue
        facts = wire.facts[number]
        once = not item["idempotency_key"] or item["reason"] == "unkeyed_unknown"
        if facts.has_unclear_end() or once and facts.has_lost_answer():
            continue
        if facts.has_refusal() and (facts.has_lost_answer() or interruptions):
            continue
        if once and interruptions:
            by_interruption.append(item)
            continue
        met = {line.get("fault") for line in facts.answers} | {
            line.get("job_fault") for line in facts.answers}
        statuses = {line["status"] for line in facts.answers}
        yield Verdict(DOUBT, item["key"], f"({item['reason']}) is in doubt, and nothing explains it; "
                      f"met {some(met - {None}) or 'no fault'}, statuses {some(statuses)}")
    for item in by_interruption[interruptions * at_risk:]:
        yield Verdict(DOUBT, item["key"], f"is in doubt: {len(by_interruption)} such after "
                      f"{interruptions} interruptions, each with at most {at_risk} at risk")


def judge_report(report):
    """purser against itself: each count and each row of the results."""
    names = {(item["job"], item["key"]) for item in report.items}
    if len(names) != len(report.items):
        yield Verdict(WRONG, "", "the items name one item twice")
    if report.status is not None:
        counted = collections.Counter((item["job"], item["state"]) for item in report.items)
        for job in report.status["jobs"]:
            for state, count in job.items():
                if state != "job" and count != counted[job["job"], state]:
                    yield Verdict(WRONG, "", f"status says {count} of {job['job']} {state}, "
                                  f"items {counted[job['job'], state]}")
    if report.results is not None:
        states = collections.defaultdict(set)
        for row in report.results:
            states[row["purser_key"]].add(row["purser_state"])
        for item in report.items:
            if is_undo(item):
                continue
            if item["key"] not in states:
                yield Verdict(LOST, item["key"], "has no row in the results")
            elif item["state"] not in states[item["key"]]:
                yield Verdict(WRONG, item["key"], f"is {item['state']}, and in the results "
                              f"{some(states[item['key']])}")


def judge_presence(lines, report, wanted, wire, waits):
    """Nothing that was asked for is missing or left open, and nothing else was done."""
    known = {item["key"] for item in report.items}
    for name in wanted:
        if name not in known:
            yield Verdict(LOST, name, "is in no state")
    for effect in wire.strangers:
        name = effect["name"] or effect["sku"] or effect["path"]
        yield Verdict(WRONG, str(name), "has an effect, and purser reports no such item")
    for item in report.items:
        if item["state"] in OPEN_STATES and item["key"] not in waits:
            yield Verdict(LOST, item["key"], f"is {item['state']} at the end")


def judge(lines, report, wanted=(), effects=None, waits=(), interruptions=0, at_risk=1,
          name_of=lambda item: item["key"], restored=False):
    """Verdicts on a world in which no purser runs any more; empty = nothing is wrong.

    `report`: a Report, or a list of items. `wanted`: keys of items that must be known. `effects`:
    for items that were sent again on purpose, how many effects they must have had in all, by key.
    `waits`: keys of items that may be left open. `interruptions`: how often purser was killed or
    met a fault of its own machine; each may leave up to `at_risk` items in doubt that are sent
    without a key. `name_of`: what the simulator calls an item. `restored`: an older ledger has taken
    the place of the newer one, and what was sent since can be in doubt for that.
    """
    report = report if isinstance(report, Report) else Report(report)
    effects = effects or {}
    wire = Wire(lines, report.items, name_of)
    verdicts = list(judge_ledger(lines))
    verdicts += judge_presence(lines, report, wanted, wire, waits)
    verdicts += judge_keys(wire, report.items, effects)
    for number, item in enumerate(report.items):
        facts = wire.facts[number]
        verdicts += judge_state(item, facts, effects.get(item["key"]))
        verdicts += judge_claims(number, item, facts, wire.owner_of_job)
    verdicts += judge_doubts(report.items, wire, interruptions, at_risk, restored)
    verdicts += judge_report(report)
    return verdicts


def items_from(text):
    """The items of `purser items --output json` or `ndjson`."""
    text = text.strip()
    lines = json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
    return [item for item in lines if "key" in item]


def results_from(folder):
    """All rows that `purser results` has written below a folder."""
    rows = []
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            with open(os.path.join(place, name), encoding="utf-8", newline="") as file:
                rows += csv.DictReader(file) if name.endswith(".csv") else map(json.loads, file)
    return rows


def read_report(purser, folder, spec="spec.yaml"):
    """Asks purser for all that it says of a spec: `purser(*words)` gives its standard output.

    The results are written to `folder`, which must not exist.
    """
    items = items_from(purser("items", spec, "--output", "ndjson"))
    status = json.loads(purser("status", spec, "--output", "json"))
    purser("results", spec, "-o", folder)
    return Report(items, status, results_from(folder))


def shown(verdicts):
    """The first of them as text, a line each."""
    more = [f"and {len(verdicts) - SHOWN_LINES_MAX} more"] if len(verdicts) > SHOWN_LINES_MAX else []
    return "\n".join([str(verdict) for verdict in verdicts[:SHOWN_LINES_MAX]] + more)


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--items", required=True)
    parser.add_argument("--status")
    parser.add_argument("--results")
    parser.add_argument("--wanted")
    parser.add_argument("--interruptions", type=int, default=0)
    parser.add_argument("--at-risk", type=int, default=1)
    parser.add_argument("--waits", action="append", default=[])
    parser.add_argument("--effects", action="append", default=[])
    options = parser.parse_args()
    lines = [json.loads(line) for line in read(options.ledger).splitlines() if line.strip()]
    report = Report(items_from(read(options.items)),
                    json.loads(read(options.status)) if options.status else None,
                    results_from(options.results) if options.results else None)
    wanted = read(options.wanted).split("\n") if options.wanted else []
    effects = {key: int(count) for key, _, count in
               (word.rpartition("=") for word in options.effects)}
    verdicts = judge(lines, report, [name for name in wanted if name], effects, options.waits,
                     options.interruptions, options.at_risk)
    if verdicts:
        print(shown(verdicts))
    print(f"judge: {len(report.items)} items, {len(sends_of(lines))} writes, "
          f"{len(effects_of(lines))} effects: {len(verdicts)} verdicts")
    return 1 if verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
