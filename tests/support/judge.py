#!/usr/bin/env python3
"""Judges a run from the wire ledger of rutter-sim alone: what came in and what was done.

usage: judge.py LEDGER.ndjson NAMES.txt

It knows nothing of purser: no key derivation, no state, no report. `judge()` gives a list of
sentences, one for each thing that is wrong; an empty list means that every name was created
exactly once, under one key, and that no key travelled with two different requests.
"""

import collections
import json
import sys

SENDING_METHODS = {"POST", "PATCH", "PUT", "DELETE"}
SHOWN_MAX = 5


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


def first_of(problems):
    """The first few of many sentences that say the same of different things."""
    problems = list(problems)
    yield from problems[:SHOWN_MAX]
    if len(problems) > SHOWN_MAX:
        yield f"… and {len(problems) - SHOWN_MAX} more of these"


def judge_effects(effects, expected, field):
    by_name = collections.Counter(effect[field] for effect in effects)
    missing = [name for name in expected if name not in by_name]
    twice = [f"{name} ({count} times)" for name, count in by_name.items() if count > 1]
    strange = [name for name in by_name if name not in expected]
    if missing:
        yield f"{len(missing)} lost, no effect: {some(missing)}"
    if twice:
        yield f"{len(twice)} done more than once: {some(twice)}"
    if strange:
        yield f"{len(strange)} effects that nobody asked for: {some(strange)}"


def judge_keys(sends, effects, field, rekeyed):
    """One key for one name and for one request, and one request for one key."""
    without = [send["seq"] for send in sends if not send["idempotency_key"]]
    if without:
        yield f"{len(without)} writes without idempotency key: requests {some(without)}"
    keys_of_name = collections.defaultdict(set)
    for effect in effects:
        keys_of_name[effect[field]].add(effect["idempotency_key"])
    requests_of_key = collections.defaultdict(set)
    keys_of_request = collections.defaultdict(set)
    for send in sends:
        request = (send["method"], send["path"], send["connection"], send["body_sha256"])
        requests_of_key[send["idempotency_key"]].add(request)
        keys_of_request[request].add(send["idempotency_key"])
    yield from first_of(
        f"{name} has effects under {len(keys)} keys: {some(keys)}"
        for name, keys in sorted(keys_of_name.items(), key=str) if len(keys) > 1)
    yield from first_of(
        f"key {key} travelled with {len(requests)} different requests"
        for key, requests in sorted(requests_of_key.items(), key=str) if key and len(requests) > 1)
    if rekeyed:
        acted = {effect["idempotency_key"] for effect in effects}
        keys_of_request = {request: keys & acted for request, keys in keys_of_request.items()}
    yield from first_of(
        f"one request ({request[0]} {request[1]}) has {len(keys)} keys: {some(keys)}"
        for request, keys in sorted(keys_of_request.items(), key=str) if len(keys) > 1)


def judge_ledger(lines):
    """The ledger itself must make sense, else nothing read from it does."""
    sends = {line["seq"]: line for line in sends_of(lines)}
    for effect in effects_of(lines):
        send = sends.get(effect["request"])
        if send is None:
            yield f"effect {effect['effect']} names request {effect['request']}, which is no write"
        elif send["idempotency_key"] != effect["idempotency_key"]:
            yield f"effect {effect['effect']} and its request have different keys"


def judge(lines, expected, field="name", rekeyed=False):
    """What is wrong with these ledger lines, when every name in `expected` was to be created.

    With `rekeyed` the server has failed jobs without doing anything (a throttling platform, 452):
    then a request may have further keys, as long as none but one has had an effect.
    """
    expected = set(expected)
    sends, effects = sends_of(lines), effects_of(lines)
    problems = list(judge_ledger(lines))
    problems += judge_effects(effects, expected, field)
    problems += judge_keys(sends, effects, field, rekeyed)
    if len(effects) != len(expected):
        problems.append(f"{len(effects)} effects, {len(expected)} expected")
    return problems


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip())
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    with open(sys.argv[2], encoding="utf-8") as file:
        expected = [line.rstrip("\n") for line in file if line.strip()]
    problems = judge(lines, expected)
    for problem in problems:
        print(problem)
    print(f"judge: {len(sends_of(lines))} writes, {len(effects_of(lines))} effects, "
          f"{len(expected)} expected: {'WRONG' if problems else 'right'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
