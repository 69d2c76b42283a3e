#!/usr/bin/env python3
"""Plants codes that nobody set in small functions and sees tools/check_errors.py catch each."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import check_errors  # noqa: E402  (found through the path above)

HEADER = """
enum err_code { ERR_OK, ERR_INPUT, ERR_NOT_FOUND };
struct err { enum err_code code; };
enum err_code err_set(struct err *err, enum err_code code, const char *text);
enum err_code loud(int x, struct err *err);
_Bool fits(int x, struct err *err);
struct ops { enum err_code (*find)(int x, struct err *err); };
"""
SILENT = """
static enum err_code silent(int x, struct err *err)
{
    if (x == 0)
        return ERR_NOT_FOUND;
    return err_set(err, ERR_INPUT, "x");
}
static const struct ops table = {.find = silent};
"""


def check(body):
    """What is said of a function with this body, which has `x`, `found`, `ops` and `err`."""
    with tempfile.TemporaryDirectory() as root:
        folder = os.path.join(root, "src", "base")
        os.makedirs(folder)
        with open(os.path.join(folder, "a.c"), "w", encoding="utf-8") as file:
            file.write("%s%senum err_code f(int x, _Bool found, const struct ops *ops, "
                       "struct err *err)\n{\n(void)table;\n%s\n}\n" % (HEADER, SILENT, body))
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = check_errors.main([root])
        return status, output.getvalue()


class Planted(unittest.TestCase):
    def caught(self, body, words):
        status, output = check(body)
        self.assertEqual(status, 1, output)
        self.assertIn("src/base/a.c:", output)
        self.assertIn(words, output)

    def passes(self, body):
        self.assertEqual(check(body)[0], 0, check(body)[1])

    def test_calls_that_set_it(self):
        self.passes("if (loud(x, err) != ERR_OK || !fits(x, err)) return err->code;"
                    "if (x > 1 && (loud(1, err) != ERR_OK || loud(2, err) != ERR_OK))"
                    "{ x = 3; return err->code; }"
                    "if (x == 3) { err_set(err, ERR_INPUT, \"x\"); return err->code; }"
                    "return ERR_OK;")

    def test_a_condition_that_is_no_failure(self):
        self.caught("if (loud(x, err) != ERR_OK || !found) return err->code; return ERR_OK;",
                    "where `!found`")

    def test_no_condition(self):
        self.caught("if (x) loud(x, err); return err->code;", "nothing right before it")

    def test_a_function_that_says_nothing(self):
        self.caught("if (silent(x, err) != ERR_OK) return err->code; return ERR_OK;",
                    "behind silent(), which gives ERR_NOT_FOUND")

    def test_a_table_of_functions(self):
        self.caught("if (ops->find(x, err) != ERR_OK) return err->code; return ERR_OK;",
                    "behind find(), which gives ERR_NOT_FOUND")

    def test_a_code_that_was_kept(self):
        self.caught("enum err_code code = silent(x, err); if (code != ERR_OK) return err->code;"
                    "return ERR_OK;", "where `code` can be ERR_NOT_FOUND")
        self.passes("enum err_code code = silent(x, err); if (code == ERR_NOT_FOUND) return ERR_OK;"
                    "if (code != ERR_OK) return err->code; return ERR_OK;")

    def test_jumps(self):
        self.passes("if (loud(x, err) != ERR_OK) goto fail; return ERR_OK; fail: x = 1;"
                    "return err->code;")
        self.caught("if (!found) goto fail; return ERR_OK; fail: x = 1; return err->code;",
                    "where `!found`")
        self.caught("if (loud(x, err) != ERR_OK) goto done; x = 2; done: x = 1; return err->code;",
                    "nothing right before it")

    def test_the_variable_itself_may_be_returned(self):
        self.passes("enum err_code code = silent(x, err); return code;")


if __name__ == "__main__":
    unittest.main()
