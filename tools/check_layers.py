#!/usr/bin/env python3
"""Checks the house rules that a compiler does not see.

usage: tools/check_layers.py [ROOT]

Layers, owners of third-party libraries, purity of core, who may allocate, banned functions, header
guards, length of functions, leftover marks. Prints `file:line: what; why` for each violation and
ends with 1 when there is one. tests/house/ plants each violation and sees it caught.
"""

import os
import re
import sys

LAYERS = ("base", "core", "codec", "engine", "io", "cli")

# Which file may include which library, with the files of the same module that continue its name
# (curl_transport.c, curl_transport_url.c). A trailing slash owns the folder, a star the prefix.
# None = the program purser does not use it (the simulator in tools/ may).
OWNERS = {
    "curl/": "src/io/curl_transport.c",
    "lmdb.h": "src/io/lmdb_ledger.c",
    "msgpack*": "src/codec/record.c",
    "yaml.h": "src/codec/yaml.c",
    "csv.h": "src/codec/csv.c",
    "zlib.h": "src/codec/gzip.c",
    "zstd*": "src/codec/zstandard.c",
    "iconv.h": "src/codec/charset.c",
    "openssl/": "src/base/digest.c",
    "xxhash.h": "src/base/checksum.c",
    "sys/epoll.h": "src/io/event_loop.c",
    "json-c/": None,
    "json.h": None,
    "microhttpd.h": None,
    "h2o*": None,
}

# The C standard, POSIX and Linux itself: free in every layer but core.
SYSTEM_HEADERS = set(
    """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads
    time uchar wchar wctype
    aio arpa/inet dirent dlfcn fcntl fnmatch ftw getopt glob grp iconv langinfo libgen net/if
    netdb netinet/in netinet/tcp nl_types poll pthread pwd regex sched search semaphore spawn
    strings syslog termios unistd utime wordexp byteswap endian mntent paths sysexits""".split()
)
SYSTEM_FOLDERS = ("sys/", "linux/")

# What core may include besides purser/base: values and arithmetic, nothing that acts.
CORE_HEADERS = set(
    "assert ctype errno inttypes limits stdalign stdarg stdbool stddef stdint string strings".split()
)
CORE_BANNED_BASE = {"mem", "log"}

ALLOCATOR_FILE = "src/base/mem.c"
ALLOCATORS = (
    "malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf aligned_alloc "
    "posix_memalign alloca open_memstream getline getdelim"
).split()

BANNED = {
    "strcpy": "has no bound; use base/buf or snprintf",
    "stpcpy": "has no bound; use base/buf or snprintf",
    "strcat": "has no bound; use base/buf or snprintf",
    "strncpy": "may leave no NUL; use memcpy with a checked length or snprintf",
    "strncat": "its bound is not the buffer's size; use base/buf or snprintf",
    "sprintf": "has no bound; use snprintf or buf_append_format",
    "vsprintf": "has no bound; use vsnprintf",
    "gets": "has no bound",
    "scanf": "hides conversion errors and overflow",
    "sscanf": "hides conversion errors and overflow",
    "fscanf": "hides conversion errors and overflow",
    "atoi": "cannot report an error; use the strict parsers of base/text",
    "atol": "cannot report an error; use the strict parsers of base/text",
    "atoll": "cannot report an error; use the strict parsers of base/text",
    "atof": "cannot report an error, and money never passes through a double",
    "strtok": "keeps hidden state and writes into its input",
    "system": "runs a shell",
    "popen": "runs a shell",
    "tmpnam": "is open to races; use mkstemp or O_TMPFILE",
    "tempnam": "is open to races; use mkstemp or O_TMPFILE",
    "mktemp": "is open to races; use mkstemp or O_TMPFILE",
    "rand": "has hidden global state; use base/rng",
    "srand": "has hidden global state; use base/rng",
    "random": "has hidden global state; use base/rng",
    "gmtime": "returns shared memory; use gmtime_r",
    "localtime": "returns shared memory; use localtime_r",
    "ctime": "returns shared memory; use strftime",
    "asctime": "returns shared memory; use strftime",
    "setjmp": "jumps over clean-up",
    "longjmp": "jumps over clean-up",
    "vfork": "shares the parent's stack; use posix_spawn or fork",
}

