#!/usr/bin/env python3
"""Runs cases of the command line: one folder a case, everything in it can be read.

usage: run.py --purser PROGRAM --sim PROGRAM [--update] [--verbose] [CASE...]

A case is a folder under cases/ with

  cmd           one command a line, split like a shell does but run without one. Placeholders:
                {purser}, {sim} (base URL of the simulator), {dir} (the working folder). Words
                NAME=VALUE in front set the environment of that command; < FILE at the end gives
                it a pipe with what is in that file. A line that starts with @
                is a step of this runner, see `step_` below. `# ...` is a comment.
  server.json   optional: {"options": [...]} for starting rutter-sim, {"next": [...]} for
                POST /_sim/fail before the first command, {"random_keys": true} where the
                idempotency keys are no functions of the items: they are left out of `requests`;
                {"keep_times": true} where all times follow from the commands; {"any_order": true}
                where writes without a key go side by side: those of one path are sorted by name
  expected/     stdout, stderr, exit (one status a command), requests; written by --update
  any other     copied into the working folder; in *.yaml and *.env {sim} and {dir} are filled in

Each case has a working folder of its own, with HOME and XDG_STATE_HOME below it. What changes from
run to run is replaced before comparing: <time>, <uuid>, <pid>, <duration>, {sim}, {dir}.

`requests` is what rutter-sim says it received and did, sorted by key: polls are left out unless
they went wrong, for their number is a matter of time. Idempotency keys stand there as they are:
they are functions of the items and must not change between versions.
"""

import argparse
import difflib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from simulator import Simulator  # noqa: E402  (found through the path above)
from workload import environment_of  # noqa: E402

CASES = os.path.join(HERE, "cases")
EXPECTED = ("stdout", "stderr", "exit", "requests")
OWN_FILES = {"cmd", "server.json", "expected"}
COMMAND_SECONDS_MAX = 60
WAIT_SECONDS_MAX = 20
EXIT_SKIP = 77

VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d| UTC)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b(pid|process|kill) \d+"), r"\1 <pid>"),
    (re.compile(r'("(?:elapsed_ms|polls|started_ms|ended_ms|duration_ms)": ?)\d+'), r"\1<number>"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|min|h)\b"), "<duration>"),
    (re.compile(r"^libcurl/.*$", re.MULTILINE), "libcurl/<versions>"),
    (re.compile(r"\b\d+(\.\d+)?/s\b"), "<rate>"),
    (re.compile(r"\b\d+ polls?\b"), "<number> polls"),
    (re.compile(r"\b\d+ MiB free, the ledger has \d+ MiB"), "<size> free, the ledger has <size>"),
    (re.compile(r"were read: \d+ (sending|waiting)(, \d+ (sending|waiting))*"),
     "were read: <number> under way"),
    (re.compile(r"127\.0\.0\.1:\d+ answered"), "127.0.0.1:<port> answered"),
    (re.compile(r"^User=.*$", re.MULTILINE), "User=<owner>"),
    # How large a ledger is depends on how its writes fell into batches.
    (re.compile(r"cut short: \d+ bytes where at least \d+ belong"),
     "cut short: <number> bytes where at least <number> belong"),
]


# Ids that the simulator gives depend on what came first.
ENTITY_ID = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


class Skip(Exception):
    """The case cannot be run here."""


