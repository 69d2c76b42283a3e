#!/usr/bin/env python3
"""Codes of messages: each is documented and reported, and its example does what it says.

usage: test_messages.py --purser PROGRAM --sim PROGRAM [--update CODE...]

For each code the wrong example of `purser help CODE` must bring up the message that stands in
expected/CODE.txt, and the right one no message at all. --update writes expected/CODE.txt.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "support"))
from cases import ELSEWHERE, EXAMPLES, files_of  # noqa: E402  (found through the paths above)
from simulator import Simulator  # noqa: E402

# Texts that look like codes of a known family.
OTHER_TEXTS = {"data.mdb"}
# A statement with one of these reports something.
REPORTS = re.compile(r"\b(diagnostics_add|spec_error|\w*_error|refuse\w*|complain|is_missing|"
                     r"broken_file|\w*_message|\w*tell\w*)\(")
COMMAND_SECONDS_MAX = 60
MESSAGE = re.compile(r"^(?:[^\s:]+(?::\d+(?::\d+)?)?: )?(?:error|warning): .+   \[(\w+\.\w+)\]$")

options = {}


def codes_in_sources():
    """Texts of the form "family.name": of a family that is known, or in a statement that reports."""
    families = {code.split(".")[0] for code in listed_codes()}
    found = {}
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        if path.name.startswith("message_codes_"):
            continue
        source = re.sub(r"^#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for statement in source.split(";"):
            reports = REPORTS.search(statement) is not None
            for text in re.findall(r'"([a-z]+\.[a-z_0-9]+)"', statement):
                if reports or text.split(".")[0] in families:
                    found.setdefault(text, path.name)
    return {text: name for text, name in found.items() if text not in OTHER_TEXTS}


def purser(*words):
    return subprocess.run([options["purser"], *words], check=True, capture_output=True,
                          timeout=COMMAND_SECONDS_MAX).stdout.decode()


def listed_codes():
    return re.findall(r"^  ([a-z]+\.[a-z_0-9]+) ", purser("help", "codes"), re.MULTILINE)


def example_of(code, which):
    """The lines of the wrong or the right example."""
    text = purser("help", code)
    lines = re.search(rf"^{which}:\n((?:    .*\n)+)", text, re.MULTILINE).group(1)
    return "\n".join(line[4:] for line in lines.splitlines())


class Trial:
    """One example in a folder of its own."""

    def __init__(self, code, which):
        example, text = EXAMPLES[code], example_of(code, which)
        steps = list(example.before)
        if example.at == "shell":
            steps.append(text)
        with tempfile.TemporaryDirectory(prefix="purser-messages-") as folder:
            for name, content in files_of(example, text).items():
                path = Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(content.replace("{sim}", options["simulator"].base),
                                encoding="utf-8")
            quiet = "".join(f"{{ {step}\n}} >/dev/null 2>&1\n" for step in steps)
            run = subprocess.run(["bash", "-c", quiet + example.run], cwd=folder,
                                 env=environment(folder), capture_output=True,
                                 timeout=COMMAND_SECONDS_MAX)
        self.status = run.returncode
        self.text = run.stderr.decode(errors="replace").replace(options["simulator"].base,
                                                               "http://127.0.0.1:1/versioned")


def environment(folder):
    return {"PATH": f"{Path(options['purser']).parent}:{os.environ['PATH']}", "HOME": folder,
            "LC_ALL": "C.UTF-8", "RUTTER_CLIENT_ID": "sim-client",
            "RUTTER_CLIENT_SECRET": "sim-secret",
            "SHOP_TOKEN": "3f0b1c52-7d1e-4a57-9b0e-5a3f7c2d9e10",
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}


def expected_file(code):
    return HERE / "expected" / f"{code}.txt"


def codes_to_try():
    return [code for code in EXAMPLES if not EXAMPLES[code].needs_root or os.geteuid() == 0]


class Codes(unittest.TestCase):
    def test_every_code_of_the_sources_is_documented(self):
        codes = listed_codes()
        for code, name in codes_in_sources().items():
            with self.subTest(code=code):
                self.assertTrue(code in codes, f"reported by {name}; its entry belongs into "
                              "src/cli/message_codes_*.c (or it is no code: OTHER_TEXTS)")

    def test_every_documented_code_is_reported(self):
        reported = codes_in_sources()
        self.assertEqual([code for code in listed_codes() if code not in reported], [])

    def test_codes_stand_in_order_and_once(self):
        codes = listed_codes()
        self.assertGreater(len(codes), 60)
        self.assertEqual(len(codes), len(set(codes)))
        for family in {code.split(".")[0] for code in codes}:
            own = [code for code in codes if code.split(".")[0] == family]
            self.assertEqual(own, sorted(own))

    def test_every_code_is_brought_up_by_a_test(self):
        self.assertEqual(sorted(listed_codes()), sorted([*EXAMPLES, *ELSEWHERE]))
        kept = sorted(path.stem for path in (HERE / "expected").iterdir())
        self.assertEqual(kept, sorted(EXAMPLES))
        for code, file in ELSEWHERE.items():
            self.assertIn(code, (ROOT / file).read_text(encoding="utf-8"))


class Examples(unittest.TestCase):
    maxDiff = None

    def test_wrong_examples_bring_up_their_message(self):
        for code in codes_to_try():
            with self.subTest(code=code):
                trial = Trial(code, "wrong")
                self.assertIn(f"[{code}]\n", trial.text)
                self.assertEqual(trial.text, expected_file(code).read_text(encoding="utf-8"))
                self.assertEqual(trial.status, 2 if "error: " in trial.text else 0, trial.text)

    def test_right_examples_bring_up_no_message(self):
        for code in codes_to_try():
            with self.subTest(code=code):
                trial = Trial(code, "right")
                self.assertNotRegex(trial.text, r"\[\w+\.\w+\]\n")
                self.assertEqual(trial.status, 0, trial.text)


class Form(unittest.TestCase):
    """file:line:column: error: what [code], the line, a caret below its place, what to do."""

    def messages(self):
        for path in sorted((HERE / "expected").iterdir()):
            lines = path.read_text(encoding="utf-8").splitlines()
            starts = [at for at, line in enumerate(lines) if MESSAGE.match(line)]
            for at, end in zip(starts, [*starts[1:], len(lines)]):
                yield path.stem, lines[at], lines[at + 1:end]

    def test_messages_say_what_to_do(self):
        for code, first, rest in self.messages():
            with self.subTest(code=code):
                self.assertTrue(any(line.startswith("      help: ") for line in rest), first)

    def test_carets_stand_below_the_line(self):
        for code, first, rest in self.messages():
            with self.subTest(code=code):
                shown = re.match(r"^ *(\d+) \| (.*)$", rest[0]) if rest else None
                place = re.match(r"^[^\s:]+:(\d+):(\d+): ", first)
                if shown is None:
                    continue
                self.assertIsNotNone(place, first)
                self.assertEqual(shown[1], place[1])
                caret = re.fullmatch(r" {6,}\| ( *)(\^~*)", rest[1])
                self.assertIsNotNone(caret, rest[1])
                self.assertEqual(rest[1].index("|"), rest[0].index("|"))
                self.assertLessEqual(len(caret[1]) + len(caret[2]), len(shown[2]) + 1)
                if "…" not in shown[2]:
                    self.assertEqual(len(caret[1]) + 1, int(place[2]))


def main():
    words = sys.argv[1:]
    for name in ("purser", "sim"):
        at = words.index(f"--{name}")
        options[name] = os.path.abspath(words[at + 1])
        del words[at:at + 2]
    with Simulator(options["sim"], ["--seed", "1"]) as simulator:
        options["simulator"] = simulator
        if words[:1] == ["--update"]:
            for code in words[1:]:
                expected_file(code).write_text(Trial(code, "wrong").text, encoding="utf-8")
            return
        unittest.main(argv=[sys.argv[0], *words])


if __name__ == "__main__":
    main()