# A test may read the numbers of /proc with it.
TESTS_MAY_CALL = {"sscanf"}

# Money never passes through a double.
NO_DOUBLE = ("strtod", "strtof", "strtold")

# Written with brackets so that this file does not accuse itself.
MARKS = [
    (re.compile(r"\bTO[D]O\b"), "unfinished work is an issue, not a comment"),
    (re.compile(r"\bFIX[M]E\b"), "unfinished work is an issue, not a comment"),
    (re.compile(r"\bX[X]X\b"), "unfinished work is an issue, not a comment"),
    (re.compile(r"\bHA[C]K\b"), "say what it does and why it must be so"),
    (re.compile(r"\bfor[ ]now\b", re.IGNORECASE), "what stands here is what the program does"),
    (re.compile(r"\bnot (yet )?imple[m]ented\b", re.IGNORECASE), "land it when it works"),
]
MARK_SUFFIXES = (".c", ".h", ".py", ".sh", ".cmake", ".md", ".yaml", ".yml", ".txt")
SKIPPED_FOLDERS = {".git", "build", ".cache", "__pycache__"}

FUNCTION_LINES_MAX = 70

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NOISE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL
)
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")
MUTABLE_STATIC = re.compile(r"^\s*static\b(?!.*\b(?:const|inline|_Thread_local)\b)[^(]*[;=]")


