#!/usr/bin/env python3
"""The schema against the tables of the loader, and the sample specs against the schema."""
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = ROOT / "schema" / "jobspec-1.schema.json"
SAMPLES = sorted((ROOT / "jobspecs").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=../schema/jobspec-1.schema.json"

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = None


def schema():
    return json.loads(SCHEMA.read_text())


def loader_keys(file, table):
    """Names of a `struct spec_key` table whose last field says that they are supported."""
    source = (ROOT / "src" / "codec" / file).read_text()
    body = re.search(r"struct spec_key " + table + r"\[[^]]*\] = \{(.*?)\};", source, re.S).group(1)
    rows = re.findall(r'\{"(\w+)",\s*[\w| ]+?,\s*(true|false),\s*(NULL|")', body)
    return {name: required == "true" for name, required, unsupported in rows
            if unsupported == "NULL"}


def resolved(node, definitions):
    """A schema with what $ref and allOf say, as far as the node does not say it itself."""
    whole = dict(node)
    parts = [definitions[whole.pop("$ref").split("/")[-1]]] if "$ref" in whole else []
    for part in parts + whole.get("allOf", []):
        whole = {**resolved(part, definitions), **whole}
    return whole


def keys_of(whole):
    """Every key of every table, as (path, schema)."""
    found = []

    def walk(node, path):
        node = resolved(node, whole["definitions"])
        for name, value in node.get("properties", {}).items():
            found.append((f"{path}/{name}", resolved(value, whole["definitions"])))
            walk(value, f"{path}/{name}")
        below = [node[word] for word in ("additionalProperties", "items")
                 if isinstance(node.get(word), dict)]
        for part in below:
            walk(part, f"{path}/*")
        for part in node.get("anyOf", []) + node.get("oneOf", []):
            walk(part, path)

    walk(whole, "")
    return found


class Schema(unittest.TestCase):
    def assert_same_keys(self, part, file, table):
        keys = loader_keys(file, table)
        self.assertEqual(sorted(part["properties"]), sorted(keys))
        self.assertEqual(sorted(part.get("required", [])),
                         sorted(name for name in keys if keys[name]))
        self.assertIs(part["additionalProperties"], False)

    def test_schema_and_loader_know_the_same_keys(self):
        whole = schema()
        parts = whole["definitions"]
        for part, file, table in [
                (whole, "spec.c", "top_keys"),
                (parts["api"], "spec_api.c", "api_keys"),
                (parts["api"]["properties"]["limits"], "spec_api.c", "api_limits"),
                (parts["connection"], "spec_api.c", "connection_keys"),
                (parts["connection"]["properties"]["limits"], "spec_api.c", "connection_limits"),
                (whole["properties"]["defaults"], "spec_job.c", "default_keys"),
                (parts["retry"], "spec_job.c", "retry_keys"),
                (parts["schedule"], "spec_schedule.c", "schedule_keys"),
                (parts["job"], "spec_job.c", "job_keys"),
                (parts["need"], "spec_needs.c", "need_keys"),
                (parts["reconcile"], "spec_reconcile.c", "reconcile_keys"),
                (parts["undo"], "spec_undo.c", "undo_keys"),
                (parts["source"], "spec_source.c", "source_keys"),
                (parts["secret"], "spec_secret.c", "keys")]:
            with self.subTest(table=table):
                self.assert_same_keys(part, file, table)

    @unittest.skipIf(jsonschema is None, "python3-jsonschema and python3-yaml are not installed")
    def test_samples_follow_the_schema(self):
        validator = jsonschema.Draft7Validator(schema())
        validator.check_schema(schema())
        self.assertGreaterEqual(len(SAMPLES), 5)
        for sample in SAMPLES:
            errors = [error.message for error in validator.iter_errors(
                yaml.safe_load(sample.read_text()))]
            self.assertEqual(errors, [], sample.name)

    @unittest.skipIf(jsonschema is None, "python3-jsonschema and python3-yaml are not installed")
    def test_literal_secret_and_unknown_key_break_the_schema(self):
        validator = jsonschema.Draft7Validator(schema())
        good = yaml.safe_load(SAMPLES[0].read_text())
        for change in [lambda spec: spec["connections"]["shop"].update(access_token="sk_live_1"),
                       lambda spec: spec.update(schedule={"cron": "0 0 * *"}),
                       lambda spec: spec["jobs"]["products"].update(conection="shop"),
                       lambda spec: spec["jobs"]["products"]["source"].update(key="constant"),
                       lambda spec: spec["jobs"]["products"].update(request="GET /products")]:
            spec = json.loads(json.dumps(good))
            change(spec)
            self.assertFalse(validator.is_valid(spec))

    def test_editors_have_something_to_show_for_every_key(self):
        for path, key in keys_of(schema()):
            with self.subTest(key=path):
                self.assertRegex(key.get("title", ""), r"^.+[^.]$")
                self.assertRegex(key.get("description", ""), r"^.+\S$")
                self.assertTrue(key.get("examples") or "enum" in key or "const" in key,
                                "no examples")

    @unittest.skipIf(jsonschema is None, "python3-jsonschema and python3-yaml are not installed")
    def test_examples_follow_the_schema(self):
        definitions = schema()["definitions"]
        for path, key in keys_of(schema()):
            validator = jsonschema.Draft7Validator({**key, "definitions": definitions})
            for example in key.get("examples", []) + [key[word] for word in ("default",)
                                                      if word in key]:
                with self.subTest(key=path, example=example):
                    validator.validate(example)

    def test_samples_name_the_schema_for_editors(self):
        for sample in SAMPLES:
            self.assertEqual(sample.read_text().splitlines()[0], MODELINE, sample.name)

    def test_sample_data_is_what_its_script_writes(self):
        subprocess.run([sys.executable, ROOT / "tools" / "make_sample_data.py", "--check"],
                       check=True)


if __name__ == "__main__":
    unittest.main()
