#!/usr/bin/env python3
"""purser against Mockoon, which accepts each write once for its key and answers jobs by their state.

The environment that Mockoon serves is made here:
- A write is accepted with a job; the same key and body again answer the same job; another body 409.
- Every fifth request is a 429 with Retry-After, before anything else.
- Of others, those whose number ends with 3 are accepted, but a proxy's page (502) is all that comes
  back: only the same key finds out.
- A job is pending twice and then done.

Mockoon's own log of the transactions is the judge: each item has one key, one body and one job.
"""

import collections
import json
import os
import re
import sys
import urllib.error
import urllib.request
import uuid

import peer

ITEMS = 60
ACCESS_TOKEN = "3f0b1c52-7d1e-4a57-9b0e-5a3f7c2d9e10"  # of environment_of()
JSON_HEADER = {"key": "Content-Type", "value": "application/json"}

KEY = "(header 'Idempotency-Key')"
JOB_OF_KEY = f"(concat 'job:' {KEY})"
BODY_OF_KEY = f"(concat 'body:' {KEY})"
BODY = "(stringify (bodyRaw))"
REMEMBER = f"{{{{setGlobalVar {JOB_OF_KEY} (uuid)}}}}{{{{setGlobalVar {BODY_OF_KEY} {BODY}}}}}"
ACCEPTED = (f'{{"async_response":{{"id":"{{{{getGlobalVar {JOB_OF_KEY}}}}}","status":"prequeued",'
            f'"response_url":"http://mock.example/versioned/jobs/{{{{getGlobalVar {JOB_OF_KEY}}}}}"}}}}')
IS_KNOWN = {"target": "global_var", "modifier": f"job:{{{{header 'Idempotency-Key'}}}}", "value": "",
            "invert": True, "operator": "null"}
POLLS = "(concat 'polls:' (urlParam 'id'))"


def error(code):
    return json.dumps({"error_type": "API_REQUEST_ERROR", "error_code": code,
                       "error_message": "made by a test"})


def response(label, status=200, body="", rules=(), headers=(), **more):
    return {"uuid": str(uuid.uuid4()), "label": label, "statusCode": status, "body": body,
            "latency": 0, "headers": [JSON_HEADER, *headers], "bodyType": "INLINE", "filePath": "",
            "databucketID": "", "sendFileAsBody": False, "rules": list(rules),
            "rulesOperator": "AND", "disableTemplating": False, "fallbackTo404": False,
            "default": False, "crudKey": "id", "callbacks": [], **more}


def route(method, endpoint, *responses):
    return {"uuid": str(uuid.uuid4()), "type": "http", "documentation": "", "method": method,
            "endpoint": endpoint, "responses": list(responses), "responseMode": None,
            "streamingMode": None, "streamingInterval": 0}


def request_number(pattern):
    return {"target": "request_number", "modifier": "", "value": pattern, "invert": False,
            "operator": "regex"}


def products():
    is_other = {"target": "templating", "value": "other", "invert": False, "operator": "equals",
                "modifier": f"{{{{#if (eq (getGlobalVar {BODY_OF_KEY}) {BODY})}}}}same"
                            "{{else}}other{{/if}}"}
    return route(
        "post", "products",
        response("throttled", 429, error("RATE_LIMIT"), [request_number("[05]$")],
                 [{"key": "Retry-After", "value": "1"}]),
        response("other body", 409, error("IDEMPOTENCY_MISMATCH"), [IS_KNOWN, is_other]),
        response("again", 200, ACCEPTED, [IS_KNOWN]),
        response("accepted, answer lost", 502, REMEMBER + "<html>Bad Gateway</html>",
                 [request_number("3$")]),
        response("accepted", 200, REMEMBER + ACCEPTED, default=True))


def environment():
    """What Mockoon keeps in a data file."""
    status = {"connection": {"id": ACCESS_TOKEN, "orgId": ACCESS_TOKEN, "platform": "SHOPIFY"},
              "status": {"is_ready": True, "platform": "SHOPIFY", "link_url": "https://mock.example",
                         "needs_update_status": {"needs_update": False},
                         "disabled_status": {"is_disabled": False, "disabled_reason": None}}}
    job = (f"{{{{setGlobalVar {POLLS} (concat 'x' (getGlobalVar {POLLS}))}}}}"
           f"{{{{#if (gt (len (getGlobalVar {POLLS})) 2)}}}}"
           '{"id":"{{urlParam \'id\'}}","status":"success",'
           '"request":{"method":"POST","url":"http://mock.example/versioned/products"},'
           '"response":{"http_status":200,"body":{"product":{"id":"{{urlParam \'id\'}}"}}}}'
           "{{else}}"
           '{"id":"{{urlParam \'id\'}}","status":"pending",'
           '"request":{"method":"POST","url":"http://mock.example/versioned/products"}}'
           "{{/if}}")
    routes = [products(),
              route("get", "jobs/:id", response("job", 200, job, default=True)),
              route("get", "connections/status",
                    response("ready", 200, json.dumps(status), default=True))]
    return {"uuid": str(uuid.uuid4()), "lastMigration": 33, "name": "rutter", "port": 0,
            "hostname": "", "endpointPrefix": "versioned", "latency": 0, "folders": [],
            "routes": routes, "rootChildren": [{"type": "route", "uuid": one["uuid"]}
                                               for one in routes],
            "proxyMode": False, "proxyHost": "", "proxyRemovePrefix": False,
            "tlsOptions": {"enabled": False, "type": "CERT", "pfxPath": "", "certPath": "",
                           "keyPath": "", "caPath": "", "passphrase": ""},
            "cors": False, "headers": [], "proxyReqHeaders": [], "proxyResHeaders": [],
            "data": [], "callbacks": []}


