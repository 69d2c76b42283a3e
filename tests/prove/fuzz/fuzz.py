#!/usr/bin/env python3
"""prove-fuzz: every fuzz target under libFuzzer with AddressSanitizer and UBSan, and under AFL++.

    fuzz.py --asan BUILD [--afl BUILD] [--msan BUILD] [--out FOLDER] [--seconds-each N] [--jobs N]
            [--only NAME] … [--keep]

With --msan the unit tests of that build come first, under MemorySanitizer. For each target in turn:
the kept inputs are replayed (under MemorySanitizer too, if it is in that build), each engine looks
for new ones for --seconds-each, and what gives new edges is merged, minimised, into
FOLDER/NAME/corpus; --keep puts the fewest of these that reach all edges into tests/fuzz/corpus as
well. Two targets are worked on at a time. What AFL++ has found is run again under the sanitizers.

The first finding ends it with status 1: the input's file is printed, and how to replay it.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import threading
import time

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
FUZZ = os.path.join(SOURCE, "tests", "fuzz")
# Folders of real inputs beside corpus/NAME; the same as in tests/fuzz/CMakeLists.txt.
SEEDS = {
    "spec": ["jobspecs", "tests/schema/corpus/right", "tests/schema/corpus/wrong"],
    "yaml": ["jobspecs"],
}
INPUT_BYTES_MAX = 16384  # of new inputs; kept ones may be larger
KEPT_BYTES_MAX = 4096  # what is put into the source
RSS_MB = 3000
AFL_ENVIRONMENT = {
    "AFL_NO_UI": "1",
    "AFL_NO_AFFINITY": "1",
    "AFL_SKIP_CPUFREQ": "1",
    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
    "AFL_QUIET": "1",
    "AFL_FAST_CAL": "1",
}


class Finding(Exception):
    pass


class Figures:
    def __init__(self):
        self.lock = threading.Lock()
        self.executions = 0
        self.cpu = 0.0
        self.edges = 0
        self.targets = 0
        self.new_inputs = 0

    def add(self, executions, cpu):
        with self.lock:
            self.executions += executions
            self.cpu += cpu


stopped = threading.Event()
running = set()
running_lock = threading.Lock()


def run(command, log, seconds, environment=None):
    """Status, output and CPU seconds of a command, with all its children; its output goes to `log`."""
    with open(log, "wb") as output:
        process = subprocess.Popen(["nice", "-n", "19"] + command, stdout=output, stderr=output,
                                   stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})},
                                   cwd=os.path.dirname(log))
        with running_lock:
            running.add(process)
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        with running_lock:
            running.discard(process)
    with open(log, encoding="utf-8", errors="replace") as output:
        return process.returncode, output.read(), usage.ru_utime + usage.ru_stime


def files_of(folder):
    return [path for path in glob.glob(os.path.join(folder, "*")) if os.path.isfile(path)]


class Target:
    def __init__(self, program, arguments, figures):
        self.program = program
        self.name = os.path.basename(program)[len("fuzz_"):]
        self.arguments = arguments
        self.figures = figures
        self.folder = os.path.join(arguments.out, self.name)
        self.corpus = os.path.join(self.folder, "corpus")
        self.source_corpus = os.path.join(FUZZ, "corpus", self.name)
        self.seeds = [folder for folder in [self.source_corpus] +
                      [os.path.join(SOURCE, seed) for seed in SEEDS.get(self.name, [])]
                      if os.path.isdir(folder)]
        os.makedirs(self.corpus, exist_ok=True)

    def log(self, what):
        return os.path.join(self.folder, what + ".log")

    def finding(self, path, output):
        tail = "\n".join(line for line in output.splitlines()[-60:])
        raise Finding(f"{tail}\n\nfound by fuzz_{self.name}: {path}\n"
                      f"replay it with: {self.program} {path}")

    def replay(self, program, what):
        status, output, cpu = run([program, "-runs=0", f"-rss_limit_mb={RSS_MB}",
                                   f"-artifact_prefix={os.path.join(self.folder, 'found-')}",
                                   *self.seeds, self.corpus], self.log(what), 900)
        self.figures.add(0, cpu)
        if status != 0 and not stopped.is_set():
            self.finding(self.log(what), output)
        return output

    def dictionary(self):
        path = os.path.join(FUZZ, "dictionary", self.name)
        return path if os.path.exists(path) else None

    def libfuzzer(self):
        found = os.path.join(self.folder, "found-")
        command = [self.program, f"-max_total_time={self.arguments.seconds_each}",
                   f"-rss_limit_mb={RSS_MB}", "-timeout=60", "-print_final_stats=1",
                   f"-max_len={INPUT_BYTES_MAX}", f"-artifact_prefix={found}"]
        if self.dictionary():
            command.append(f"-dict={self.dictionary()}")
        status, output, cpu = run(command + [self.corpus] + self.seeds, self.log("libfuzzer"),
                                  self.arguments.seconds_each + 300)
        executions = re.search(r"stat::number_of_executed_units: (\d+)", output)
        self.figures.add(int(executions.group(1)) if executions else 0, cpu)
        if status != 0 and not stopped.is_set():
            paths = re.findall(r"Test unit written to (\S+)", output)
            self.finding(paths[-1] if paths else self.log("libfuzzer"), output)

    def afl_seeds(self):
        """AFL++ wants one folder of inputs that are not too large, and at least one."""
        folder = os.path.join(self.folder, "afl-seeds")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        paths = sorted(path for seed in self.seeds + [self.corpus] for path in files_of(seed)
                       if 0 < os.path.getsize(path) <= 65536)
        for number, path in enumerate(paths[:2000]):
            shutil.copyfile(path, os.path.join(folder, f"{number:04}"))
        if not paths:
            with open(os.path.join(folder, "0000"), "wb") as file:
                file.write(b"0")
        return folder

    def afl(self):
        program = os.path.join(self.arguments.afl, "tests", f"fuzz_{self.name}")
        if not os.path.exists(program):
            raise Finding(f"there is no {program}")
        out = os.path.join(self.folder, "afl")
        shutil.rmtree(out, ignore_errors=True)
        command = ["afl-fuzz", "-i", self.afl_seeds(), "-o", out, "-V",
                   str(self.arguments.seconds_each), "-m", "none", "-t", "20000+"]
        if self.dictionary():
            command += ["-x", self.dictionary()]
        status, output, cpu = run(command + ["--", program], self.log("afl"),
                                  self.arguments.seconds_each + 600, AFL_ENVIRONMENT)
        stats = {}
        if os.path.exists(os.path.join(out, "default", "fuzzer_stats")):
            with open(os.path.join(out, "default", "fuzzer_stats"), encoding="utf-8") as file:
                stats = dict(line.split(":", 1) for line in file if ":" in line)
            stats = {key.strip(): value.strip() for key, value in stats.items()}
        self.figures.add(int(stats.get("execs_done", 0)), cpu)
        if stopped.is_set():
            return
        if status != 0 or not stats:
            self.finding(self.log("afl"), output)
        for path in files_of(os.path.join(out, "default", "crashes")):
            if os.path.basename(path) != "README.txt":
                _, output, _ = run([self.program, path], self.log("crash"), 300)
                self.finding(path, output)

    def merge(self):
        """Keeps of what is new only what reaches something that the kept inputs do not."""
        queue = os.path.join(self.folder, "afl", "default", "queue")
        merged = os.path.join(self.folder, "merged")
        shutil.rmtree(merged, ignore_errors=True)
        os.makedirs(merged)
        for seed in self.seeds:
            for path in files_of(seed):
                name = "kept-" + os.path.basename(seed) + "-" + os.path.basename(path)
                shutil.copyfile(path, os.path.join(merged, name))
        new = [folder for folder in (self.corpus, queue) if os.path.isdir(folder)]
        status, output, cpu = run([self.program, "-merge=1", f"-rss_limit_mb={RSS_MB}", merged] + new,
                                  self.log("merge"), 3600)
        self.figures.add(0, cpu)
        if status != 0:
            if not stopped.is_set():
                self.finding(self.log("merge"), output)
            return
        shutil.rmtree(self.corpus)
        os.makedirs(self.corpus)
        for path in files_of(merged):
            if not os.path.basename(path).startswith("kept-"):
                shutil.copyfile(path, os.path.join(self.corpus, os.path.basename(path)))
        shutil.rmtree(merged)
        shutil.rmtree(os.path.join(self.folder, "afl"), ignore_errors=True)

    def edges_of(self, folder):
        """The edges that each file of a folder reaches, by AFL++'s instrumentation."""
        shown = os.path.join(self.folder, "shown")
        shutil.rmtree(shown, ignore_errors=True)
        program = os.path.join(self.arguments.afl, "tests", f"fuzz_{self.name}")
        run(["afl-showmap", "-q", "-e", "-m", "none", "-i", folder, "-o", shown, "--", program],
            self.log("shown"), 1800, AFL_ENVIRONMENT)
        edges = {}
        for path in files_of(shown):
            with open(path, encoding="ascii") as file:
                edges[os.path.basename(path)] = {line.split(":")[0] for line in file}
        return edges

    def keep(self):
        """Of what is new, few inputs that reach all edges which the kept ones do not."""
        known = set()
        for seed in self.seeds:
            known.update(*self.edges_of(seed).values())
        new = {name: edges for name, edges in self.edges_of(self.corpus).items()
               if os.path.getsize(os.path.join(self.corpus, name)) <= KEPT_BYTES_MAX}
        os.makedirs(self.source_corpus, exist_ok=True)
        while new:
            best = max(new, key=lambda name: (len(new[name] - known), name))
            if not new[best] - known:
                break
            known |= new[best]
            shutil.copyfile(os.path.join(self.corpus, best),
                            os.path.join(self.source_corpus, best[:12]))

    def work(self):
        if stopped.is_set():
            return
        begin = time.monotonic()
        if self.arguments.msan:
            program = os.path.join(self.arguments.msan, "tests", f"fuzz_{self.name}")
            if os.path.exists(program):
                self.replay(program, "msan")
        self.libfuzzer()
        if self.arguments.afl and not stopped.is_set():
            self.afl()
        if stopped.is_set():
            return
        self.merge()
        output = self.replay(self.program, "replay")
        edges = re.findall(r"cov: (\d+)", output)
        new = len(files_of(self.corpus))
        if self.arguments.keep:
            self.keep()
        with self.figures.lock:
            self.figures.targets += 1
            self.figures.edges += int(edges[-1]) if edges else 0
            self.figures.new_inputs += new
        print(f"  {self.name:20} {edges[-1] if edges else '?':>6} edges, {new:5} new inputs, "
              f"{time.monotonic() - begin:6.0f} s", flush=True)


