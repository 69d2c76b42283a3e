#!/usr/bin/env python3
"""purser check and python3-jsonschema agree on specs, right and wrong.

usage: test_corpus.py PURSER [CASE...]

The specs are those of specs.py, made of the schema, and those of corpus/right and corpus/wrong,
written by hand. Where purser refuses what the schema takes it must be for something that only
purser can know (PURSER_ALONE). Names of cases print them instead.
"""
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
from specs import derived, mixed  # noqa: E402  (found through the path above)

try:
    import jsonschema
    import yaml
except ImportError:
    print("python3-jsonschema and python3-yaml are not installed")
    sys.exit(77)

PURSER = os.path.abspath(sys.argv[1])
SCHEMA = json.loads((ROOT / "schema" / "jobspec-1.schema.json").read_text(encoding="utf-8"))
SECONDS_MAX = 60
MIXED_COUNT, SEED = 400, 20261127

# What stands around the specs.
ROW = {"sku": "A-1", "id": "1", "name": "Mug", "handle": "mug", "shop": "shop", "status": "active",
       "customer": "C1", "product_id": "1", "price": "9.99", "stock": "3", "tags": "a|b"}
CSV = ",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n"
FILES = {
    "rows.csv": CSV, "data/products.csv": CSV,
    "rows.ndjson": json.dumps(ROW) + "\n", "data/products.ndjson": json.dumps(ROW) + "\n",
    "semicolons.csv": CSV.replace(",", ";"), "tabs.csv": CSV.replace(",", "\t"),
    "rows.json": json.dumps({"data": {"orders": [ROW]}}), "data/orders.json": json.dumps([ROW]),
    "headless.csv": "A-1,Mug,9.99\n", "remarks.csv": "remark\n" * 3 + CSV,
    "utf-16.csv": CSV.encode("utf-16"), "data/more.csv.gz": gzip.compress(CSV.encode()),
    "openapi.yaml": "openapi: 3.1.0\npaths: {}\n", "certificates.pem": "",
}

# Codes of what a schema cannot know: operations, columns, rows, files, other parts of the spec.
ALONE_CODES = re.compile(
    r"^(data|source|expr|template|credentials)\.|"
    r"^spec\.(unknown_(operation|connection|column|job)|platform|body|mode|natural|idempotent|"
    r"custom|custom_object|evaluate|variable|openapi|required_member|reconcile|undo|needs_circle|"
    r"time_zone|url)$")
# And messages with a code that the schema has an eye on too; each with the reason.
ALONE_MESSAGES = {
    r"first_delay is longer than max_delay": "compares two keys",
    r"' is only for ": "depends on the kind of source",
    r"does not say which connection it writes to": "only one that is alone need not be named",
    r"^'access_token' is missing in connection": "only with the simulator it may be",
    r"access_tokens?\b.* (names|takes)|takes no access token|no access token comes back": "depends on "
    "the operation",
    r"^'\w+' does not say where the secret is": "depends on the operation",
}
# Codes of what purser alone knows in one place, and a schema too in another.
SHARED_CODES = {"spec.natural", "spec.time_zone", "spec.unknown_job", "spec.unknown_operation"}
# Examples that no base takes, and why.
UNTRIED_EXAMPLES = {
    "defaults/retry/natural example 0": "true is said of one job alone",
    "jobs/products/source/command example 0": "that program or its database is not here",
    "jobs/products/source/command example 1": "that program is not here",
    "jobs/products/source/csv example 2": "standard input is empty here",
    "jobs/products/source/csv example 3": "its name is another one each month",
    "jobs/products/source/key example 1": "these runs are for no time of a schedule",
    "jobs/products/source/skip_lines example 2": "no file here has as many lines",
    "jobs/products/undo/custom example 0": "true is for requests that purser does not know",
}


