#!/usr/bin/env python3
"""The program is built as cmake/flags.cmake says: read from the ELF file that users run.

usage: test_hardening.py PROGRAM COMPILER ON|OFF

OFF = this build is not for users: skipped. The marks of -fcf-protection are not looked for: the linker
drops them when one object has none, and those of Debian's C library that start a program have none.
The test of the test builds a program without any of that, and each thing that it lacks is told.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

EXIT_SKIP = 77


def readelf(program, *options):
    return subprocess.run(["readelf", "-W", *options, program], check=True, stdout=subprocess.PIPE,
                          text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def lacks_of(program):
    """What the program lacks, as words."""
    headers, dynamic = readelf(program, "-h", "-l"), readelf(program, "-d")
    symbols = readelf(program, "--dyn-syms")
    if not re.search(r"Type:\s+DYN", headers):
        yield "position independence"
    if "BIND_NOW" not in dynamic:
        yield "binding at the start"
    if "GNU_RELRO" not in headers:
        yield "tables that become read-only"
    stack = re.search(r"GNU_STACK.*", headers)
    if stack is None or "RWE" in stack.group(0):
        yield "a stack without code"
    if re.search(r"LOAD.*RWE", headers):
        yield "segments that are written or run, not both"
    if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
        yield "libraries from the system alone"
    if "__stack_chk_fail" not in symbols:
        yield "protection of the stack"
    if not re.search(r"__\w+_chk@", symbols):
        yield "checked copies (_FORTIFY_SOURCE)"
    if re.search(r"\((TEXTREL)\)", dynamic):
        yield "code that nothing changes"


def check_itself(compiler):
    folder = tempfile.mkdtemp(prefix="purser-hardening-")
    try:
        source, program = os.path.join(folder, "a.c"), os.path.join(folder, "a")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int main(void) { return 0; }\n")
        subprocess.run([compiler, "-O0", "-no-pie", "-fno-pie", "-fcf-protection=none", "-fno-stack-protector",
                        "-U_FORTIFY_SOURCE", "-Wl,-z,lazy,-z,norelro,-z,execstack,-rpath,/tmp", source,
                        "-o", program], check=True, stderr=subprocess.DEVNULL)
        return set(lacks_of(program))
    finally:
        shutil.rmtree(folder)


def main():
    program, compiler, hardened = sys.argv[1:]
    if hardened != "ON":
        print("hardening: skipped, this build is not for users")
        return EXIT_SKIP
    wanted = {"position independence", "binding at the start", "tables that become read-only", "a stack without code",
              "libraries from the system alone", "protection of the stack", "checked copies (_FORTIFY_SOURCE)"}
    missed = wanted - check_itself(compiler)
    if missed:
        print("hardening: the test itself does not see a lack of " + ", ".join(sorted(missed)))
        return 1
    lacks = list(lacks_of(program))
    for lack in lacks:
        print(f"hardening: {program} lacks {lack}")
    print(f"hardening: {len(lacks)} lacks")
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main())
