#!/usr/bin/env python3
"""check --output sarif and github say what --output json says, in the forms that are prescribed.

usage: test_reports.py --purser PROGRAM
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from urllib.parse import unquote

try:
    import jsonschema
except ImportError:
    jsonschema = None

PURSER = os.path.abspath(sys.argv[sys.argv.index("--purser") + 1])
SECONDS_MAX = 60

# A name with everything that is escaped somewhere.
ODD_NAME = "specs/new, 100%: 1.yaml"
WRONG = """\
name: exämple
purser: 1
conections: {}
connections:
  größe: { platform: SHOPIFIE, access_token: canary-of-this-test }
jobs:
  products:
    source: { csv: rows.csv, key: "${row.sku}" }
    request: DELETE /products/${row.skuu}
"""
RIGHT = """\
purser: 1
name: example
api: { environment: simulator }
connections: { shop: {} }
jobs:
  products:
    source: { csv: rows.csv, key: "${row.sku}" }
    request: DELETE /products/${row.sku}
"""


def text(required=("text",)):
    return {"type": "object", "required": list(required), "additionalProperties": False,
            "properties": {"text": {"type": "string"}}}


def obj(properties, *required):
    return {"type": "object", "properties": properties, "required": list(required),
            "additionalProperties": False}


def array(items):
    return {"type": "array", "items": items}


# The parts of OASIS' sarif-schema-2.1.0.json that a log of purser uses, with what it requires.
LEVEL = {"enum": ["none", "note", "warning", "error"]}
NUMBER = {"type": "integer", "minimum": 1}
LOCATION = obj({"physicalLocation": obj({
    "artifactLocation": obj({"uri": {"type": "string", "format": "uri-reference",
                                     "pattern": "^[A-Za-z0-9._~/%-]+$|^file:///"},
                             "uriBaseId": {"type": "string"}}),
    "region": obj({"startLine": NUMBER, "startColumn": NUMBER, "endColumn": NUMBER})})})
NOTIFICATION = obj({"level": LEVEL, "message": text()}, "message")
SARIF = obj({
    "$schema": {"type": "string", "format": "uri"},
    "version": {"const": "2.1.0"},
    "runs": array(obj({
        "tool": obj({"driver": obj({
            "name": {"type": "string"}, "version": {"type": "string"},
            "rules": array(obj({"id": {"type": "string"}, "shortDescription": text(),
                                "fullDescription": text(), "help": text()}, "id")),
        }, "name")}, "driver"),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "invocations": array(obj({"executionSuccessful": {"type": "boolean"},
                                  "exitCode": {"type": "integer"},
                                  "toolExecutionNotifications": array(NOTIFICATION)},
                                 "executionSuccessful")),
        "results": array(obj({"ruleId": {"type": "string"},
                              "ruleIndex": {"type": "integer", "minimum": -1},
                              "level": LEVEL, "message": text(),
                              "locations": array(LOCATION)}, "message")),
    }, "tool"))}, "version", "runs")

COMMAND = re.compile(r"^::(error|warning) ((?:\w+=[^,:\r\n]*)(?:,\w+=[^,:\r\n]*)*)::([^\r\n]*)$")


def runner_reads(line):
    """A workflow command as GitHub's runner reads it: its kind, properties and text."""
    kind, properties, data = COMMAND.match(line).groups()

    def unescape(value, pairs):
        for escaped, plain in pairs:
            value = value.replace(escaped, plain)
        return value.replace("%25", "%")

    breaks = [("%0D", "\r"), ("%0A", "\n")]
    values = dict(part.split("=", 1) for part in properties.split(","))
    return kind, {name: unescape(value, [*breaks, ("%3A", ":"), ("%2C", ",")])
                  for name, value in values.items()}, unescape(data, breaks)