class Loader(yaml.SafeLoader):
    """The core schema of YAML 1.2, as purser reads it: no dates, no yes and no."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
        ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789")]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def plain_int(loader, node):
    return int(loader.construct_scalar(node))


def plain_float(loader, node):
    return float(loader.construct_scalar(node))


Loader.add_constructor("tag:yaml.org,2002:int", plain_int)
Loader.add_constructor("tag:yaml.org,2002:float", plain_float)


def is_alone(message):
    return ALONE_CODES.match(message["code"]) is not None or any(
        re.search(pattern, message["message"]) for pattern in ALONE_MESSAGES)


class Judge:
    def __init__(self, folder):
        self.folder = folder
        self.validator = jsonschema.Draft7Validator(SCHEMA)

    def schema_says(self, spec):
        return [f"{list(error.path)}: {error.message[:200]}"
                for error in self.validator.iter_errors(spec)]

    def purser_says(self, file):
        """Its errors; [] when all is right."""
        run = subprocess.run([PURSER, "check", file, "--output", "json"], cwd=self.folder,
                             stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=SECONDS_MAX,
                             env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        answer = json.loads(run.stdout)
        errors = [message for message in answer["messages"] if message["severity"] == "error"]
        if run.returncode not in (0, 2) or (run.returncode == 0) != (not errors):
            raise AssertionError(f"{file}: exit status {run.returncode}: {answer}")
        return errors

    def disagreement(self, name, spec, file):
        """(what is wrong, or None; whether purser took it)"""
        schema, purser = self.schema_says(spec), self.purser_says(file)
        said = "; ".join(f"{message['message']} [{message['code']}]" for message in purser[:3])
        if schema and not purser:
            return f"{name}: only the schema refuses: {schema[0]}\n  {short(spec)}", True
        if not schema and any(not is_alone(message) for message in purser):
            return f"{name}: only purser refuses: {said}\n  {short(spec)}", False
        # Refused by both, but for two reasons: purser must see what the schema sees.
        if schema and all(ALONE_CODES.match(message["code"]) and
                          message["code"] not in SHARED_CODES for message in purser):
            return f"{name}: the schema says {schema[0]}, purser: {said}\n  {short(spec)}", False
        return None, not purser


def short(spec):
    return json.dumps(spec, ensure_ascii=False)[:600]


def generated():
    return [*derived(SCHEMA), *mixed(SCHEMA, MIXED_COUNT, SEED)]


class Corpus(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory(prefix="purser-schema-")
        cls.folder = Path(cls.made.name)
        for name, text in FILES.items():
            (cls.folder / name).parent.mkdir(exist_ok=True)
            (cls.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        cls.judge = Judge(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.made.cleanup()

    def test_generated_specs(self):
        groups = {}  # the cases of one example together, every other case by itself
        for case in generated():
            groups.setdefault(case.example or case.name, []).append(case)

        def ask(numbered):
            number, cases = numbered
            answers = []
            for case in cases:
                file = f"case-{number}.yaml"
                (self.folder / file).write_text(json.dumps(case.spec, ensure_ascii=False),
                                                encoding="utf-8")
                answers.append((case, *self.judge.disagreement(case.name, case.spec, file)))
                if case.example and answers[-1][2]:
                    break
            return answers

        with ThreadPoolExecutor(max_workers=2) as workers:
            answers = [answer for several in workers.map(ask, enumerate(groups.values()))
                       for answer in several]
        wrong = [text for _, text, _ in answers if text is not None]
        if wrong:
            self.fail(f"{len(wrong)} of {len(answers)}:\n" + "\n".join(wrong[:20]))
        taken = Counter(taken for _, _, taken in answers)
        self.assertGreater(taken[True], 200)
        self.assertGreater(taken[False], 200)
        self.every_example_is_taken(answers)

    def every_example_is_taken(self, answers):
        taken = {}
        for case, _, is_taken in answers:
            if case.example:
                taken[case.example] = taken.get(case.example, False) or is_taken
        refused = sorted(example for example, is_taken in taken.items() if not is_taken)
        self.assertEqual(refused, sorted(UNTRIED_EXAMPLES))

    def test_written_specs(self):
        for verdict in ("right", "wrong"):
            files = sorted((HERE / "corpus" / verdict).glob("*.yaml"))
            self.assertGreater(len(files), 10)
            for path in files:
                with self.subTest(spec=f"{verdict}/{path.name}"):
                    text = path.read_text(encoding="utf-8")
                    (self.folder / path.name).write_text(text, encoding="utf-8")
                    problem, taken = self.judge.disagreement(
                        path.name, yaml.load(text, Loader), path.name)
                    self.assertIsNone(problem)
                    self.assertEqual(taken, verdict == "right")

    def test_samples_are_taken_by_both(self):
        for path in sorted((ROOT / "jobspecs").glob("*.yaml")):
            with self.subTest(spec=path.name):
                spec = yaml.load(path.read_text(encoding="utf-8"), Loader)
                self.assertEqual(self.judge.disagreement(path.name, spec, str(path)),
                                 (None, True))


def show(names):
    for case in generated():
        if case.name in names:
            print(json.dumps(case.spec, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        show(sys.argv[2:])
    else:
        unittest.main(argv=sys.argv[:1])
