#!/usr/bin/env python3
"""Checks that `return err->code` never gives a code that nobody set.

usage: tools/check_errors.py [ROOT]

The code in a struct err is that of the last failure that was put there. So a function may return it
only behind calls that have put it there, each of which is in the condition or stands right before:

    if (a(x, err) != ERR_OK || !b(y, err))      err_set(err, ERR_INPUT, "…");
        return err->code;                       return err->code;

Not behind a condition of another kind (`|| !*found_out`: nothing failed, and the code may be an old
one), not where the code is in a variable (return that), and not behind a function that can fail
without a word: one that returns a constant other than ERR_OK (as reads of the ledger do with
ERR_NOT_FOUND), hands on what such a one gave, or has no struct err.

Reads src/ with libclang. Prints `file:line: what; why` and ends with 1 when there is something.
tests/house/ plants each violation and sees it caught.
"""

import glob
import os
import re
import sys

try:
    import clang.cindex as cindex
except ImportError:  # Debian's package, when another Python comes first in the PATH
    sys.path.append("/usr/lib/python3/dist-packages")
    import clang.cindex as cindex

Kind = cindex.CursorKind
WRAPPERS = {Kind.UNEXPOSED_EXPR, Kind.PAREN_EXPR, Kind.CSTYLE_CAST_EXPR}
LOOPS = {Kind.FOR_STMT, Kind.WHILE_STMT, Kind.DO_STMT}
ASSERTED = re.compile(r"assert\((\w+) != (ERR_\w+)\)")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
NAMED = {Kind.DECL_REF_EXPR, Kind.CALL_EXPR, Kind.MEMBER_REF_EXPR, Kind.MEMBER_REF, Kind.VAR_DECL,
         Kind.PARM_DECL, Kind.UNARY_OPERATOR, Kind.FUNCTION_DECL, Kind.CONDITIONAL_OPERATOR}
SETTERS = {"err_set", "err_wrap"}
ANY = "any code"


class Node:
    """A cursor, read once: libclang is slow to ask."""

    __slots__ = ("kind", "children", "spelling", "path", "start", "end", "is_err", "is_code",
                 "target", "is_statement")

    def __init__(self, cursor, path):
        extent = cursor.extent
        self.kind = cursor.kind
        self.path = path
        self.start, self.end = extent.start.offset, extent.end.offset
        self.is_statement = self.kind.is_statement()
        self.is_err = self.is_code = False
        self.target, self.spelling = None, ""
        if self.kind in NAMED:
            type_ = cursor.type
            self.spelling = cursor.spelling
            self.is_err, self.is_code = is_err(type_), is_code(type_)
            self.target = cursor.referenced
        elif self.kind == Kind.LABEL_STMT or self.kind == Kind.LABEL_REF:
            self.spelling = cursor.spelling
        self.children = [Node(child, path) for child in cursor.get_children()]


def bare(cursor):
    """Without parentheses and casts."""
    while cursor.kind in WRAPPERS:
        children = [child for child in cursor.children if child.kind != Kind.TYPE_REF]
        if len(children) != 1:
            break
        cursor = children[0]
    return cursor


TEXTS = {}  # of files


def written(path, start, end):
    if path not in TEXTS:
        with open(path, "rb") as file:
            TEXTS[path] = file.read()
    return TEXTS[path][start:end].decode()


def operator_of(cursor):
    """The operator between two operands; "" where a macro has put them there."""
    left, right = cursor.children[:2]
    between = written(cursor.path, left.end, right.start)
    return COMMENT.sub("", between).strip(" \n()")


def is_code(type_):
    return type_.get_canonical().spelling == "enum err_code"


def is_err(type_):
    """struct err, or a pointer to it."""
    pointee = type_.get_canonical().get_pointee()
    spelling = (pointee if pointee.spelling else type_.get_canonical()).spelling
    return spelling in ("struct err", "const struct err")


def is_err_code(cursor):
    """`err->code`, of whatever err."""
    cursor = bare(cursor)
    if cursor.kind != Kind.MEMBER_REF_EXPR or cursor.spelling != "code":
        return False
    return bool(cursor.children) and bare(cursor.children[0]).is_err


def constant_of(cursor):
    """ERR_…, None when it is no constant."""
    cursor = bare(cursor)
    if cursor.target is not None and cursor.target.kind == Kind.ENUM_CONSTANT_DECL:
        return cursor.spelling
    return None


