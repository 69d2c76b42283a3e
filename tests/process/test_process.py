#!/usr/bin/env python3
"""What a process meets from outside: signals, closed and broken streams, limits, terminals, locales.

usage: test_process.py --purser PROGRAM --sim PROGRAM [TEST…]

Each test does something to a run and then lets purser finish. The wire ledger of rutter-sim says
whether each item was done once; purser's own words are looked at only for what it promises to say.
An answer that never comes (`hang`) holds a run where it is for as long as the test likes.
"""

import argparse
import collections
import concurrent.futures
import fcntl
import glob
import json
import os
import platform
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402
from workload import Workload  # noqa: E402

SECONDS_MAX = 60
AT_ONCE = 8
ITEMS = 3
HANG = [{"outcome": "hang", "on": "send", "times": ITEMS}]
SHORT = ["--grace", "1s"]
# futex, epoll_wait, epoll_pwait, poll and ppoll by their numbers in the kernel.
WAITS = {"x86_64": {"202", "232", "281", "7", "271"}, "aarch64": {"98", "22", "73"}}.get(platform.machine(), set())
programs = {}


def system_calls_of(process):
    """In which each thread is: its number; "-1" = in none, "running" = not known, for it runs."""
    calls = set()
    for task in glob.glob(f"/proc/{process.pid}/task/*/syscall"):
        with open(task) as file:
            calls.add(file.read().split()[0])
    return calls


