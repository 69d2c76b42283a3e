"""A spec of many products, and the process of purser that works on it."""

import os
import shutil
import subprocess

import judge

ACCESS_TOKEN = "3f0b1c52-7d1e-4a57-9b0e-5a3f7c2d9e10"
CLIENT_ID = "sim-client"
CLIENT_SECRET = "sim-secret"
ASK_SECONDS_MAX = 120

SPEC = """\
purser: 1
name: {name}
api:
  environment: {base}
  version: "2024-08-31"
  limits: {{ rate: unlimited, in_flight: {in_flight} }}
connections:
  shop:
    platform: SHOPIFY
    access_token: {{ env: TEST_ACCESS_TOKEN }}
    limits: {{ rate: unlimited, in_flight: {in_flight} }}
jobs:
  products:
    connection: shop
    source:
      csv: items.csv
      key: ${{row.sku}}
      columns: {{ price: decimal }}
    request: POST /products
    idempotent: true
    body:
      product:
        name: ${{row.name}}
        description: made by a test
        status: active
        variants:
          - sku: ${{row.sku}}
            price: ${{row.price}}
            option_values:
              - {{ name: size, value: one }}
"""


def environment_of(folder):
    """The environment of a test process: nothing of the tester but the search path."""
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": os.path.join(folder, "home"),
        "XDG_STATE_HOME": os.path.join(folder, "state"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "RUTTER_CLIENT_ID": CLIENT_ID,
        "RUTTER_CLIENT_SECRET": CLIENT_SECRET,
        "TEST_ACCESS_TOKEN": ACCESS_TOKEN,
    }
    # What a sanitizer or valgrind build needs comes along.
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment


class Workload:
    """`count` products as spec.yaml and items.csv in `folder`, and the commands to work on it."""

    def __init__(self, folder, program, base, count, name="crash", in_flight=64):
        self.folder, self.program = folder, program
        self.keys = [f"SKU-{number}" for number in range(count)]
        self.environment = environment_of(folder)
        os.makedirs(self.environment["HOME"], exist_ok=True)
        with open(os.path.join(folder, "items.csv"), "w", encoding="utf-8") as file:
            file.write("sku,name,price\n")
            for number, key in enumerate(self.keys):
                file.write(f"{key},product {number},{number % 100}.{number % 7}0\n")
        self.write_spec(name, base, in_flight)

    def write_spec(self, name, base, in_flight=64):
        with open(os.path.join(self.folder, "spec.yaml"), "w", encoding="utf-8") as file:
            file.write(SPEC.format(name=name, base=base, in_flight=in_flight))

    def start(self, *options, **more_environment):
        """purser run, its output in the files `stdout` and `stderr` of the folder."""
        with open(os.path.join(self.folder, "stdout"), "wb") as out, \
                open(os.path.join(self.folder, "stderr"), "wb") as talk:
            return subprocess.Popen(
                [self.program, "run", "spec.yaml", "--output", "json", *options],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=talk,
                env={**self.environment, **more_environment})

    def ask(self, *words):
        """The standard output of a command that only tells."""
        done = subprocess.run([self.program, *words], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=ASK_SECONDS_MAX)
        if done.returncode != 0:
            raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def judge(self, lines, **more):
        """Verdicts on a wire ledger and all that purser reports of this work."""
        results = os.path.join(self.folder, "results")
        shutil.rmtree(results, ignore_errors=True)
        return judge.judge(lines, judge.read_report(self.ask, results), self.keys, **more)

    def text(self, name):
        """What the last process wrote to `stdout` or `stderr`."""
        with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()