def variable_of(cursor):
    cursor = bare(cursor)
    if cursor.target is not None and cursor.target.kind in (Kind.VAR_DECL, Kind.PARM_DECL):
        return cursor.spelling
    return None


def walk(cursor):
    yield cursor
    for child in cursor.children:
        yield from walk(child)


class Function:
    def __init__(self, cursor):
        self.cursor = cursor
        self.silent = set()  # the codes that it can return without a word
        parts = list(walk(cursor))
        self.has_err = any(part.is_err for part in parts
                           if part.kind in (Kind.MEMBER_REF_EXPR, Kind.PARM_DECL))
        self.calls = [part for part in parts if part.kind == Kind.CALL_EXPR]
        self.sources = {}  # of each variable: what it was given
        self.handled = {}  # of each variable: the codes that are asked for by name
        self.loops = [(part.start, part.end) for part in parts if part.kind in LOOPS]
        for part in parts:
            self.note(part)
        for name, code in ASSERTED.findall(text_of(cursor)):
            self.handled.setdefault(name, set()).add(code)

    def is_in_loop(self, part):
        return any(start <= part.start < end for start, end in self.loops)

    def note(self, part):
        if part.kind == Kind.BINARY_OPERATOR:
            left, right = part.children[:2]
            operator = operator_of(part)
            if operator == "=" and variable_of(left):
                self.sources.setdefault(variable_of(left), []).append(right)
            if operator in ("==", "!=") and variable_of(left) and constant_of(right):
                self.handled.setdefault(variable_of(left), set()).add(constant_of(right))
        elif part.kind == Kind.CALL_EXPR and part.spelling == "ledger_has_none":
            variable = variable_of(part.children[1])
            self.handled.setdefault(variable, set()).update(("ERR_NOT_FOUND", "ERR_DAMAGED"))
        elif part.kind == Kind.VAR_DECL:
            values = [child for child in part.children if child.kind != Kind.TYPE_REF]
            if values:
                self.sources.setdefault(part.spelling, []).append(values[-1])


def cursor_of_err(part):
    return part.kind in (Kind.DECL_REF_EXPR, Kind.MEMBER_REF_EXPR) and part.is_err