class Process(unittest.TestCase):
    def setUp(self):
        self.begin_anew()

    def begin_anew(self):
        """Another server and another folder, for each of several ways to do the same."""
        self.folder = tempfile.mkdtemp(prefix="purser-process-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.simulator = Simulator(programs["sim"], ["--seed", "1"])
        self.addCleanup(self.simulator.stop)
        self.make(ITEMS)

    def make(self, items, in_flight=8):
        self.workload = Workload(self.folder, programs["purser"], self.simulator.base, items,
                                 name="process", in_flight=in_flight)

    def start(self, *words, output=True, **how):
        """purser with these words; its output goes into files, except where `how` says otherwise."""
        how.setdefault("stdin", subprocess.DEVNULL)
        for stream in ("stdout", "stderr"):
            if stream not in how and output:
                how[stream] = open(os.path.join(self.folder, stream), "wb")
                self.addCleanup(how[stream].close)
        environment = {**self.workload.environment, **how.pop("more", {})}
        process = subprocess.Popen([how.pop("program", programs["purser"]), *words], cwd=self.folder,
                                   env=environment, **how)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
            process.wait()

    def purser(self, *words, **how):
        return self.start(*words, **how).wait(timeout=SECONDS_MAX)

    def said(self):
        path = os.path.join(self.folder, "stderr")
        return self.workload.text("stderr") if os.path.exists(path) else ""

    def wait_until(self, condition, what):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{what}; purser said:\n{self.said()}")
            time.sleep(0.005)

    def start_and_hang(self, *words, **how):
        """A run whose writes have all arrived, and no answer ever comes."""
        self.simulator.fail(HANG)
        process = self.start("run", "spec.yaml", *words, **how)
        self.wait_until(lambda: len(judge.sends_of(self.simulator.ledger())) == ITEMS,
                        "the writes do not arrive")
        return process

    def assert_done_once(self):
        """Another run brings all to its end, and the wire ledger has each item once."""
        status = self.purser("run", "spec.yaml")
        self.assertEqual(status, 0, self.said())
        self.assert_judged_well()

    def assert_judged_well(self):
        self.assertEqual(self.workload.judge(self.simulator.ledger()), [])

    def assert_each_effect_once(self):
        """Of several ledgers of one spec: the keys are the same, so each item is done once."""
        names = collections.Counter(effect["name"] for effect in judge.effects_of(self.simulator.ledger()))
        self.assertEqual(names, {f"product {number}": 1 for number in range(ITEMS)})

    # --- signals ---

    def test_a_second_signal_ends_at_once(self):
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(number=number):
                self.begin_anew()
                process = self.start_and_hang("--grace", "1h")
                process.send_signal(number)
                self.wait_until(lambda: "press again to stop now" in self.said(), "no word of it")
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=SECONDS_MAX), status)
                self.assert_done_once()

    def test_a_hangup_ends_as_a_termination_does(self):
        process = self.start_and_hang(*SHORT)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(timeout=SECONDS_MAX), 75)
        self.assert_done_once()

    def test_under_nohup_a_hangup_is_nothing(self):
        process = self.start_and_hang(*SHORT, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        # Signals are taken in the order of their numbers: had it counted, this one were the second.
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=SECONDS_MAX), 75)
        self.assert_done_once()

    def test_a_process_that_dies_of_itself_leaves_what_a_killed_one_leaves(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            with self.subTest(number=number):
                self.begin_anew()
                process = self.start_and_hang(preexec_fn=allow_cores)
                process.send_signal(number)
                # A build with AddressSanitizer ends with 1.
                self.assertIn(process.wait(timeout=SECONDS_MAX), (-number, 1))
                self.assertEqual([name for name in os.listdir(self.folder) if "core" in name], [])
                self.assert_done_once()

    def test_a_process_that_was_stopped_for_long_goes_on(self):
        self.edit_spec("  version:", "  timeouts: { connect: 1s, exchange: 1s }\n  version:")
        process = self.start_and_hang()
        process.send_signal(signal.SIGSTOP)
        # The timeout of all transfers passes meanwhile; what is stopped does not end.
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=1.5)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(timeout=SECONDS_MAX), 0, self.said())
        self.assert_judged_well()

    def test_a_run_that_waits_hardly_wakes(self):
        process = self.start_and_hang()
        begin, before = time.monotonic(), self.effort_of(process)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        seconds = time.monotonic() - begin
        wakes, ticks = (after - one for one, after in zip(before, self.effort_of(process)))
        # Ten turns a second, each with a few system calls that may wait.
        self.assertLess(wakes / seconds, 100)
        self.assertLess(ticks / os.sysconf("SC_CLK_TCK") / seconds, 0.1)

    def effort_of(self, process):
        """How often all its threads went to sleep, and their processor time in ticks."""
        wakes = ticks = 0
        for thread in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{thread}/status", encoding="utf-8") as file:
                wakes += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_"))
            with open(f"/proc/{process.pid}/task/{thread}/stat", encoding="utf-8") as file:
                ticks += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
        return wakes, ticks

    # --- two at a time ---

    WRITING = (["run", "spec.yaml"], ["retry", "spec.yaml"], ["cancel", "spec.yaml"],
               ["undo", "spec.yaml", "--run", "1"],
               ["resolve", "spec.yaml", "products/SKU-1", "--as", "done"])

    def start_and_stop(self):
        """A run that stands still with its writes on the wire, and holds the lock."""
        self.edit_spec("  version:", "  timeouts: { connect: 1s, exchange: 1s }\n  version:")
        process = self.start_and_hang()
        process.send_signal(signal.SIGSTOP)
        return process

    def stop_at_rest(self, process):
        """Stopped while none of its threads does anything: in a commit it would hold the lock of LMDB."""
        def rests():
            process.send_signal(signal.SIGSTOP)
            self.wait_until(lambda: "running" not in system_calls_of(process), "it does not stop")
            if system_calls_of(process) <= WAITS:
                return True
            process.send_signal(signal.SIGCONT)
            return False
        self.wait_until(rests, "it is never at rest")

    def test_while_a_run_lives_nobody_else_writes(self):
        process = self.start_and_stop()
        for words in self.WRITING:
            with self.subTest(words=words):
                self.assertEqual(self.purser(*words), 6, self.said())
                self.assertIn(str(process.pid), self.said())
        self.assertEqual(self.purser("items", "spec.yaml"), 0, self.said())
        self.assertEqual(len(judge.sends_of(self.simulator.ledger())), ITEMS)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(timeout=SECONDS_MAX), 0, self.said())
        self.assert_judged_well()

    def test_a_stopped_run_that_is_killed_makes_way(self):
        process = self.start_and_stop()
        process.kill()
        process.wait()
        self.assert_done_once()

    def test_a_run_whose_lock_was_removed_writes_no_more(self):
        # Sent at most once: a second process that sends what the first one would is seen.
        self.edit_spec("request: POST /products\n    idempotent: true", "request: PATCH /products/${row.sku}")
        self.simulator.fail(HANG[:1])
        self.edit_spec("  version:", "  timeouts: { connect: 1s, exchange: 1s }\n  version:")
        process = self.start("run", "spec.yaml")
        self.wait_until(lambda: judge.sends_of(self.simulator.ledger()), "no write arrives")
        self.stop_at_rest(process)
        self.simulator.fail([])
        os.unlink(os.path.join(self.folder, "state", "purser", "process", "purser.lock"))
        self.assertIn(self.purser("run", "spec.yaml"), (0, 7), self.said())
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(timeout=SECONDS_MAX), 1)
        paths = collections.Counter(send["path"] for send in judge.sends_of(self.simulator.ledger()))
        self.assertEqual(set(paths.values()), {1}, paths)

    # --- standard streams ---

    def test_started_with_any_of_its_streams_closed_nothing_lands_in_the_ledger(self):
        for closed in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)):
            with self.subTest(closed=closed):
                state = os.path.join(self.folder, "state-" + "".join(map(str, closed)))
                words = ["run", "spec.yaml", "-vv", "--output", "json", "--state", state]
                status = self.purser(*words, preexec_fn=lambda fds=closed: [os.close(fd) for fd in fds])
                self.assertEqual(status, 0)
                self.assertEqual(self.purser("items", "spec.yaml", "--output", "ndjson", "--state", state), 0)
                states = [json.loads(line).get("state") for line in self.workload.text("stdout").splitlines()]
                self.assertEqual(states.count("succeeded"), ITEMS)
                for name in os.listdir(os.path.join(state, "process")):
                    with open(os.path.join(state, "process", name), "rb") as file:
                        self.assertFalse(b"process run 1:" in file.read(), name)
        self.assert_each_effect_once()

    def test_a_stdout_that_takes_nothing_harms_no_run(self):
        for what, opened in (("nobody reads", broken_pipe), ("full", full_device), ("would block", full_pipe)):
            with self.subTest(what=what), opened() as stdout:
                state = os.path.join(self.folder, what.replace(" ", "-"))
                status = self.purser("run", "spec.yaml", "--output", "json", "--state", state, stdout=stdout)
                self.assertEqual(status, 1)
                self.assertIn("standard output", self.said())
                self.assertEqual(self.purser("run", "spec.yaml", "--state", state), 0)
                self.assertIn(f"{ITEMS} succeeded (0 sent", self.said())
        self.assert_each_effect_once()

    def test_a_stderr_that_takes_nothing_harms_no_run(self):
        for what, opened in (("nobody reads", broken_pipe), ("full", full_device), ("would block", full_pipe)):
            with self.subTest(what=what), opened() as stderr:
                self.assertEqual(self.purser("run", "spec.yaml", "-vv", "--state", what, stderr=stderr), 0)
        self.assert_each_effect_once()

    def test_every_command_says_when_its_output_is_lost(self):
        self.assert_done_once()
        for words in (["items", "spec.yaml"], ["status", "spec.yaml"], ["explain", "spec.yaml", "products/SKU-1"],
                      ["plan", "spec.yaml"], ["operations"], ["help"], ["version"], ["help", "expressions"],
                      ["run", "--help"], ["check", "spec.yaml"], ["connections", "spec.yaml"],
                      ["doctor", "spec.yaml"]):
            with self.subTest(words=words), full_device() as stdout:
                status = self.purser(*words, stdout=stdout)
                self.assertEqual(status, 1)
                self.assertIn("standard output: ", self.said())

    # --- terminals ---

    def run_on_terminal(self, columns, **how):
        """What a terminal of so many columns got; it changes its size in the middle."""
        self.simulator.fail(HANG)
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = self.start("run", "spec.yaml", *SHORT, stderr=slave, **how)
        os.close(slave)
        got = b""
        while b"run 1" not in got:
            got += os.read(master, 4096)
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 1000, 0, 0))
        process.send_signal(signal.SIGWINCH)
        self.wait_until(lambda: len(judge.sends_of(self.simulator.ledger())) >= ITEMS, "no writes")
        process.send_signal(signal.SIGTERM)
        while True:
            try:
                more = os.read(master, 4096)
            except OSError:  # the other side is closed
                break
            if not more:
                break
            got += more
        self.assertEqual(process.wait(timeout=SECONDS_MAX), 75)
        return got

    def test_terminals_of_any_width_are_served(self):
        for columns in (0, 1, 2, 10, 80, 65535):
            with self.subTest(columns=columns):
                self.begin_anew()
                self.assertIn(b"process run 1", self.run_on_terminal(columns, more={"TERM": "xterm"}))

    def test_a_dumb_terminal_gets_no_control_sequences(self):
        self.assertNotIn(b"\x1b", self.run_on_terminal(80, more={"TERM": "dumb"}))

    # --- limits and the environment ---

    def edit_spec(self, before, after):
        path = os.path.join(self.folder, "spec.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(before, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(before, after, 1))

    def test_a_limit_of_a_files_size_is_an_error_of_storage(self):
        self.make(400)
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, resource.RLIM_INFINITY))
        self.assertEqual(self.purser("run", "spec.yaml", preexec_fn=limit), 1)
        self.assertIn("ulimit -f", self.said())
        self.assert_done_once()
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
        for words in (["results", "spec.yaml", "-o", "cut"], ["plan", "spec.yaml", "-o", "p.plan"],
                      ["items", "spec.yaml", "--output", "ndjson"]):
            self.assertEqual(self.purser(*words, preexec_fn=limit), 1, f"{words}: {self.said()}")
            self.assertIn("File too large", self.said())
        self.assertFalse(os.path.exists(os.path.join(self.folder, "cut")))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "p.plan")))

    def test_few_descriptors_lose_no_item(self):
        self.make(100, in_flight=64)
        statuses = []
        for count in (8, 12, 16, 20, 24, 32, 64):
            limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
            statuses.append(self.purser("run", "spec.yaml", "--wait", "1s", preexec_fn=limit))
            self.assertIn(statuses[-1], (0, 1, 75), f"{count} descriptors: {self.said()}")
        self.assert_done_once()

    def test_a_small_address_space_is_a_message(self):
        with open(programs["purser"], "rb") as file:
            if b"__asan_init" in file.read():
                self.skipTest("AddressSanitizer itself needs terabytes of addresses")
        statuses = set()
        for megabytes in (16, 32, 64, 128, 256, 512, 4096):
            limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
            status = self.purser("run", "spec.yaml", preexec_fn=limit)
            self.assertIn(status, (0, 1, 127), f"{megabytes} MiB: {self.said()}")
            self.assertTrue(status == 0 or self.said(), f"{megabytes} MiB: no word")
            statuses.add(status)
        self.assert_done_once()

    def test_without_a_home_the_state_must_be_named(self):
        environment = {"HOME": "", "XDG_STATE_HOME": ""}
        self.assertNotEqual(self.purser("run", "spec.yaml", more=environment), 0)
        self.assertIn("--state", self.said())
        self.assertEqual(self.purser("run", "spec.yaml", "--state", "here", more=environment), 0, self.said())
        self.assert_each_effect_once()

    def test_locales_change_no_byte(self):
        bodies = []
        locales = os.path.join(self.folder, "locales")
        os.makedirs(locales)
        # Made here, where there are the sources; a name that is not there must do no harm either.
        made = shutil.which("localedef") is not None and os.path.exists("/usr/share/i18n/locales/tr_TR")
        if made:
            subprocess.run(["localedef", "-c", "-i", "tr_TR", "-f", "UTF-8", os.path.join(locales, "tr_TR.UTF-8")],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for number, name in enumerate(("C", "tr_TR.UTF-8", "de_DE.UTF-8")):
            # With LOCPATH glibc leaks when any library looks for a locale; p11-kit does.
            environment = {"LC_ALL": name, "LANG": name, "LOCPATH": locales, "ASAN_OPTIONS": "detect_leaks=0"}
            words = ["plan", "spec.yaml", "--show", "products/SKU-1", "--output", "json", "--state", f"state-{number}"]
            self.assertEqual(self.purser(*words, more=environment), 0, self.said())
            bodies.append(self.workload.text("stdout").replace(f"state-{number}", "state"))
        self.assertEqual(len(set(bodies)), 1, bodies)
        self.assertIn("1.10", bodies[0])

    def test_one_state_is_reported_in_the_same_bytes(self):
        self.simulator.fail([{"outcome": "450", "on": "send"}])
        self.assertEqual(self.purser("run", "spec.yaml"), 3)
        for words in (["items", "spec.yaml", "--output", "ndjson"], ["items", "spec.yaml"],
                      ["status", "spec.yaml", "--output", "json"], ["explain", "spec.yaml", "products/SKU-1"],
                      ["results", "spec.yaml", "-o", "results"]):
            with self.subTest(words=words):
                self.assertEqual(self.twice(words)[0], self.twice(words)[1])

    def twice(self, words):
        found = []
        for _ in range(2):
            self.assertEqual(self.purser(*words), 0)
            texts = [self.workload.text("stdout")]
            if "results" in words:
                folder = os.path.join(self.folder, "results")
                for name in sorted(os.listdir(folder)):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        texts.append(name + file.read())
                shutil.rmtree(folder)
            found.append(texts)
        return found

    def test_a_program_that_is_replaced_goes_on_with_what_it_has(self):
        program = os.path.join(self.folder, "purser")
        shutil.copy(programs["purser"], program)
        process = self.start_and_hang(*SHORT, program=program)
        new = os.path.join(self.folder, "new")
        with open(new, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 99\n")
        os.chmod(new, 0o700)
        os.rename(new, program)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=SECONDS_MAX), 75)
        self.assert_done_once()


