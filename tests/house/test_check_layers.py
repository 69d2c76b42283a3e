#!/usr/bin/env python3
"""Plants each violation that tools/check_layers.py knows in a small tree and sees it caught."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import check_layers  # noqa: E402  (found through the path above)

# A tree without violation: each owner includes its own library.
CLEAN = {
    "include/purser/base/mem.h": "#ifndef PURSER_BASE_MEM_H\n#define PURSER_BASE_MEM_H\n#endif\n",
    "include/purser/io/clock.h": "#ifndef PURSER_IO_CLOCK_H\n#define PURSER_IO_CLOCK_H\n#endif\n",
    "src/base/mem.c": '#include "purser/base/mem.h"\n#include <stdlib.h>\nvoid *f(void)\n{\n'
    "    return malloc(1);\n}\n",
    "src/base/digest.c": "#include <openssl/evp.h>\n",
    "src/base/checksum.c": "#include <xxhash.h>\n",
    "src/core/item.c": '#include "purser/core/item.h"\n#include <string.h>\n'
    "static const int table[] = {1};\nstatic int f(int a)\n{\n    return a;\n}\n",
    "src/codec/record.c": "#include <msgpack.h>\n#include <msgpack/unpack.h>\n",
    "src/codec/yaml.c": "#include <yaml.h>\n",
    "src/codec/csv.c": "#include <csv.h>\n",
    "src/engine/engine.c": '#include "purser/codec/record.h"\n#include <time.h>\n',
    "src/io/curl_transport.c": '#include "purser/engine/transport.h"\n#include <curl/curl.h>\n',
    "src/io/lmdb_ledger.c": "#include <lmdb.h>\n",
    "src/io/event_loop.c": "#include <sys/epoll.h>\n#include <unistd.h>\n",
    "src/cli/main.c": '#include "purser/io/clock.h"\n/* strcpy(a, b) in a comment, */\n'
    'static const char *text = "system(1) in a string";\n',
    "tools/rutter-sim/main.c": "#include <h2o.h>\n#include <stdlib.h>\n",
    "tests/unit/core/test_item.c": '#include "purser/core/item.h"\n#include <cmocka.h>\n',
    "README.md": "mkstemp(/tmp/x.XXXXXX) is no mark.\n",
}


def check(files):
    """Writes the files into an empty tree and checks it: (exit status, output)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            place = os.path.join(root, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = check_layers.main([root])
        return status, output.getvalue()


class Planted(unittest.TestCase):
    def caught(self, path, text, line, *words):
        """The clean tree with `text` as `path` gives one violation, at `line`, with these words."""
        status, output = check({**CLEAN, path: text})
        lines = output.strip().split("\n")
        self.assertEqual(status, 1, output)
        self.assertEqual(len(lines), 2, output)
        self.assertTrue(lines[0].startswith(f"{path}:{line}: "), output)
        for word in words:
            self.assertIn(word, lines[0])

    def test_a_clean_tree_passes(self):
        status, output = check(CLEAN)
        self.assertEqual((status, output.count("\n")), (0, 1), output)

    def test_an_empty_tree_is_not_taken_for_a_clean_one(self):
        self.assertEqual(check({})[0], 2)

    def test_every_edge_to_the_right_is_caught(self):
        layers = ["base", "core", "codec", "engine", "io", "cli"]
        for left in range(len(layers)):
            for right in range(left + 1, len(layers)):
                header = f"purser/{layers[right]}/x.h"
                for path in (f"src/{layers[left]}/x.c", f"tests/unit/{layers[left]}/test_x.c"):
                    with self.subTest(path=path, header=header):
                        self.caught(path, f'\n#include "{header}"\n', 2, header, "base < core")

    def test_an_edge_to_the_right_in_a_header_is_caught(self):
        text = CLEAN["include/purser/base/mem.h"].replace("#endif", '#include "purser/io/x.h"\n#endif')
        self.caught("include/purser/base/mem.h", text, 3, "base includes purser/io/x.h")

    def test_unknown_layers_are_caught(self):
        self.caught("src/util/x.c", "", 1, "'util' is no layer")
        self.caught("src/cli/x.c", '#include "purser/util/x.h"\n', 1, "names no layer")

    def test_an_include_by_a_climbing_path_is_caught(self):
        self.caught("src/cli/x.c", '#include "../io/x.h"\n', 1, "../io/x.h")

    def test_a_library_outside_its_owner_is_caught(self):
        for header, owner in {
            "curl/curl.h": "src/io/curl_transport.c",
            "lmdb.h": "src/io/lmdb_ledger.c",
            "msgpack.h": "src/codec/record.c",
            "msgpack/pack.h": "src/codec/record.c",
            "yaml.h": "src/codec/yaml.c",
            "csv.h": "src/codec/csv.c",
            "openssl/hmac.h": "src/base/digest.c",
            "xxhash.h": "src/base/checksum.c",
            "sys/epoll.h": "src/io/event_loop.c",
        }.items():
            with self.subTest(header=header):
                self.caught("src/cli/x.c", f"#include <{header}>\n", 1, header, owner)

    def test_the_parts_of_an_owner_may_use_its_library(self):
        for path in ("src/io/curl_transport_url.c", "src/io/curl_transport_internal.h"):
            self.assertEqual(check({**CLEAN, path: "#include <curl/curl.h>\n"})[0], 0)
        self.caught("src/io/curl_transporter.c", "#include <curl/curl.h>\n", 1, "one owner")

    def test_libraries_that_nobody_owns_are_caught(self):
        self.caught("src/io/x.c", "#include <microhttpd.h>\n", 1, "does not use it")
        self.caught("src/io/x.c", "#include <h2o.h>\n", 1, "does not use it")
        self.caught("src/io/x.c", "#include <glib.h>\n", 1, "no owner")

    def test_a_simulator_that_shares_code_is_caught(self):
        for header in ("purser/base/buf.h", "../../src/base/x.h", "../../include/purser/base/buf.h"):
            with self.subTest(header=header):
                self.caught("tools/rutter-sim/x.c", f'#include "{header}"\n', 1, "shares no code")

    def test_core_with_a_clock_or_io_or_memory_is_caught(self):
        for header in ("stdio.h", "stdlib.h", "time.h", "unistd.h", "sys/time.h", "pthread.h"):
            with self.subTest(header=header):
                self.caught("src/core/x.c", f"#include <{header}>\n", 1, header, "pure")
        for header in ("mem", "log"):
            include = f'#include "purser/base/{header}.h"\n'
            self.caught("src/core/x.c", include, 1, header, "pure")

    def test_core_with_a_variable_of_its_own_is_caught(self):
        self.caught("src/core/x.c", "static int count;\n", 1, "outlives a call")
        self.caught("src/core/x.c", "{\n    static int n = 0;\n}\n", 2, "outlives a call")

    def test_allocation_outside_mem_is_caught(self):
        for name in ("malloc", "calloc", "realloc", "free", "strdup", "asprintf", "getline"):
            with self.subTest(name=name):
                self.caught("src/io/x.c", f"{{\n    x = {name}(y);\n}}\n", 2, name, "mem.h")

    def test_members_and_own_functions_with_such_names_are_no_violation(self):
        text = "{\n    a->free(a);\n    b.malloc(1);\n    mem_free(c);\n    curl_free(d);\n}\n"
        self.assertEqual(check({**CLEAN, "src/io/x.c": text})[0], 0)

    def test_banned_functions_are_caught_everywhere(self):
        for name in ("strcpy", "strcat", "sprintf", "gets", "atoi", "strtok", "system", "popen",
                     "rand", "gmtime", "mktemp"):
            for path in ("src/io/x.c", "tools/rutter-sim/x.c", "tests/unit/io/test_x.c"):
                with self.subTest(name=name, path=path):
                    self.caught(path, f"{{\n\n    {name}(a);\n}}\n", 3, f"{name}() is banned")

    def test_sscanf_is_for_tests_alone(self):
        self.caught("src/io/x.c", "{\n    sscanf(a);\n}\n", 2, "sscanf() is banned")
        self.assertEqual(check({**CLEAN, "tests/unit/io/test_x.c": "{\n    sscanf(a);\n}\n"})[0], 0)

    def test_money_in_a_double_is_caught(self):
        self.caught("src/codec/x.c", "{\n    d = strtod(a, b);\n}\n", 2, "double")

    def test_a_wrong_or_missing_include_guard_is_caught(self):
        path = "include/purser/core/x.h"
        self.caught(path, "#ifndef X_H\n#define X_H\n#endif\n", 1, "PURSER_CORE_X_H")
        self.caught(path, "struct x;\n", 1, "no include guard")

    def test_a_long_function_is_caught(self):
        body = "int f(void)\n{\n" + "    a++;\n" * 71 + "}\n"
        self.caught("src/io/x.c", body, 2, "71 lines")
        self.caught("tools/rutter-sim/x.c", body, 2, "71 lines")
        self.assertEqual(check({**CLEAN, "src/io/x.c": body.replace("    a++;\n", "", 1)})[0], 0)
        self.assertEqual(check({**CLEAN, "tests/unit/io/test_x.c": body})[0], 0)

    def test_leftover_marks_are_caught_in_code_scripts_and_documents(self):
        # In two pieces, so that this file does not accuse itself.
        for mark in ("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK", "for" + " now",
                     "For" + " now", "not imple" + "mented", "not yet imple" + "mented"):
            for path, text in {
                "src/io/x.c": f"\n/* {mark}: later */\n",
                "tools/x.py": f"\n# {mark}\n",
                "docs/x.md": f"\nThis is {mark} so.\n",
                ".ci/run": f"\n# {mark}\n",
            }.items():
                with self.subTest(mark=mark, path=path):
                    self.caught(path, text, 2, f"leftover mark '{mark}'")

    def test_all_violations_are_shown_sorted_by_place(self):
        status, output = check({**CLEAN, "src/io/y.c": "{\n  strcpy(a);\n  gets(b);\n}\n",
                                "src/io/x.c": "#include <lmdb.h>\n"})
        places = [line.split(": ")[0] for line in output.strip().split("\n")]
        self.assertEqual(status, 1)
        self.assertEqual(places[:3], ["src/io/x.c:1", "src/io/y.c:2", "src/io/y.c:3"])


if __name__ == "__main__":
    unittest.main()