def spec_of(origin):
    rows = [{"sku": f"SKU-{number}", "name": f"product {number}"} for number in range(ITEMS)]
    return json.dumps({
        "purser": 1,
        "name": "mockoon",
        "api": {"environment": origin + "/versioned"},
        "connections": {"shop": {"platform": "SHOPIFY", "access_token": {"env": "TEST_ACCESS_TOKEN"}}},
        "defaults": {"retry": {"first_delay": "100ms", "max_delay": "1s"}},
        "jobs": {"products": {
            "source": {"key": "${row.sku}", "inline": rows},
            "request": "POST /products",
            "idempotent": True,  # no answer of this server shows X-Rutter-Job-ID
            "body": {"product": {"name": "${row.name}", "description": "made by a test",
                                 "variants": [{"sku": "${row.sku}", "price": 1.5,
                                               "option_values": []}]}}}},
    }, indent=1)


def transactions_of(log):
    """The POSTs of Mockoon's log: status, key, request body, answer."""
    for line in log.splitlines():
        try:
            told = json.loads(line).get("transaction")
        except json.JSONDecodeError:
            continue
        if told and told["request"]["method"].upper() == "POST":
            headers = {one["key"].lower(): one["value"] for one in told["request"]["headers"]}
            yield (told["response"]["statusCode"], headers.get("idempotency-key"),
                   told["request"]["body"], told["response"]["body"])


def judge(transactions):
    bodies, jobs, keys_of_name = (collections.defaultdict(set) for _ in range(3))
    for status, key, body, answer in transactions:
        if not key:
            yield f"a write without key: {body}"
        bodies[key].add(body)
        if status == 200:
            jobs[key].add(json.loads(answer)["async_response"]["id"])
            keys_of_name[json.loads(body)["product"]["name"]].add(key)
        elif status not in (429, 502):
            yield f"an answer {status}: {answer}"
    yield from (f"key {key} has {len(some)} bodies" for key, some in bodies.items() if len(some) > 1)
    yield from (f"key {key} has {len(some)} jobs" for key, some in jobs.items() if len(some) > 1)
    yield from (f"{name} has {len(some)} keys" for name, some in keys_of_name.items()
                if len(some) > 1)
    if len(keys_of_name) != ITEMS:
        yield f"{len(keys_of_name)} items were accepted, {ITEMS} expected"


def post(origin, key, name):
    """Status and answer of a write, asked for again while it is throttled."""
    request = urllib.request.Request(origin + "/versioned/products", method="POST",
                                     data=json.dumps({"product": {"name": name}}).encode(),
                                     headers={"Content-Type": "application/json",
                                              "Idempotency-Key": key})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        refused.close()
        return (post(origin, key, name) if refused.code == 429 else (refused.code, b""))


def see_that_it_can_object(origin):
    """A judge that cannot object judges nothing: the same key twice, and with another body."""
    first, again, other = (post(origin, "a-key-of-the-test", name) for name in "aab")
    if first[0] == 502:
        first = post(origin, "a-key-of-the-test", "a")
    if first != again or first[0] != 200 or other[0] != 409:
        raise peer.Wrong(f"Mockoon is not what it should be: {first}, {again}, {other}")


def test(options, folder):
    command = peer.installed(options, ".bin", "mockoon-cli")
    node = peer.program("node", "nodejs")
    data = os.path.join(folder, "environment.json")
    with open(data, "w", encoding="utf-8") as file:
        json.dump(environment(), file)
    with peer.Peer(lambda port: [node, command, "start", "-d", data, "-l", "127.0.0.1", "-p",
                                 str(port), "-X", "-t", "--disable-admin-api"],
                   folder, "mockoon") as mock:
        report = peer.Purser(options, folder, spec_of(mock.origin)).run_all(ITEMS, "--wait", "120s")
        told = list(transactions_of(mock.text()))
        see_that_it_can_object(mock.origin)
    problems = list(judge(told))
    if problems:
        raise peer.Wrong("\n".join(problems[:20]))
    count = collections.Counter(status for status, *_ in told)
    print(f"mockoon: {report['items']['succeeded']} items, {len(told)} writes: {count[200]} accepted "
          f"or again, {count[429]} throttled, {count[502]} lost; {report['this_run']['polls']} polls; "
          "one key, one body and one job each")


if __name__ == "__main__":
    sys.exit(peer.main(__doc__, test))