def allow_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def broken_pipe():
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "wb", closefd=True)


def full_device():
    return open("/dev/full", "wb")


class full_pipe:
    """The writing end of a full pipe that does not wait."""

    def __enter__(self):
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.writing, False)
        try:
            while True:
                os.write(self.writing, b"x" * 4096)
        except BlockingIOError:
            return self.writing

    def __exit__(self, *_):
        os.close(self.reading)
        os.close(self.writing)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--purser", required=True, type=os.path.abspath)
    parser.add_argument("--sim", required=True, type=os.path.abspath)
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    programs.update(purser=options.purser, sim=options.sim)
    if options.tests:
        unittest.main(argv=[sys.argv[0], *options.tests])
    sys.exit(run_all(["--purser", options.purser, "--sim", options.sim]))


def run_all(options):
    """Each test in a process of its own, some at a time: most of them wait."""
    def run(name):
        return name, subprocess.run([sys.executable, "-B", __file__, *options, f"Process.{name}"],
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")

    names = unittest.TestLoader().getTestCaseNames(Process)
    with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        results = list(pool.map(run, names))
    wrong = 0
    for name, done in results:
        if done.returncode != 0:
            wrong += 1
            print(f"process: {name}\n{done.stdout}")
    print(f"process: {len(results)} tests, {wrong} wrong")
    return 1 if wrong or not results else 0


if __name__ == "__main__":
    main()