def run_units(arguments, figures):
    """The unit tests that MemorySanitizer can follow."""
    folder = os.path.join(arguments.msan, "tests")
    programs = sorted(path for layer in ("base", "core")
                      for path in glob.glob(os.path.join(folder, f"unit_{layer}_*"))
                      if os.access(path, os.X_OK) and os.path.isfile(path)
                      and not path.endswith("unit_core_key"))  # its digests are OpenSSL's
    for program in programs:
        log = os.path.join(arguments.out, os.path.basename(program) + ".log")
        status, output, cpu = run([program], log, 600,
                                  {"MSAN_OPTIONS": "allocator_may_return_null=1"})
        figures.add(0, cpu)
        if status != 0 or "MemorySanitizer" in output:
            raise Finding(f"{output[-3000:]}\n\nfound by MemorySanitizer; replay it with: {program}")
    print(f"  {len(programs)} programs of unit tests under MemorySanitizer", flush=True)


def stop():
    stopped.set()
    with running_lock:
        for process in running:
            process.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--asan", required=True)
    parser.add_argument("--afl")
    parser.add_argument("--msan")
    parser.add_argument("--out", default="prove-fuzz")
    parser.add_argument("--seconds-each", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    for name in ("asan", "afl", "msan", "out"):
        if getattr(arguments, name):
            setattr(arguments, name, os.path.abspath(getattr(arguments, name)))
    programs = sorted(path for path in glob.glob(os.path.join(arguments.asan, "tests", "fuzz_*"))
                      if os.access(path, os.X_OK) and os.path.isfile(path))
    figures = Figures()
    targets = [Target(path, arguments, figures) for path in programs
               if not arguments.only or os.path.basename(path)[len("fuzz_"):] in arguments.only]
    if arguments.keep and not arguments.afl:
        sys.exit("prove-fuzz: --keep needs --afl, for afl-showmap")
    if not targets:
        sys.exit("prove-fuzz: no targets; build them with: cmake --preset asan && "
                 "cmake --build --preset asan --target fuzz-targets")
    findings = []
    if arguments.msan:
        try:
            run_units(arguments, figures)
        except Finding as finding:
            print(finding, flush=True)
            return 1
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(one.work) for one in targets]):
            try:
                future.result()
            except Finding as finding:
                findings.append(str(finding))
                print(finding, flush=True)
                stop()
    print(f"prove-fuzz: {figures.targets} of {len(targets)} targets, {figures.executions} "
          f"executions, {figures.cpu:.0f} CPU-seconds, {figures.edges} edges, "
          f"{figures.new_inputs} new inputs, {len(findings)} findings")
    return 1 if findings or figures.targets < len(targets) else 0


if __name__ == "__main__":
    sys.exit(main())
