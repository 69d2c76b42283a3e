#!/usr/bin/env python3
"""purser against WireMock, whose first answer to each write, and to each poll, is a broken connection.

A quarter of the items each meets a reset, an end without an answer, an answer with a broken chunk,
and bytes that are no HTTP. WireMock does not say whether such a write was done, so it must be asked
for again under the same key. Its journal is the judge: each write came at least twice, always under
one key with one body, and no key belongs to two items.
"""

import collections
import glob
import json
import os
import sys
import urllib.request
import uuid

import peer

FAULTS = ("CONNECTION_RESET_BY_PEER", "EMPTY_RESPONSE", "MALFORMED_RESPONSE_CHUNK",
          "RANDOM_DATA_THEN_CLOSE")
ITEMS = 40


def name_of(number):
    return f"product {number}"


def answer_of(body):
    return {"status": 200, "headers": {"Content-Type": "application/json"}, "jsonBody": body}


def first_the_fault(scenario, request, number, answer):
    """Two stubs: the first time the fault of this item, from then on the answer."""
    yield {"scenarioName": scenario, "requiredScenarioState": "Started", "newScenarioState": "met",
           "request": request, "response": {"fault": FAULTS[number % len(FAULTS)]}}
    yield {"scenarioName": scenario, "requiredScenarioState": "met", "request": request,
           "response": answer_of(answer)}


def stubs():
    for number in range(ITEMS):
        job = str(uuid.uuid5(uuid.NAMESPACE_URL, name_of(number)))
        write = {"method": "POST", "urlPath": "/versioned/products", "bodyPatterns": [
            {"matchesJsonPath": {"expression": "$.product.name", "equalTo": name_of(number)}}]}
        yield from first_the_fault(f"write {number}", write, number, {"async_response": {
            "id": job, "status": "prequeued",
            "response_url": f"http://mock.example/versioned/jobs/{job}"}})
        poll = {"method": "GET", "urlPath": f"/versioned/jobs/{job}"}
        yield from first_the_fault(f"poll {number}", poll, number, {
            "id": job, "status": "success",
            "request": {"method": "POST", "url": "http://mock.example/versioned/products"},
            "response": {"http_status": 200, "body": {"product": {"id": job}}}})
    yield {"request": {"method": "GET", "urlPath": "/versioned/connections/status"},
           "response": answer_of({
               "connection": {"id": "1", "orgId": "1", "platform": "SHOPIFY"},
               "status": {"is_ready": True, "platform": "SHOPIFY", "link_url": "https://mock.example",
                          "needs_update_status": {"needs_update": False},
                          "disabled_status": {"is_disabled": False, "disabled_reason": None}}})}


def spec_of(origin):
    return json.dumps({
        "purser": 1,
        "name": "wiremock",
        "api": {"environment": origin + "/versioned"},
        "connections": {"shop": {"platform": "SHOPIFY", "access_token": {"env": "TEST_ACCESS_TOKEN"}}},
        "defaults": {"retry": {"first_delay": "50ms", "max_delay": "500ms"}},
        "jobs": {"products": {
            "source": {"key": "${row.name}",
                       "inline": [{"name": name_of(number)} for number in range(ITEMS)]},
            "request": "POST /products",
            "idempotent": True,  # no answer of this server shows X-Rutter-Job-ID
            "body": {"product": {"name": "${row.name}", "description": "made by a test",
                                 "variants": [{"sku": "${row.name}", "price": 1.5,
                                               "option_values": []}]}}}},
    }, indent=1)


class Admin:
    """WireMock's own interface."""

    def __init__(self, origin):
        self.base = origin + "/__admin"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data,
                                         headers={"Content-Type": "application/json"})
        with self.opener.open(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def writes(self):
        """Key, body and name of each write, in any order."""
        for entry in self.ask("/requests")["requests"]:
            request = entry["request"]
            if request["method"] == "POST":
                headers = {name.lower(): value for name, value in request["headers"].items()}
                yield (headers.get("idempotency-key"), request["body"],
                       json.loads(request["body"])["product"]["name"])


def judge(writes):
    by_name = collections.defaultdict(list)
    names_of_key = collections.defaultdict(set)
    for key, body, name in writes:
        if not key:
            yield f"a write without key: {name}"
        by_name[name].append((key, body))
        names_of_key[key].add(name)
    for name in map(name_of, range(ITEMS)):
        sent = by_name.pop(name, [])
        if len(sent) < 2:
            yield f"{name} was sent {len(sent)} times: it has not met its fault"
        if len(set(sent)) > 1:
            yield f"{name} was sent with {len(set(sent))} keys or bodies"
    yield from (f"nobody asked for {name}" for name in by_name)
    yield from (f"key {key} belongs to {len(names)} items" for key, names in names_of_key.items()
                if len(names) > 1)


def test(options, folder):
    pattern = os.path.join("wiremock", "build")
    jars = glob.glob(os.path.join(peer.installed(options, pattern), "wiremock-standalone-*.jar"))
    java = peer.program("java", "default-jre-headless")
    if len(jars) != 1:
        raise peer.Wrong(f"{len(jars)} programs of WireMock in {options.peers}")
    with peer.Peer(lambda port: [java, "-jar", jars[0], "--port", str(port), "--bind-address",
                                 "127.0.0.1", "--root-dir", folder, "--disable-banner"],
                   folder, "wiremock") as mock:
        admin = Admin(mock.origin)
        admin.ask("/mappings/import", {"mappings": list(stubs())})
        report = peer.Purser(options, folder, spec_of(mock.origin)).run_all(ITEMS, "--wait", "200s")
        writes = list(admin.writes())
    problems = list(judge(writes))
    if problems:
        raise peer.Wrong("\n".join(problems[:20]))
    print(f"wiremock: {report['items']['succeeded']} items, {len(writes)} writes, "
          f"{report['this_run']['polls']} polls, {report['elapsed_ms'] / 1000:.1f} s; "
          "each write had its fault and was repeated under its key with its body")


if __name__ == "__main__":
    sys.exit(peer.main(__doc__, test))