class Tree:
    def __init__(self, root):
        self.root = root
        self.units = []
        self.functions = {}
        self.found = []
        tables = []
        arguments = ["-std=c11", "-D_GNU_SOURCE", "-DPURSER_VERSION=\"\"",
                     "-DPURSER_ORDERING_ORACLE", "-I" + os.path.join(root, "include")]
        for path in sorted(glob.glob(os.path.join(root, "src", "*", "*.c"))):
            unit = cindex.Index.create().parse(
                path, arguments + ["-I" + os.path.dirname(path)])
            wrong = [str(d) for d in unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
            if wrong:
                raise SystemExit("check_errors: libclang does not read %s:\n%s"
                                 % (path, "\n".join(wrong)))
            self.units.append(unit)
            for cursor in unit.cursor.get_children():
                if str(cursor.location.file) != path:
                    continue
                if cursor.kind == Kind.FUNCTION_DECL and cursor.is_definition():
                    self.functions[self.name(cursor)] = Function(Node(cursor, path))
                elif cursor.kind == Kind.VAR_DECL:
                    tables.append(Node(cursor, path))
        self.members = {}  # of tables of functions: by the member's name, who implements it
        for table in tables:
            self.note_table(table)
        self.find_err()
        self.find_silent()

    @staticmethod
    def name(cursor):
        """A static one's name counts in its own file."""
        if cursor.linkage == cindex.LinkageKind.INTERNAL:
            return str(cursor.location.file), cursor.spelling
        return "", cursor.spelling

    def note_table(self, cursor):
        for part in walk(cursor):
            if part.kind != Kind.INIT_LIST_EXPR:
                continue
            for child in part.children:
                member = [p for p in child.children if p.kind == Kind.MEMBER_REF]
                value = [p.target for p in walk(child) if p.target is not None and
                         p.target.kind == Kind.FUNCTION_DECL]
                if member and value:
                    self.members.setdefault(member[0].spelling, set()).add(self.name(value[0]))

    def find_err(self):
        """Who puts an error where the caller has it, also through others."""
        changed = True
        while changed:
            changed = False
            for function in self.functions.values():
                if not function.has_err and any(self.uses_err(call) for call in function.calls
                                                if not given_own_err(call)):
                    function.has_err = changed = True

    # --- who fails without a word ---

    def silent_of_call(self, call):
        target = call.target
        if call.spelling in SETTERS:
            return set()
        if target is not None and target.kind == Kind.FUNCTION_DECL:
            function = self.function_of(call)
            if function is not None:
                return function.silent
        else:
            names = self.members.get(call.spelling) or \
                self.members.get(target.spelling if target is not None else "") or set()
            known = [self.functions[name].silent for name in names if name in self.functions]
            if known:
                return set().union(*known)
        return set() if any(bare(part).is_err for part in call.children[1:]) else {ANY}

    def silent_of(self, value, function, seen=()):
        value = bare(value)
        if constant_of(value) is not None:
            return {constant_of(value)} - {"ERR_OK"}
        if value.kind == Kind.CALL_EXPR:
            return self.silent_of_call(value)
        if is_err_code(value):
            return set()
        if value.kind == Kind.CONDITIONAL_OPERATOR:
            condition, yes, no = value.children
            codes = self.silent_of(yes, function, seen) | self.silent_of(no, function, seen)
            for part in walk(condition):
                if part.kind == Kind.BINARY_OPERATOR and operator_of(part) == "==":
                    codes -= {constant_of(part.children[1])}
            return codes
        variable = variable_of(value)
        if variable is None:
            return set() if value.is_code else {ANY}
        if variable in seen:
            return set()
        codes = set()
        for source in function.sources.get(variable, []):
            if source.start > value.start and \
                    not function.is_in_loop(value):
                continue
            codes |= self.silent_of(source, function, seen + (variable,))
        return codes - function.handled.get(variable, set())

    def find_silent(self):
        changed = True
        while changed:
            changed = False
            for function in self.functions.values():
                codes = self.silent_returns(function.cursor, function, False)
                if codes != function.silent:
                    function.silent |= codes
                    changed = True

    def silent_returns(self, cursor, function, is_set):
        codes = set()
        for child in cursor.children:
            if child.kind == Kind.RETURN_STMT and not is_set:
                for value in child.children:
                    codes |= self.silent_of(value, function)
            codes |= self.silent_returns(child, function, False) if child.is_statement \
                else set()
            is_set = is_set or cursor.kind == Kind.COMPOUND_STMT and self.sets_err(child)
        return codes

    # --- what is returned ---

    def check(self):
        for self.function in self.functions.values():
            self.jumps = {}
            self.check_block(self.function.cursor, None)
        return self.found

    def check_block(self, cursor, condition):
        """`condition`: what is true in all of the block, None = nothing is known of it."""
        is_set = False
        before = None
        for statement in cursor.children:
            if statement.kind == Kind.LABEL_STMT and \
                    (before is None or before.kind not in (Kind.RETURN_STMT, Kind.GOTO_STMT)):
                self.jumps.setdefault(statement.spelling, []).append((statement, None, is_set))
            if before is not None and before.kind == Kind.LABEL_STMT and not is_set:
                label = before.spelling
                statement_follows = statement.kind == Kind.RETURN_STMT
                for value in statement.children if statement_follows else ():
                    if is_err_code(value):
                        self.check_jumps(label)
                        is_set = True
            self.check_statement(statement, condition, is_set)
            is_set = is_set or self.sets_err(statement)
            if statement.kind == Kind.LABEL_STMT or before is None or \
                    before.kind != Kind.LABEL_STMT:
                before = statement

    def check_statement(self, statement, condition, is_set):
        if statement.kind == Kind.COMPOUND_STMT:
            self.check_block(statement, condition)
        elif statement.kind == Kind.LABEL_STMT:
            self.check_statement(statement.children[-1], None, False)
        elif statement.kind == Kind.IF_STMT:
            parts = statement.children
            self.check_statement(parts[1], parts[0], False)
            for other in parts[2:]:
                self.check_statement(other, None, False)
        elif statement.kind == Kind.GOTO_STMT:
            label = statement.children[0].spelling
            self.jumps.setdefault(label, []).append((statement, condition, is_set))
        elif statement.kind == Kind.RETURN_STMT:
            for value in statement.children:
                if is_err_code(value) and not is_set:
                    self.check_return(statement, condition)
        elif statement.is_statement:
            for child in statement.children:
                self.check_statement(child, None, False)

    def check_jumps(self, label):
        for statement, condition, is_set in self.jumps.get(label, ()):
            if not is_set:
                self.check_return(statement, condition)

    def sets_err(self, statement):
        """A call that only puts an error somewhere (its code is not looked at), or both branches
        do; or what was there is overwritten."""
        if statement.kind == Kind.COMPOUND_STMT:
            return any(self.sets_err(child) for child in statement.children)
        if statement.kind == Kind.IF_STMT:
            parts = statement.children[1:]
            return len(parts) == 2 and all(self.sets_err(part) for part in parts)
        part = bare(statement)
        if part.kind == Kind.BINARY_OPERATOR and operator_of(part) == "=":
            left = part.children[0]
            return is_err_code(left) or left.is_err and left.kind == Kind.UNARY_OPERATOR
        return part.kind == Kind.CALL_EXPR and self.uses_err(part)

    def check_return(self, statement, condition):
        if condition is None:
            self.tell(statement, "err->code is returned, and nothing right before it has set it")
            return
        for part in alternatives(condition):
            why = self.why_not_set(part)
            if why:
                self.tell(statement, "err->code is returned " + why)

    def why_not_set(self, part):
        """None when err was set where this is true."""
        part = bare(part)
        nothing = "where `%s`, which says nothing of it" % text_of(part)
        if part.kind == Kind.BINARY_OPERATOR and operator_of(part) in ("&&", "||"):
            reasons = [self.why_not_set(side) for side in part.children]
            known = [reason for reason in reasons if reason]
            if operator_of(part) == "&&" and None in reasons:
                return None
            return known[-1] if known else None
        if part.kind == Kind.BINARY_OPERATOR:
            value, constant = (bare(side) for side in part.children[:2])
            if is_err_code(value):
                return None
            is_failure = constant_of(constant) == "ERR_OK" and operator_of(part) == "!="
            is_null = operator_of(part) == "==" and text_of(part).endswith("NULL")
            return self.why_value_not_set(value, nothing) if is_failure or is_null else nothing
        if part.kind == Kind.UNARY_OPERATOR and text_of(part).startswith("!"):
            return self.why_value_not_set(bare(part.children[0]), nothing)
        return nothing

    def why_value_not_set(self, value, nothing):
        """None when err was set where this is a failure."""
        if variable_of(value):
            sources = self.function.sources.get(variable_of(value), [])
            if value.is_code:
                silent = self.silent_of(value, self.function)
                return "where `%s` can be %s without a word" % (
                    text_of(value), ", ".join(sorted(silent))) if silent else None
            return None if any(bare(source).kind == Kind.CALL_EXPR and self.uses_err(bare(source))
                               for source in sources) else nothing
        calls = value.children[1:] if value.kind == Kind.CONDITIONAL_OPERATOR \
            else [value]
        for call in (bare(call) for call in calls):
            if call.kind != Kind.CALL_EXPR or not self.uses_err(call):
                return nothing
            silent = self.silent_of_call(call) if call.is_code else set()
            if silent:
                return "behind %s(), which gives %s without a word" % (call.spelling,
                                                                     ", ".join(sorted(silent)))
        return None

    def uses_err(self, call):
        """It is given a struct err, or reaches one through what it is given."""
        if any(bare(part).is_err for part in call.children[1:]) or \
                any(cursor_of_err(part) for part in walk(call)):
            return True
        function = self.function_of(call)
        return function is not None and function.has_err

    def function_of(self, call):
        target = call.target
        if target is None or target.kind != Kind.FUNCTION_DECL:
            return None
        return self.functions.get(self.name(target.get_definition() or target)) or \
            self.functions.get(("", target.spelling))

    def tell(self, cursor, what):
        path = os.path.relpath(cursor.path, self.root)
        line = written(cursor.path, 0, cursor.start).count("\n") + 1
        self.found.append("%s:%d: %s" % (path, line, what))


def given_own_err(call):
    """Its struct err is a variable of the caller's own: nobody else sees what is put there."""
    return any(bare(argument).is_err and bare(argument).kind == Kind.UNARY_OPERATOR and
               variable_of(bare(argument).children[0])
               for argument in call.children[1:])


def alternatives(condition):
    condition = bare(condition)
    if condition.kind == Kind.BINARY_OPERATOR and operator_of(condition) == "||":
        return [part for side in condition.children for part in alternatives(side)]
    return [condition]


def text_of(cursor):
    return " ".join(written(cursor.path, cursor.start, cursor.end).split())


def main(arguments):
    root = os.path.abspath(arguments[0]) if arguments else \
        os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    tree = Tree(root)
    for line in tree.check():
        print(line)
    print("check_errors: %d files, %s" % (len(tree.units), "%d violations" % len(tree.found)
                                          if tree.found else "no violation"))
    return 1 if tree.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
