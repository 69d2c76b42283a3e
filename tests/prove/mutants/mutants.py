#!/usr/bin/env python3
"""prove-mutants: the tests of core see it when core does something else.

Each file of src/core is changed in one place at a time (operators.py says how), compiled without
optimisation, which is quick, and tried by the unit tests: those of its own module, then those of
the others. What survives is compiled as users get it, tried once more and then by worlds of the
simulator; what survives that is compiled with sanitizers and tried by its own tests, as CI does. A
test that fails, is ended by a signal or does not come to an end kills the mutant. The changed object
is laid over the sound one by LD_PRELOAD, so nothing is linked but itself.

Not counted: what does not compile; what compiles to the bytes that the original or another mutant
compiles to, in any way ("trivial compiler equivalence"); what equivalent.txt lists with its
reason. An entry there that matches no mutant is an error, and so is one whose mutant is killed.

    mutants.py --build DIR --programs DIR [--file NAME …] [--sample N --seed N] [--bound PERCENT]
               [--without TEST …] [--jobs N] [--again OUTPUT] [--match TEXT] [--list]

Exit status: 0 as many were killed as --bound says; 1 not; 2 wrong usage; 77 no libclang for Python.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
EQUIVALENT = os.path.join(HERE, "equivalent.txt")
QUICK, RELEASE, SANITIZED = MODES = ("quick", "release", "sanitized")
SANITIZERS = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
UNIT_CPU_SECONDS = 2  # the slowest takes a quarter of one
SIM_CPU_SECONDS = 20
ADDRESS_SPACE_KIB = 2 * 1024 * 1024

try:
    import operators
except ImportError:
    print("prove-mutants: skipped: no libclang for Python (tools/deps.sh --ci installs it)")
    sys.exit(77)


class Source:
    """A file, its mutants and how it is compiled."""

    def __init__(self, path, command):
        self.path = path
        self.name = os.path.basename(path)
        words = shlex.split(command)
        while os.path.basename(words[0]) == "ccache":
            words.pop(0)
        self.compiler = words[0]
        flags = [word for i, word in enumerate(words[1:], 1)
                      if word not in ("-g", "-c", "-o", path) and words[i - 1] != "-o"
                      and not word.startswith("-W")]
        plain_flags = [word for word in flags if not word.startswith(
            ("-O", "-fstack", "-fcf", "-U_FORTIFY", "-D_FORTIFY"))]
        self.flags = {QUICK: plain_flags, RELEASE: flags, SANITIZED: plain_flags + SANITIZERS}
        seen = [word for word in flags if word.startswith(("-I", "-D", "-std"))]
        found = operators.Operators(path, seen)
        self.text = found.text
        self.assertions = len(found.assertions)
        self.mutants = [Mutation(self, mutant) for mutant in found.all()]

    def path_of(self, library):
        return subprocess.run([self.compiler, "-print-file-name=" + library], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()

    def compile(self, text, output, mode):
        """From standard input, so that no path differs. True when it compiles."""
        command = [self.compiler, *self.flags[mode], "-iquote", os.path.dirname(self.path), "-w",
                   "-x", "c", "-c", "-o", output, "-"]
        return subprocess.run(command, input=text, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0


class Mutation:
    """One mutant. `identity` says the same when lines move."""

    def __init__(self, source, mutant):
        self.source = source
        self.operator = mutant.operator
        text = source.text
        self.text = text[:mutant.start] + mutant.text.encode() + text[mutant.end:]
        self.line = text[:mutant.start].count(b"\n") + 1
        begin = text.rfind(b"\n", 0, mutant.start) + 1
        end = text.find(b"\n", mutant.end)
        before, after = text[begin:mutant.start], text[mutant.end:end]
        self.identity = "%s: %s: %s => %s" % (
            source.name, mutant.where, plain(text[begin:end]),
            plain(before + mutant.text.encode() + after))
        self.is_listed = False


def plain(text):
    """On one line, without comments."""
    return " ".join(re.sub(r"/\*.*?(\*/|$)|^[^/]*\*/", " ", text.decode(), flags=re.S).split())


class Equivalents:
    """The list: an identity a line, and its reason on the indented lines below."""

    def __init__(self):
        self.reasons = {}
        self.lines = {}
        self.matched = set()
        identity = None
        with open(EQUIVALENT, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.startswith("#") or not line.strip():
                    continue
                if line[0].isspace():
                    self.reasons[identity] += line.strip()
                    continue
                identity = line.strip()
                self.reasons[identity] = ""
                self.lines[identity] = number

    def errors(self, sources):
        """What is wrong with the list, as far as it is about these files."""
        names = {source.name for source in sources}
        for identity, number in self.lines.items():
            if not self.reasons[identity]:
                yield "equivalent.txt:%d: no reason: %s" % (number, identity)
            known = not os.path.exists(os.path.join(ROOT, "src/core", identity.split(":")[0]))
            if identity not in self.matched and (identity.split(":")[0] in names or known):
                yield "equivalent.txt:%d: matches no mutant: %s" % (number, identity)


class Tests:
    """The programs, linked with core as a shared library."""

    def __init__(self, folder, without):
        names = sorted(os.listdir(folder))
        self.units = [os.path.join(folder, name) for name in names
                      if name.startswith("unit_core_") and name not in without]
        sim = os.path.join(folder, "sim")
        self.sims = [[sim, "--seed", "1", "--worlds", "300", "--twice-every", "1000"]] \
            if "sim" not in without else []
        self.times = {}

    def in_order(self, source, mode):
        module = "unit_core_" + source.name[:-2]
        own = [unit for unit in self.units if os.path.basename(unit).startswith(module) or
               module.startswith(os.path.basename(unit) + "_")]
        others = [unit for unit in self.units if unit not in own]
        for units in (own, others):  # the fast ones first
            units.sort(key=lambda unit: self.times.get(unit, 0))
        if mode == SANITIZED:
            return [([unit], SIM_CPU_SECONDS) for unit in own]
        return [([unit], UNIT_CPU_SECONDS) for unit in own + others] + \
            [(sim, SIM_CPU_SECONDS) for sim in self.sims if mode == RELEASE]

    @staticmethod
    def passes(command, cpu_seconds, library, mode, folder):
        # The shell itself is not to have the library: it lacks what that needs.
        limits = "ulimit -c 0; ulimit -t %d; ulimit -v %s; LD_PRELOAD=$LIBRARY exec \"$@\"" % (
            cpu_seconds, "unlimited" if mode == SANITIZED else ADDRESS_SPACE_KIB)
        environment = dict(os.environ, LIBRARY=library, LC_ALL="C.UTF-8",
                           ASAN_OPTIONS="detect_leaks=0")
        try:
            done = subprocess.run(["/bin/sh", "-c", limits, "sh", *command], cwd=folder, timeout=300,
                                  env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


class Run:
    def __init__(self, tests, folder, jobs):
        self.tests = tests
        self.folder = folder
        self.jobs = jobs
        self.sound = {}  # (file, mode) → digest of the object of the original
        self.paths = {}
        self.counts = {}
        self.errors = []

    def objects(self, source):
        folder = os.path.join(self.folder, source.name)
        os.makedirs(folder, exist_ok=True)
        return folder

    def compile(self, source, text, mode):
        """The digest of the object, which is kept; None when it does not compile."""
        handle, path = tempfile.mkstemp(dir=self.folder)
        os.close(handle)
        if not source.compile(text, path, mode):
            os.unlink(path)
            return None
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        os.replace(path, os.path.join(self.objects(source), digest + ".o"))
        return digest

    def library(self, source, digest, mode):
        """What is to be preloaded. The linker itself is quicker than the compiler that calls it."""
        item = os.path.join(self.objects(source), digest + ".o")
        library = item[:-2] + ".so"
        if "libgcc.a" not in self.paths:
            self.paths = {name: source.path_of(name)
                          for name in ("libgcc.a", "libasan.so", "libubsan.so")}
        subprocess.run(["ld", "-shared", "-o", library, item, self.paths["libgcc.a"]], check=True)
        os.unlink(item)
        if mode == SANITIZED:
            return ":".join([self.paths["libasan.so"], self.paths["libubsan.so"], library])
        return library

    def try_originals(self, sources, mode):
        """The tests pass with the sound files laid over themselves, or nothing is shown by a kill."""
        libraries = []
        for source in sources:
            digest = self.compile(source, source.text, mode)
            if digest is None:
                raise SystemExit("mutants: %s does not compile" % source.name)
            self.sound[source.name, mode] = digest
            libraries.append(self.library(source, digest, mode))
        for command, seconds in self.tests.in_order(sources[0], mode):
            begin = time.monotonic()
            if not self.tests.passes(command, seconds, ":".join(libraries), mode,
                                     self.folder):
                raise SystemExit("mutants: %s fails with the sound %s" % (
                    " ".join(command), " ".join(source.name for source in sources)))
            self.tests.times.setdefault(command[0], time.monotonic() - begin)

    def count(self, source, result, by=1):
        counts = self.counts.setdefault(source.name, {})
        counts[result] = counts.get(result, 0) + by

    def try_all(self, source, mutants):
        living = [[mutant] for mutant in mutants]
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for mode in MODES:
                living = self.try_groups(source, living, mode, pool)
        for group in living:
            if any(mutant.is_listed for mutant in group):
                self.count(source, "equivalent")
                continue
            self.count(source, "survived")
            print("survived: src/core/%s:%d: %s\n    %s" % (
                source.name, group[0].line, group[0].operator, group[0].identity), flush=True)

    def try_groups(self, source, groups, mode, pool):
        """Those that survive. All mutants of a group are one program: what is listed of one of them
        holds for all."""
        if groups and (source.name, mode) not in self.sound:
            self.try_originals([source], mode)
        by_digest = {}
        digests = pool.map(lambda group: self.compile(source, group[0].text, mode), groups)
        for group, digest in zip(groups, digests):
            by_digest.setdefault(digest, []).append(group)
        self.count(source, "not compiled", len(by_digest.pop(None, [])))
        self.count(source, "same object", len(by_digest.pop(
            self.sound.get((source.name, mode)), [])))
        self.count(source, "duplicate", sum(len(alike) - 1 for alike in by_digest.values()))
        living = []
        killers = pool.map(lambda digest: self.killer(source, digest, mode), by_digest)
        for alike, killer in zip(by_digest.values(), killers):
            group = sum(alike, [])
            if killer is None:
                living.append(group)
                continue
            listed = [mutant.identity for mutant in group if mutant.is_listed]
            self.count(source, "killed")
            if listed:
                self.errors.append("equivalent.txt: is not equivalent, %s kills it: %s" % (
                    killer, listed[0]))
        return living

    def killer(self, source, digest, mode):
        library = self.library(source, digest, mode)
        try:
            for command, seconds in self.tests.in_order(source, mode):
                if not self.tests.passes(command, seconds, library, mode, self.folder):
                    return os.path.basename(command[0])
            return None
        finally:
            os.unlink(library.rpartition(":")[2])


def parse():
    parser = argparse.ArgumentParser(description="source mutants of core", usage=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--file", action="append", default=[], help="NAME.c; all when not given")
    parser.add_argument("--sample", type=int, default=0, help="so many mutants, drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bound", type=float, default=98)
    parser.add_argument("--without", action="append", default=[], help="a test that is left out")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--match", default="", help="only mutants whose identity has this in it")
    parser.add_argument("--again", default="", help="only the survivors in this earlier output")
    parser.add_argument("--list", action="store_true", help="print the mutants, try none")
    return parser.parse_args()


def load(arguments):
    with open(os.path.join(arguments.build, "compile_commands.json"), encoding="utf-8") as file:
        commands = {entry["file"]: entry["command"] for entry in json.load(file)}
    folder = os.path.join(ROOT, "src/core")
    names = sorted(name for name in os.listdir(folder) if name.endswith(".c"))
    unknown = set(arguments.file) - set(names)
    if unknown:
        print("mutants: no such file in src/core: %s" % " ".join(sorted(unknown)), file=sys.stderr)
        sys.exit(2)
    return [Source(os.path.join(folder, name), commands[os.path.join(folder, name)])
            for name in names if not arguments.file or name in arguments.file]


def draw(mutants, count, seed):
    """The same ones as long as they are there, whatever else changes."""
    def rank(mutant):
        return hashlib.sha256(("%d %s" % (seed, mutant.identity)).encode()).digest()
    return sorted(mutants, key=rank)[:count] if count else mutants


def report(run, sources):
    kinds = ("killed", "survived", "equivalent", "duplicate", "same object", "not compiled")
    total = dict.fromkeys(kinds, 0)
    print("%-20s %8s %9s %11s %7s | not counted: %9s %12s %13s" % (
        "file", "killed", "survived", "equivalent", "share", *kinds[3:]))
    for source in sources:
        counts = run.counts.get(source.name, {})
        if not counts:
            continue
        for kind in kinds:
            total[kind] += counts.get(kind, 0)
        print("%-20s %s" % (source.name, row(counts)))
    print("%-20s %s" % ("all", row(total)))
    return total


def share(counts):
    killed, survived = counts.get("killed", 0), counts.get("survived", 0)
    return 100 * killed / (killed + survived) if killed + survived else 100


def row(counts):
    return "%8d %9d %11d %6.2f%% |              %9d %12d %13d" % (
        counts.get("killed", 0), counts.get("survived", 0), counts.get("equivalent", 0),
        share(counts), counts.get("duplicate", 0), counts.get("same object", 0),
        counts.get("not compiled", 0))


def main():
    arguments = parse()
    sources = load(arguments)
    equivalents = Equivalents()
    mutants = [mutant for source in sources for mutant in source.mutants]
    for mutant in mutants:
        mutant.is_listed = mutant.identity in equivalents.reasons
        if mutant.is_listed:
            equivalents.matched.add(mutant.identity)
    if arguments.list:
        for mutant in mutants:
            print("src/core/%s:%d: %s: %s" % (mutant.source.name, mutant.line, mutant.operator,
                                               mutant.identity))
        return 0
    chosen = [mutant for mutant in mutants if arguments.match in mutant.identity]
    if arguments.again:
        with open(arguments.again, encoding="utf-8") as file:
            lines = {line.strip() for line in file}
        chosen = [mutant for mutant in chosen if mutant.identity in lines]
    if arguments.sample:  # what is listed is tried in the long form alone
        chosen = draw([m for m in chosen if not m.is_listed], arguments.sample, arguments.seed)
    folder = tempfile.mkdtemp(prefix="mutants-")
    run = Run(Tests(os.path.abspath(arguments.programs), arguments.without), folder, arguments.jobs)
    run.errors = list(equivalents.errors(sources))
    try:
        run.try_originals(sources, QUICK)
        for source in sources:
            own = [mutant for mutant in chosen if mutant.source is source]
            if own:
                run.try_all(source, own)
    finally:
        shutil.rmtree(folder)
    total = report(run, sources)
    for error in run.errors:
        print("error: " + error)
    print("prove-mutants: %d of %d mutants killed (%.2f %%), %d equivalent by hand, %d of the same "
          "object, %d not compiled, of %d" % (
              total["killed"], total["killed"] + total["survived"], share(total),
              total["equivalent"], total["duplicate"] + total["same object"],
              total["not compiled"], len(chosen)))
    return 1 if run.errors or share(total) < arguments.bound else 0


if __name__ == "__main__":
    sys.exit(main())
