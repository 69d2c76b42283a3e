#!/usr/bin/env python3
"""The manual pages say all that there is, and are pages that man and mandoc take.

usage: test_man.py PURSER FOLDER_OF_PAGES
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PURSER, PAGES = os.path.abspath(sys.argv[1]), Path(sys.argv[2]).resolve()
SECONDS_MAX = 60


def purser(*words):
    return subprocess.run([PURSER, *words], check=True, capture_output=True,
                          timeout=SECONDS_MAX).stdout.decode()


def plain(page):
    """The page without its requests and escapes; a term per line, marked by *."""
    text = (PAGES / page).read_text(encoding="ascii")
    text = re.sub(r"\\\[u([0-9A-F]{4,6})\]", lambda match: chr(int(match[1], 16)), text)
    for escape, shown in [("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(ha", "^"),
                          ("\\(ti", "~"), ("\\(dq", '"'), ("\\&", ""), ("\\fB", "*"),
                          ("\\fR", ""), ("\\fI", ""), ("\\e", "\\")]:
        text = text.replace(escape, shown)
    return text


def words_of(text):
    return " ".join(text.split())


class Program(unittest.TestCase):
    def setUp(self):
        self.text = plain("purser.1")

    def test_every_command_is_there_with_every_line_of_its_help(self):
        commands = re.findall(r"^  (\w+) +\S", purser("help").split("Commands:")[1].split("\n\n")[0],
                              re.MULTILINE)
        self.assertGreater(len(commands), 12)
        page = words_of(re.sub(r"^\.(PP|TP|nf|fi)$|^\*", "", self.text, flags=re.MULTILINE))
        for command in commands:
            self.assertIn(f'.SS "purser {command}"\n', self.text)
            for line in purser("help", command).splitlines():
                self.assertIn(words_of(line), page, command)

    def test_every_option_is_a_term(self):
        for line in purser("help", "run").splitlines():
            option = re.match(r"^  (--[\w-]+(?: [A-Z=]+)?)  ", line)
            if option is not None:
                self.assertIn(f"\n*{option[1]}\n", self.text)

    def test_every_exit_status_is_a_term(self):
        for status in re.findall(r"^(\d+)", purser("help", "exit-status"), re.MULTILINE):
            self.assertRegex(self.text.split("EXIT STATUS")[1], rf"\n\*{status}\b")

    def test_every_variable_of_the_environment_is_there(self):
        environment = self.text.split('.SH "ENVIRONMENT"')[1].split(".SH")[0]
        for path in (ROOT / "src").rglob("*.c"):
            source = path.read_text(encoding="utf-8")
            for name in re.findall(r'getenv\("(\w+)"\)|_VARIABLE "(\w+)"', source):
                self.assertIn("".join(name), environment, path.name)

    def test_every_topic_is_there(self):
        for topic in re.findall(r"^  ([\w-]+) ", purser("help").split("also explains:")[1],
                                re.MULTILINE):
            self.assertIn(f"*{topic}\n", self.text.split('.SH "TOPICS"')[1])


class Spec(unittest.TestCase):
    def setUp(self):
        self.text = plain("purser-spec.5")
        self.schema = json.loads(
            (ROOT / "schema" / "jobspec-1.schema.json").read_text(encoding="utf-8"))

    def tables(self, node):
        if isinstance(node, dict):
            if isinstance(node.get("properties"), dict) and "additionalProperties" in node:
                yield node["properties"]
            for value in node.values():
                yield from self.tables(value)
        elif isinstance(node, list):
            for value in node:
                yield from self.tables(value)

    def test_every_key_is_a_term_with_its_text(self):
        page = words_of(self.text)
        tables = list(self.tables(self.schema))
        self.assertGreater(len(tables), 12)
        for table in tables:
            for name, key in table.items():
                self.assertRegex(self.text, rf"\n\*{name}(?: \(required\))?\n")
                self.assertIn(words_of(key.get("description", "")), page)

    def test_keys_of_a_table_stand_below_its_path(self):
        sections = re.split(r'^\.SS "(.*)"\n', self.text, flags=re.MULTILINE)
        by_path = dict(zip(sections[1::2], sections[2::2]))
        for path, name in [("The file", "purser (required)"), ("api.limits", "rate"),
                           ("connections.NAME.access_token", "credential"),
                           ("jobs.NAME", "request (required)"),
                           ("jobs.NAME.source", "group_by"), ("jobs.NAME.retry", "max_delay"),
                           ("jobs.NAME.needs.NAME", "job (required)")]:
            self.assertIn(f"\n*{name}\n", by_path[path], path)

    def test_expressions_are_those_of_the_help(self):
        page = words_of(re.sub(r"^\.(PP|TP|nf|fi)$|^\*|^\.SS|\"", "", self.text,
                               flags=re.MULTILINE))
        for line in purser("help", "expressions").splitlines():
            self.assertIn(words_of(line.replace('"', "")), page)

    def test_example_is_a_right_spec(self):
        example = self.text.split('.SH "EXAMPLE"\n.nf\n')[1].split("\n.fi")[0]
        folder = PAGES / "example"
        folder.mkdir(exist_ok=True)
        (folder / "spec.yaml").write_text(example + "\n", encoding="utf-8")
        (folder / "products.csv").write_text("sku,name,description,price,size\nA-1,Mug,x,9.99,L\n")
        run = subprocess.run([PURSER, "check", folder / "spec.yaml"], capture_output=True,
                             timeout=SECONDS_MAX)
        self.assertEqual((run.returncode, run.stderr), (0, b""))


class Form(unittest.TestCase):
    def lint(self, command, page):
        if shutil.which(command[0]) is None:
            self.skipTest(f"{command[0]} is not installed")
        run = subprocess.run([*command, PAGES / page], capture_output=True, timeout=SECONDS_MAX,
                             env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100",
                                  "MANPAGER": "cat"})
        self.assertEqual((run.returncode, run.stderr.decode()), (0, ""))
        return run.stdout.decode()

    def mandoc(self, page):
        if shutil.which("mandoc") is None:
            self.skipTest("mandoc is not installed")
        run = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", PAGES / page],
                             capture_output=True, timeout=SECONDS_MAX)
        return run.stdout.decode().splitlines()

    def test_man_has_nothing_to_warn_of(self):
        for page in ("purser.1", "purser-spec.5"):
            text = self.lint(["man", "--warnings", "-E", "UTF-8", "-l"], page)
            self.assertIn(page.split(".")[0], text)

    def test_mandoc_has_nothing_to_warn_of(self):
        for page in ("purser.1", "purser-spec.5"):
            for line in self.mandoc(page):
                self.assertIn("missing date", line)  # a build has none that says anything


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
