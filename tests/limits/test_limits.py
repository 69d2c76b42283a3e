#!/usr/bin/env python3
"""What a user can give too much of: at each limit of purser/core/limits.h it is taken, one above it is refused, with the
place and the limit.

usage: test_limits.py --purser PROGRAM [TEST…]

docs/LIMITS.md names the functions of this file beside the limits that they are for.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

SECRETS = {"RUTTER_CLIENT_ID": "sim-client", "RUTTER_CLIENT_SECRET": "sim-secret", "SHOP": "3f0b1c52-7d1e-4a57-9b0e-5a3f7c2d9e10"}
HEAD = """purser: 1
name: {name}
api: {{ environment: http://127.0.0.1:1/versioned{api} }}
{top}connections:
  shop: {{ access_token: {{ env: SHOP }} }}
jobs:
  products:
    source: {source}
    request: {request}
    body: {body}
{more}"""
WHOLE = {"name": "limits", "api": "", "top": "", "request": "PATCH /products/${row.sku}",
         "body": '{ product: { name: "${row.name}" } }', "more": "",
         "source": '{ csv: rows.csv, key: "${row.sku}" }'}
ROWS = "sku,name\nA-1,Mug\n"


class World:
    """A folder with a spec and what it reads."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.write("rows.csv", ROWS)
        self.spec()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        mode = "wb" if isinstance(content, bytes) else "w"
        with open(self.path(name), mode) as file:
            file.write(content)

    def spec(self, **parts):
        self.write("spec.yaml", HEAD.format(**{**WHOLE, **parts}))

    def purser(self, *words, environment=None):
        done = subprocess.run([self.options.purser, *words], cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8",
                                   "XDG_STATE_HOME": self.path("state"), **SECRETS, **(environment or {}),
                                   **{name: value for name, value in os.environ.items() if "SAN_OPTIONS" in name}})
        return done.returncode, done.stdout + done.stderr

    def taken(self, *words, **more):
        status, text = self.purser(*(words or ("check", "spec.yaml")), **more)
        assert status == 0, f"at the limit it ended with {status}:\n{text[:2000]}"

    def refused(self, said, *words, status=2, **more):
        ended, text = self.purser(*(words or ("check", "spec.yaml")), **more)
        assert ended == status and re.search(said, text), \
            f"above the limit it ended with {ended}, and said not {said}:\n{text[:2000]}"


def csv(**more):
    return "{ csv: rows.csv, key: '${row.sku}'" + "".join(f", {key}: {value}" for key, value in more.items()) + " }"


def command(more="", count=0):
    words = ", ".join(["cat", "rows.csv"] + ["/dev/null"] * count)
    return f"{{ command: [{words}], format: csv, key: '${{row.sku}}'{more} }}"


# --- the spec ---

def test_bytes_of_a_spec(world):
    world.spec()
    size = os.path.getsize(world.path("spec.yaml"))
    for more, is_taken in (0, True), (1, False):
        world.spec(more="#" * (4 * 1024 * 1024 + more - size))
        world.taken() if is_taken else world.refused(r"a spec has at most 4 MiB.*\[yaml.too_big\]")


def test_bytes_of_a_name(world):
    world.spec(name="n" * 63)
    world.taken()
    world.spec(name="n" * 64)
    world.refused(r"spec.yaml:2:7: error: ")


def test_in_flight(world):
    world.spec(api=", limits: { in_flight: 1024 }")
    world.taken()
    world.spec(api=", limits: { in_flight: 1025 }")
    world.refused(r"spec.yaml:3:\d+: error: in_flight.* 1 to 1024")


def test_outstanding(world):
    world.spec(api=", limits: { outstanding: 100000 }")
    world.taken()
    world.spec(api=", limits: { outstanding: 100001 }")
    world.refused(r"spec.yaml:3:\d+: error: outstanding.* 1 to 100000")


def test_key_window(world):
    world.spec(top="idempotency: { window: 7d }\n")
    world.taken()
    world.spec(top="idempotency: { window: 169h }\n")
    world.refused(r"spec.yaml:4:\d+: error: window")


def test_schedule_window(world):
    schedule = "schedule: {{ cron: '0 3 * * *', if_missed: run_all, window: {} }}\n"
    world.spec(top=schedule.format("366d"))
    world.taken()
    world.spec(top=schedule.format("8785h"))
    world.refused(r"spec.yaml:4:\d+: error: window")


# --- sources ---

def test_skipped_lines(world):
    world.write("rows.csv", "\n" * 1000000 + ROWS)
    world.spec(source=csv(skip_lines=1000000))
    world.taken()
    world.spec(source=csv(skip_lines=1000001))
    world.refused(r"spec.yaml:8:\d+: error: skip_lines.* 0 to 1000000")


def test_names_on_the_way_to_an_array(world):
    document = [{"sku": "A-1", "name": "Mug"}]
    for _ in range(8):
        document = {"a": document}
    world.write("rows.json", json.dumps(document))
    for count, is_taken in (8, True), (9, False):
        at = ".".join("a" * count)
        world.spec(source=f"{{ json: rows.json, at: {at}, key: '${{row.sku}}' }}")
        world.taken() if is_taken else world.refused(r"spec.yaml:8:\d+: error: 'at' is 1 to 8 names")


def test_files_of_a_pattern(world):
    os.mkdir(world.path("days"))
    for number in range(10000):
        world.write(f"days/{number}.csv", f"sku,name\n{number},Mug\n")
    world.spec(source="{ csv: days/*.csv, key: '${row.sku}' }")
    world.taken()
    world.write("days/one.csv", ROWS)
    world.refused(r"spec.yaml:8:\d+: error: .*more than 10000 files match")


def test_words_of_a_command(world):
    world.spec(source=command(count=998))
    world.taken()
    world.spec(source=command(count=999))
    world.refused(r"spec.yaml:8:\d+: error: a command has 1 to 1000 words, this one 1001")


def test_time_of_a_command(world):
    world.spec(source=command(", timeout: 7d"))
    world.taken()
    world.spec(source=command(", timeout: 169h"))
    world.refused(r"spec.yaml:8:\d+: error: timeout")


# --- rows ---

def test_bytes_of_a_key(world):
    for length, is_taken in (300, True), (301, False):
        world.write("rows.csv", f"sku,name\n{'k' * length},Mug\n")
        world.spec(request="PATCH /products/1")
        world.taken() if is_taken else world.refused(r"rows.csv:2:\d+: error: .*300 bytes")


def test_bytes_of_a_path(world):
    start = len("/products/")
    for length, is_taken in (2016, True), (2017, False):  # and 32 for ?response_mode=…
        world.write("rows.csv", f"sku,name,id\nA-1,Mug,{'i' * (length - start)}\n")
        world.spec(request="PATCH /products/${row.id}")
        world.taken() if is_taken else world.refused(r"rows.csv:2:1: error: .* is longer than 2016 bytes")


def test_bytes_of_a_body(world):
    around = len('{"product":{"name":""}}')
    for length, is_taken in (16 * 1024 * 1024 - around, True), (16 * 1024 * 1024 - around + 1, False):
        # A row has no more bytes than a body, so one half of it comes twice.
        half, rest = "x" * (length // 2), "x" * (length % 2)
        world.write("rows.csv", f"sku,name\nA-1,{half}\n")
        world.spec(body=f'{{ product: {{ name: "${{row.name}}${{row.name}}{rest}" }} }}')
        world.taken() if is_taken else world.refused(r":\d+:\d+: error: .*16 MiB")


# --- credentials ---

def test_bytes_of_a_secret(world):
    world.taken("connections", "spec.yaml", environment={"SHOP": "t" * 4096})
    world.refused(r"spec.yaml:5:\d+: error: .*4096", "run", "spec.yaml", environment={"SHOP": "t" * 4097})


# --- the command line ---

def test_variables(world):
    words = [word for number in range(64) for word in ("--var", f"v{number}=x")]
    declared = "vars: {" + ", ".join(f"v{number}: y" for number in range(65)) + "}\n"
    world.spec(top=declared)
    world.taken("check", "spec.yaml", *words)
    world.refused("--var is given too often; the last was 'v64=x'", "check", "spec.yaml", *words, "--var", "v64=x")


def test_canaries(world):
    world.taken("plan", "spec.yaml", "--canary", "1000000")
    world.refused("--canary takes a number from 1 to 1000000, not '1000001'", "plan", "spec.yaml", "--canary", "1000001")


# --- schedules ---

def test_lines_of_a_schedule(world):
    world.spec(top="schedule: { cron: '* * * * *' }\n")
    world.taken("schedule", "next", "spec.yaml", "-n", "10000")
    world.refused("-n takes a number from 1 to 10000, not '10001'", "schedule", "next", "spec.yaml", "-n", "10001")


def test_specs_of_a_tick(world):
    os.mkdir(world.path("specs"))
    for number in range(1000):
        with open(world.path("spec.yaml")) as file:
            world.write(f"specs/{number:04}.yaml", file.read().replace("name: limits", f"name: limits-{number}"))
    world.taken("schedule", "tick", "specs", "--now", "2026-01-01T00:00Z")
    world.write("specs/more.yaml", "")
    world.refused("specs: more than 1000 specs", "schedule", "tick", "specs", "--now", "2026-01-01T00:00Z")


def test_runs_at_once(world):
    world.spec(top="schedule: { cron: '0 3 1 1 *' }\n")
    world.taken("schedule", "tick", "spec.yaml", "--at-once", "64")
    world.refused("--at-once takes a number from 1 to 64, not '65'", "schedule", "tick", "spec.yaml", "--at-once", "65")


# --- items in doubt ---

def test_items_in_doubt(world):
    product = ('{ name: "${row.name}", description: x, status: active, '
               'variants: [{ sku: "${row.sku}", price: 1, option_values: [] }] }')
    for count in 32, 33:
        world.spec(name=f"limits-{count}", request="POST /products", body=f"{{ product: {product} }}",
                   more="    idempotent: true\n")
        with open(world.path("spec.yaml")) as file:
            text = file.read().replace("http://127.0.0.1:1/versioned", "simulator")
        world.write("spec.yaml", text)
        world.write("rows.csv", "sku,name\n" + "".join(f"A-{number},sim:job-550\n" for number in range(count)))
        world.refused(f"{count} in_doubt", "run", "spec.yaml", status=7)
        status, text = world.purser("reconcile", "spec.yaml", "--output", "ndjson")
        assert text.count('"key":"A-') == count, f"{status}: {text[:2000]}"


TESTS = {name: function for name, function in sorted(globals().items()) if name.startswith("test_")}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("tests", nargs="*", choices=[*TESTS, []])
    options = parser.parse_args()
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # ten thousand files
    failed = 0
    for name in options.tests or TESTS:
        with tempfile.TemporaryDirectory(prefix="purser-limits-", dir=place) as folder:
            try:
                TESTS[name](World(options, folder))
            except AssertionError as wrong:
                failed += 1
                print(f"{name}: {wrong}", flush=True)
    print(f"limits: {len(options.tests or TESTS) - failed} of {len(options.tests or TESTS)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