class Case:
    def __init__(self, options, name):
        self.options, self.name = options, name
        self.source = os.path.join(CASES, name)
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="purser-cli-"))
        self.environment = environment_of(self.folder)
        self.background = None
        self.results = {"stdout": "", "stderr": "", "exit": ""}
        server = self.read_json("server.json")
        self.keeps_times = server.get("keep_times", False)
        self.simulator = Simulator(options.sim, ["--seed", "1", *server.get("options", [])])
        if server.get("next"):
            self.simulator.fail(server["next"])

    def close(self):
        if self.background is not None and self.background.poll() is None:
            self.background.kill()
            self.background.wait()
        self.simulator.stop()
        for folder, folders, _ in os.walk(self.folder):
            for name in folders:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
        shutil.rmtree(self.folder)

    def read_json(self, name):
        path = os.path.join(self.source, name)
        if not os.path.exists(path):
            return {}
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def fill(self, text):
        return (text.replace("{purser}", self.options.purser).replace("{sim}", self.simulator.base)
                .replace("{dir}", self.folder))

    def copy_files(self):
        os.makedirs(self.environment["HOME"])
        self.copy_folder(self.source, self.folder, OWN_FILES)

    def copy_folder(self, source_folder, target_folder, left_out):
        for name in os.listdir(source_folder):
            if name in left_out:
                continue
            source, target = os.path.join(source_folder, name), os.path.join(target_folder, name)
            if os.path.isdir(source):
                os.makedirs(target)
                self.copy_folder(source, target, ())
            elif name.endswith((".yaml", ".env")):
                with open(source, encoding="utf-8") as file:
                    text = self.fill(file.read())
                with open(target, "w", encoding="utf-8") as file:
                    file.write(text)
            else:
                shutil.copyfile(source, target)

    def normalise(self, text):
        text = text.replace(self.simulator.base, "{sim}").replace(self.simulator.origin, "{origin}")
        text = text.replace(f"127.0.0.1:{self.simulator.port}", "127.0.0.1:<port>")
        text = text.replace(self.folder, "{dir}").replace(self.options.purser, "purser")
        for pattern, stand_in in VOLATILE[1:] if self.keeps_times else VOLATILE:
            text = pattern.sub(stand_in, text)
        return text

    # --- steps: lines of cmd that start with @ ---

    def step_chmod(self, mode, path):
        """@chmod MODE PATH"""
        if int(mode, 8) & 0o444 == 0 and os.geteuid() == 0:
            raise Skip("root can read everything")
        os.chmod(os.path.join(self.folder, path), int(mode, 8))

    def step_mkdir(self, path):
        """@mkdir PATH: with mode 0700, as purser makes its own"""
        os.makedirs(os.path.join(self.folder, path), mode=0o700)

    def step_show(self, path):
        """@show PATH: puts a file that a command has written into stdout"""
        with open(os.path.join(self.folder, path), encoding="utf-8") as file:
            self.results["stdout"] += f"--- {path}\n" + self.normalise(file.read())

    def step_truncate(self, path):
        """@truncate PATH: cuts a file in half"""
        path = os.path.join(self.folder, path)
        os.truncate(path, os.path.getsize(path) // 2)

    def step_copy(self, source, target):
        """@copy SOURCE TARGET: within the working folder, e.g. a corrected file over the old one"""
        with open(os.path.join(self.folder, source), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(self.folder, target), "w", encoding="utf-8") as file:
            file.write(text)

    def step_remove(self, path):
        """@remove PATH: a file or a whole folder"""
        path = os.path.join(self.folder, path)
        if os.path.isdir(path):
            shutil.rmtree(path)
        else:
            os.remove(path)

    def step_link(self, target, path):
        """@link TARGET PATH: a symbolic link"""
        os.symlink(target, os.path.join(self.folder, path))

    def step_fail(self, entries):
        """@fail JSON: scripts further answers of the simulator, as "next" in server.json"""
        self.simulator.fail(json.loads(entries))

    def step_connection(self, token, state, platform=None):
        """@connection TOKEN STATE [PLATFORM]: what the simulator says of it from now on"""
        self.simulator.connection(token, state, platform)

    def step_background(self, *words):
        """@background COMMAND: starts it and goes on"""
        self.background = subprocess.Popen(
            words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def step_signal(self, name):
        """@signal NAME: sends it to the background command and notes its exit status"""
        self.background.send_signal(getattr(signal, "SIG" + name))
        status = self.background.wait(timeout=WAIT_SECONDS_MAX)
        self.results["exit"] += f"{status}\n"

    def step_patch(self, path, before, after):
        """@patch PATH BEFORE AFTER: replaces bytes in a file; \\xNN stands for one byte"""
        path = os.path.join(self.folder, path)
        before, after = (text.encode().decode("unicode_escape").encode("latin-1")
                         for text in (before, after))
        with open(path, "rb") as file:
            content = file.read()
        if before not in content:
            raise AssertionError(f"{path} does not have {before!r}")
        with open(path, "wb") as file:
            file.write(content.replace(before, after))

    def step_writes(self, number):
        """@writes NUMBER: waits until so many writes of the background command were answered"""
        for _ in range(WAIT_SECONDS_MAX * 50):
            answered = [line for line in self.simulator.ledger()
                        if line["method"] != "GET" and line.get("status")]
            if len(answered) >= int(number):
                return
            try:
                status = self.background.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the background command ended with {status}")
        raise AssertionError(f"the background command sent {len(answered)} writes")

    def step_arrived(self, number):
        """@arrived NUMBER: waits until so many writes have arrived, answered or not"""
        for _ in range(WAIT_SECONDS_MAX * 50):
            if sum("seq" in line and line["method"] != "GET"
                   for line in self.simulator.ledger()) >= int(number):
                return
            try:
                status = self.background.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the background command ended with {status}")
        raise AssertionError(f"{number} writes have not arrived")

    # --- running ---

    def run_command(self, words, line, several):
        environment = dict(self.environment)
        while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
            name, value = words.pop(0).split("=", 1)
            environment[name] = value
        feed = {"stdin": subprocess.DEVNULL}
        if "<" in words:
            with open(os.path.join(self.folder, words.pop()), "rb") as file:
                feed = {"input": file.read()}
            words.pop()
        try:
            done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True,
                                  timeout=COMMAND_SECONDS_MAX, **feed)
        except subprocess.TimeoutExpired as expired:
            raise AssertionError(f"no end after {COMMAND_SECONDS_MAX} s: {line}\n"
                                 f"{(expired.stderr or b'').decode()}") from None
        for stream in ("stdout", "stderr"):
            text = getattr(done, stream).decode("utf-8", errors="backslashreplace")
            if several:
                self.results[stream] += "$ " + line.replace("{purser}", "purser") + "\n"
            self.results[stream] += self.normalise(text)
            if several and text and not text.endswith("\n"):
                self.results[stream] += "\n"
        self.results["exit"] += f"{done.returncode}\n"

    def run(self):
        self.copy_files()
        with open(os.path.join(self.source, "cmd"), encoding="utf-8") as file:
            lines = [line.strip() for line in file]
        lines = [line for line in lines if line and not line.startswith("#")]
        several = sum(not line.startswith("@") for line in lines) > 1
        for line in lines:
            words = [self.fill(word) for word in shlex.split(line)]
            if line.startswith("@"):
                getattr(self, "step_" + words[0][1:])(*words[1:])
            else:
                self.run_command(words, line, several)
        lines = self.simulator.ledger()
        server = self.read_json("server.json")
        if server.get("random_keys"):
            lines = [dict(line, idempotency_key="") for line in lines]
        self.results["requests"] = requests_of(lines, server.get("any_order", False))

    # --- comparing ---

    def expected(self, name):
        path = os.path.join(self.source, "expected", name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as file:
            return file.read()

    def update(self):
        folder = os.path.join(self.source, "expected")
        os.makedirs(folder, exist_ok=True)
        for name in EXPECTED:
            path = os.path.join(folder, name)
            if self.results[name]:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(self.results[name])
            elif os.path.exists(path):
                os.remove(path)

    def differences(self):
        for name in EXPECTED:
            want, have = self.expected(name), self.results[name]
            if want != have:
                yield from difflib.unified_diff(
                    want.splitlines(), have.splitlines(), f"expected {name}", f"real {name}",
                    lineterm="")


def requests_of(lines, any_order):
    """The writes with their answers and effects, sorted by key, without a key by path; and polls
    that went wrong."""
    shown = []
    names = {line["request"]: line["name"] or "" for line in lines if "request" in line}

    def rank(line, request):
        name = names.get(request, "") if any_order and not line["idempotency_key"] else ""
        return line["idempotency_key"] or line["path"], name, request

    for line in lines:
        if line.get("method", "GET") != "GET":
            line = dict(line, path=re.sub(ENTITY_ID, "/<id>", line["path"]))
        if "seq" in line and line["method"] != "GET":
            fault = f" ({line['fault']})" if line["fault"] else ""
            shown.append((rank(line, line["seq"]),
                          f"{line['method']} {line['path']} key {line['idempotency_key']} "
                          f"-> {line['status']}{' replay' if line['replay'] else ''}{fault}"))
        elif "seq" in line and line["fault"]:
            path = re.sub(r"[0-9a-f-]{36}", "<job>", line["path"])
            shown.append((("~", "", 0), f"GET {path} -> {line['status']} ({line['fault']})"))
        elif "request" in line:
            shown.append((rank(line, line["request"]),
                          f"    effect: {line['method']} {line['path']} {line['name']}"))
    return "".join(text + "\n" for _, text in sorted(shown, key=lambda each: each[0]))


def run_case(options, name):
    """True when the case passed (or was updated), None when it cannot be run here."""
    case = Case(options, name)
    try:
        case.run()
        if options.update:
            case.update()
        problems = list(case.differences())
    except AssertionError as wrong:
        problems = [str(wrong)]
    except Skip as skip:
        print(f"skipped {name}: {skip}")
        return None
    finally:
        case.close()
    if problems or options.verbose:
        print(f"{'FAILED' if problems else 'passed'} {name}")
    if options.verbose:
        for stream in EXPECTED:
            print(f"--- {stream}\n{case.results.get(stream, '')}", end="")
    for line in problems:
        print("    " + line)
    return not problems


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True)
    parser.add_argument("--sim", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    options.purser = os.path.abspath(options.purser)
    options.sim = os.path.abspath(options.sim)
    names = options.cases or sorted(os.listdir(CASES))
    results = [run_case(options, os.path.basename(name.rstrip("/"))) for name in names]
    passed, skipped = results.count(True), results.count(None)
    print(f"cli: {passed} of {len(results)} cases passed"
          + (f", {skipped} skipped" if skipped else ""))
    if False in results or not results:
        return 1
    return EXIT_SKIP if passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