class Reports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="purser-reports-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        (self.folder / "specs").mkdir()
        (self.folder / "specs" / "rows.csv").write_text("sku,name\nA-1,Mug\n")

    def check(self, output, spec, status, path=ODD_NAME):
        if spec is not None:
            (self.folder / ODD_NAME).write_text(spec, encoding="utf-8")
        run = subprocess.run([PURSER, "check", path, "--output", output], cwd=self.folder,
                             capture_output=True, timeout=SECONDS_MAX)
        self.assertEqual(run.returncode, status, run.stderr.decode())
        self.assertFalse(b"canary" in run.stdout)
        return run.stdout.decode()

    def sarif(self, *arguments, **words):
        log = json.loads(self.check("sarif", *arguments, **words))
        if jsonschema is not None:
            jsonschema.Draft7Validator(
                SARIF, format_checker=jsonschema.FormatChecker()).validate(log)
        self.assertEqual(len(log["runs"]), 1)
        return log["runs"][0]

    def test_sarif_says_what_json_says(self):
        messages = json.loads(self.check("json", WRONG, 2))["messages"]
        run = self.sarif(WRONG, 2)
        rules = run["tool"]["driver"]["rules"]
        self.assertGreater(len(messages), 4)
        self.assertEqual(len(run["results"]), len(messages))
        self.assertEqual(run["invocations"], [{"executionSuccessful": True, "exitCode": 2}])
        for result, message in zip(run["results"], messages):
            place = result["locations"][0]["physicalLocation"]
            self.assertEqual(rules[result["ruleIndex"]]["id"], message["code"])
            self.assertEqual(result["ruleId"], message["code"])
            self.assertEqual(result["level"], message["severity"])
            self.assertTrue(result["message"]["text"].startswith(message["message"]))
            self.assertIn(message["help"] or "", result["message"]["text"])
            self.assertEqual(unquote(place["artifactLocation"]["uri"]), message["file"])
            self.assertEqual(place["region"]["startLine"], message["line"])
            self.assertEqual(place["region"]["startColumn"], message["column"])

    def test_region_ends_behind_what_is_wrong(self):
        results = {result["ruleId"]: result for result in self.sarif(WRONG, 2)["results"]}
        lines = WRONG.splitlines()
        for code, part in [("spec.unknown_key", "conections"), ("spec.name", "größe"),
                           ("spec.platform", "SHOPIFIE")]:
            region = results[code]["locations"][0]["physicalLocation"]["region"]
            line = lines[region["startLine"] - 1]
            self.assertEqual(line[region["startColumn"] - 1:region["endColumn"] - 1], part)

    def test_rules_explain_every_code_without_the_network(self):
        rules = self.sarif(RIGHT, 0)["tool"]["driver"]["rules"]
        listed = subprocess.run([PURSER, "help", "codes"], capture_output=True, check=True)
        for rule in rules:
            self.assertIn(f"  {rule['id']} ", listed.stdout.decode())
            self.assertIn("\nwrong:\n", rule["help"]["text"])
        self.assertNotIn("helpUri", json.dumps(rules))

    def test_right_spec_has_no_results(self):
        run = self.sarif(RIGHT, 0)
        self.assertEqual(run["results"], [])
        self.assertEqual(run["invocations"], [{"executionSuccessful": True, "exitCode": 0}])
        self.assertEqual(self.check("github", RIGHT, 0), "")

    def test_github_says_what_json_says(self):
        messages = json.loads(self.check("json", WRONG, 2))["messages"]
        lines = self.check("github", WRONG, 2).splitlines()
        self.assertEqual(len(lines), len(messages))
        for line, message in zip(lines, messages):
            kind, properties, said = runner_reads(line)
            self.assertEqual(kind, message["severity"])
            self.assertEqual(properties["file"], message["file"])
            self.assertEqual(properties["line"], str(message["line"]))
            self.assertEqual(properties["col"], str(message["column"]))
            self.assertGreater(int(properties["endColumn"]), int(properties["col"]))
            self.assertEqual(properties["title"], message["code"])
            help_text = f"\nhelp: {message['help']}" if message["help"] else ""
            self.assertEqual(said, message["message"] + help_text)

    def test_text_of_the_spec_cannot_end_a_command(self):
        spec = RIGHT.replace("name: example", 'name: "a\\n::error::b\\r%0A"')
        lines = self.check("github", spec, 2).splitlines()
        self.assertEqual(len(lines), 1)
        self.assertIn("::error::b", runner_reads(lines[0])[2])
        self.assertIn("%0A", runner_reads(lines[0])[2])

    def test_paths_are_relative_to_the_working_directory(self):
        for path in [str(self.folder / ODD_NAME), f"./{ODD_NAME}"]:
            run = self.sarif(WRONG, 2, path=path)
            place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
            self.assertEqual(unquote(place["uri"]), ODD_NAME)
            line = self.check("github", WRONG, 2, path=path).splitlines()[0]
            self.assertEqual(runner_reads(line)[1]["file"], ODD_NAME)

    def test_path_elsewhere_is_absolute(self):
        with tempfile.TemporaryDirectory() as other:
            path = Path(other).resolve() / "spec.yaml"
            path.write_text(WRONG, encoding="utf-8")
            run = self.sarif(None, 2, path=str(path))
        place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        self.assertEqual(place, {"uri": f"file://{path}"})

    def test_failure_without_a_place_is_told_too(self):
        run = self.sarif(None, 2, path="missing.yaml")
        self.assertEqual(run["results"], [])
        self.assertIs(run["invocations"][0]["executionSuccessful"], False)
        notes = run["invocations"][0]["toolExecutionNotifications"]
        self.assertIn("missing.yaml", notes[0]["message"]["text"])
        kind, properties, said = runner_reads(self.check("github", None, 2, path="missing.yaml"))
        self.assertEqual((kind, properties), ("error", {"title": "purser"}))
        self.assertIn("missing.yaml", said)

    def test_messages_that_are_not_kept_are_counted(self):
        spec = RIGHT + "".join(f"key{number}: x\n" for number in range(300))
        notes = self.sarif(spec, 2)["invocations"][0]["toolExecutionNotifications"]
        self.assertEqual(notes[0]["message"]["text"], "100 more messages")
        last = runner_reads(self.check("github", spec, 2).splitlines()[-1])
        self.assertEqual(last, ("error", {"title": "purser"}, "100 more messages"))

    def test_other_commands_take_neither(self):
        (self.folder / ODD_NAME).write_text(RIGHT, encoding="utf-8")
        run = subprocess.run([PURSER, "plan", ODD_NAME, "--output", "sarif"], cwd=self.folder,
                             capture_output=True, timeout=SECONDS_MAX)
        self.assertEqual((run.returncode, run.stdout), (2, b""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
