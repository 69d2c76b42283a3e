#!/usr/bin/env python3
"""Plants leaks into a copy of src/engine/engine_answer.c: plant.py SOURCE OUTPUT.

Each answer leaves a descriptor and 64 KiB of memory behind. prove-soak must see both.
"""
import sys

PLACE = "    engine_request_answered(engine, reply, slot->is_probe);\n"
LEAKS = ("    memset(malloc(65536), 1, 65536);\n"
         "    assert(open(\"/dev/null\", O_RDONLY | O_CLOEXEC) != -1);\n")
HEADS = "#include <fcntl.h>\n#include <stdlib.h>\n"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        source = file.read()
    if source.count(PLACE) != 1:
        sys.exit(f"{sys.argv[1]}: the place of the plant is not there exactly once")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(HEADS + source.replace(PLACE, LEAKS + PLACE))


if __name__ == "__main__":
    main()