def scrub(text):
    """The text without comments, strings and characters; lines keep their numbers."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return NOISE.sub(blank, text)


def layer_of(path):
    """The layer that a file belongs to by its folder, or None."""
    for prefix in ("src/", "include/purser/", "tests/unit/"):
        if path.startswith(prefix):
            return path[len(prefix) :].split("/")[0]
    return None


def owner_of(header):
    """(pattern, owner) of a third-party header, or None when nobody is entered for it."""
    for pattern, owner in OWNERS.items():
        whole = header == pattern
        if whole or (pattern[-1] in "/*" and header.startswith(pattern.rstrip("*"))):
            return pattern, owner
    return None


def is_of_owner(path, owner):
    """Whether the file is the owner or a part of its module."""
    module = owner.rsplit(".", 1)[0]
    return path.rsplit(".", 1)[0] == module or path.startswith(module + "_")


class Checker:
    def __init__(self, root):
        self.root = root
        self.file_count = 0
        self.violations = []

    def report(self, path, line, what, why):
        self.violations.append((path, line, what, why))

    def files(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if name.endswith(MARK_SUFFIXES) or path.startswith(".ci/"):
                    yield path

    def run(self):
        for path in self.files():
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                text = file.read()
            self.file_count += 1
            self.check_marks(path, text)
            if path.endswith((".c", ".h")):
                self.check_c(path, text)
        self.violations.sort()

    def check_marks(self, path, text):
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, why in MARKS:
                match = pattern.search(line)
                if match:
                    self.report(path, number, f"leftover mark '{match.group(0)}'", why)

    def check_c(self, path, text):
        code = scrub(text)
        product = path.startswith(("src/", "include/"))
        layer = layer_of(path)

        if layer is not None and layer not in LAYERS:
            self.report(path, 1, f"'{layer}' is no layer", "the layers are " + " < ".join(LAYERS))
            return
        for number, line in enumerate(text.split("\n"), 1):
            include = INCLUDE.match(line)
            if include:
                self.check_include(path, number, layer, product, *include.groups())
        for number, line in enumerate(code.split("\n"), 1):
            self.check_calls(path, number, line, product)
            if product and layer == "core" and MUTABLE_STATIC.match(line):
                self.report(path, number, "a variable that outlives a call",
                            "core is pure: its state is what it is given")
        if path.startswith("include/purser/"):
            self.check_guard(path, text)
        # A test may hold a long table of cases.
        if path.endswith(".c") and not path.startswith("tests/"):
            self.check_function_lengths(path, code)

    def check_include(self, path, number, layer, product, quote, header):
        if path.startswith("tools/rutter-sim/"):
            if header.startswith("purser/") or "/src/" in header or "/include/" in header:
                self.report(path, number, f"the simulator includes {header}",
                            "it shares no code with purser, so that one mistake "
                            "cannot hide in both")
            return
        if header.startswith("purser/"):
            self.check_layer(path, number, layer, product, header)
        elif header.startswith("../") or "/../" in header:
            self.report(path, number, f"include of {header}",
                        "an include names its layer: purser/LAYER/name.h")
        elif product and quote == "<":
            self.check_system_include(path, number, layer, header)

    def check_layer(self, path, number, layer, product, header):
        parts = header.split("/")
        if len(parts) < 3 or parts[1] not in LAYERS:
            self.report(path, number, f"{header} names no layer",
                        "the layers are " + " < ".join(LAYERS))
            return
        if layer is not None and LAYERS.index(parts[1]) > LAYERS.index(layer):
            self.report(path, number, f"{layer} includes {header}",
                        "a layer includes itself and those to its left: " + " < ".join(LAYERS))
        name = parts[2].rsplit(".", 1)[0]
        if product and layer == "core" and parts[1] == "base" and name in CORE_BANNED_BASE:
            self.report(path, number, f"core includes {header}",
                        "core is pure: no allocation, no output")

    def check_system_include(self, path, number, layer, header):
        entry = owner_of(header)
        if entry is not None:
            pattern, owner = entry
            if owner is None:
                self.report(path, number, f"include of <{header}>", "purser does not use it")
            elif not is_of_owner(path, owner):
                self.report(path, number, f"include of <{header}>",
                            f"its one owner is {owner}; go through that file's header")
            return
        stem = header[:-2] if header.endswith(".h") else header
        if stem not in SYSTEM_HEADERS and not header.startswith(SYSTEM_FOLDERS):
            self.report(path, number, f"include of <{header}>",
                        "not the C standard, POSIX or Linux, and it has no owner in "
                        "tools/check_layers.py")
        elif layer == "core" and stem not in CORE_HEADERS:
            self.report(path, number, f"core includes <{header}>",
                        "core is pure: no clock, no I/O, no allocation")

    def check_calls(self, path, number, line, product):
        for match in CALL.finditer(line):
            name = match.group(1)
            if path.startswith("tests/") and name in TESTS_MAY_CALL:
                continue
            if name in BANNED:
                self.report(path, number, f"{name}() is banned", f"it {BANNED[name]}")
            elif product and name in NO_DOUBLE:
                self.report(path, number, f"{name}() is banned",
                            "money never passes through a double; numbers travel as their text")
            elif product and name in ALLOCATORS and path != ALLOCATOR_FILE:
                self.report(path, number, f"{name}() outside {ALLOCATOR_FILE}",
                            "allocate through purser/base/mem.h, so that tests can fail each call")

    def check_guard(self, path, text):
        guard = re.sub(r"\W", "_", path[len("include/") :]).upper()
        match = re.search(r"^#ifndef (\w+)\n#define (\w+)$", text, re.MULTILINE)
        if match is None:
            self.report(path, 1, "no include guard", f"it is named {guard}")
        elif match.groups() != (guard, guard):
            line = text[: match.start()].count("\n") + 1
            self.report(path, line, f"include guard {match.group(1)}", f"it is named {guard}")

    def check_function_lengths(self, path, code):
        start = None
        for number, line in enumerate(code.split("\n"), 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start is not None:
                length = number - start - 1
                if length > FUNCTION_LINES_MAX:
                    self.report(path, start, f"a function of {length} lines",
                                f"at most {FUNCTION_LINES_MAX}; split it by idea")
                start = None


def main(arguments):
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 2
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    root = arguments[0] if arguments else here
    checker = Checker(root)
    checker.run()
    for path, line, what, why in checker.violations:
        print(f"{path}:{line}: {what}; {why}")
    if checker.file_count == 0:
        print(f"check_layers: no files to check under {root}")
        return 2
    if checker.violations:
        print(f"check_layers: {len(checker.violations)} violations in {checker.file_count} files")
        return 1
    print(f"check_layers: {checker.file_count} files, no violation")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
