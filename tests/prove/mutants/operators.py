"""The mutants of one C file: what libclang's tree says can be changed, each as an edit of the text.

A place is changed only where the text of the file is what the tree says it is, so what comes out
of the body of a macro is left alone; what is written as an argument of one is not. Assertions are
left alone too: they say what cannot happen, and no test can see one that says less.

The operators, by their usual names (Offutt and others, muJava; Agrawal and others for C):

    ROR  a < b becomes <=, >, >=, == and !=; == and != of enumerations and pointers each the other
    COI  a condition is negated
    COR  a condition is always or never so (a loop's: never); a && b becomes a || b, a, and b
    AOR  + - * / % become two of the others        ASR  += becomes -=, and so on; or just =
    LOR  & | ^ become the others                   SOR  << and >> each the other
    CRP  a constant becomes 0, 1, -1, one more, one less; true and false each the other
    UOI  - is put before a variable that is read, ~ when it has no sign, ! when it is a bool
    UOD  ! - ~ are taken away; ++ and -- become each other
    SDL  a statement is taken away
    RVR  what is returned becomes true, false, 0, one more, NULL
    BCR  break and continue become each other
    ECR  an enumeration's constant becomes its neighbours
    FRR  a function in a table becomes the next one there, and NULL
"""
import bisect
import collections
import ctypes
import re
import sys

try:
    import clang.cindex as cindex
except ImportError:  # Debian's package, when another Python comes first in the PATH
    sys.path.append("/usr/lib/python3/dist-packages")
    import clang.cindex as cindex

Kind = cindex.CursorKind
Type = cindex.TypeKind

# start and end: what is replaced, in bytes of the file; where: the function or table it is in.
Mutant = collections.namedtuple("Mutant", "start end text operator where")

RELATIONAL = ["<", "<=", ">", ">=", "==", "!="]
ARITHMETIC = {"+": "-*", "-": "+/", "*": "/+", "/": "*%", "%": "*/"}
BITWISE = {"&": "|^", "|": "&^", "^": "&|"}
SHIFTS = {"<<": [">>"], ">>": ["<<"]}
ASSIGNMENTS = {"+=": ["-=", "="], "-=": ["+=", "="], "*=": ["/=", "="], "/=": ["*=", "="],
               "%=": ["/=", "="], "|=": ["&=", "="], "&=": ["|=", "="], "^=": ["|=", "="],
               "<<=": [">>=", "="], ">>=": ["<<=", "="]}
SIGNED = {Type.INT, Type.LONG, Type.LONGLONG, Type.INT128, Type.SHORT, Type.SCHAR, Type.CHAR_S}
UNSIGNED = {Type.UINT, Type.ULONG, Type.ULONGLONG, Type.UINT128, Type.USHORT, Type.UCHAR,
            Type.CHAR_U}
LOOPS = {Kind.FOR_STMT, Kind.WHILE_STMT, Kind.DO_STMT}
STATEMENTS = {Kind.IF_STMT, Kind.BREAK_STMT, Kind.CONTINUE_STMT, Kind.RETURN_STMT, Kind.CALL_EXPR,
              Kind.BINARY_OPERATOR, Kind.UNARY_OPERATOR, Kind.SWITCH_STMT, Kind.PAREN_EXPR,
              Kind.COMPOUND_ASSIGNMENT_OPERATOR} | LOOPS
COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.S)


def offset_of(location):
    """Where in the file something is written, arguments of macros too: (file name, offset)."""
    function = cindex.conf.lib.clang_getFileLocation
    file = cindex.c_object_p()
    line, column, offset = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
    function.argtypes = [cindex.SourceLocation, ctypes.POINTER(cindex.c_object_p)] + \
        [ctypes.POINTER(ctypes.c_uint)] * 3
    function.restype = None
    function(location, ctypes.byref(file), ctypes.byref(line), ctypes.byref(column),
             ctypes.byref(offset))
    return (cindex.File(file).name if file else None), offset.value


class Operators:
    def __init__(self, path, arguments):
        self.path = path
        with open(path, "rb") as file:
            self.text = file.read()
        options = cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD
        self.unit = cindex.Index.create().parse(path, arguments, options=options)
        errors = [str(d) for d in self.unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
        if errors:
            raise SystemExit("mutants: libclang does not read %s:\n%s" % (path, "\n".join(errors)))
        self.assertions = []
        self.macros = set()
        self.found = {}
        self.where = ""

    def all(self):
        declarations = []
        for cursor in self.unit.cursor.get_children():
            if cursor.kind == Kind.MACRO_INSTANTIATION:
                place = self.place(cursor)
                self.macros.add(place)
                if place and cursor.spelling == "assert":
                    self.assertions.append(place)
            elif not cursor.kind.is_preprocessing() and self.place(cursor):
                declarations.append(cursor)
        self.assertions.sort()
        for cursor in declarations:
            self.where = cursor.spelling or "enum"
            if cursor.kind in (Kind.FUNCTION_DECL, Kind.VAR_DECL, Kind.ENUM_DECL):
                for child in cursor.get_children():
                    self.visit(child, cursor, None, cursor)
        return sorted(self.found.values())

    # --- text ---

    def place(self, cursor):
        """(start, end) of what the cursor stands for, None when that is not in this file."""
        (name, start), (end_name, end) = (offset_of(cursor.extent.start),
                                          offset_of(cursor.extent.end))
        return (start, end) if name == end_name == self.path and start < end else None

    def text_of(self, cursor):
        place = self.place(cursor)
        return self.text[place[0]:place[1]].decode() if place else ""

    def add(self, operator, start, end, text):
        i = bisect.bisect_right(self.assertions, (start, sys.maxsize))
        if i > 0 and start < self.assertions[i - 1][1]:
            return
        if operator in ("COI", "COR") and (start, end) in self.macros:
            return  # a condition in its body
        if self.text[start:end].decode() != text:
            self.found.setdefault((start, end, text), Mutant(start, end, text, operator, self.where))

    def replace(self, operator, cursor, *texts):
        place = self.place(cursor)
        if place:
            for text in texts:
                self.add(operator, place[0], place[1], text)

    def between(self, left, right):
        """The operator between two operands: (start, end, text)."""
        a, b = self.place(left), self.place(right)
        if not a or not b or a[1] > b[0]:
            return None
        gap = COMMENT.sub(lambda found: b" " * len(found.group()), self.text[a[1]:b[0]])
        if len(gap.split()) != 1:
            return None
        start = a[1] + len(gap) - len(gap.lstrip())
        return start, start + len(gap.strip()), gap.strip().decode()

    # --- the tree ---

    def visit(self, cursor, parent, breaks, function):
        """`breaks`: the loop or switch that a break would leave."""
        kind = cursor.kind
        if kind == Kind.CASE_STMT:  # its constant would stand there twice
            children = list(cursor.get_children())
            self.statement(children[-1])
            self.visit(children[-1], cursor, breaks, function)
            return
        handler = {Kind.BINARY_OPERATOR: self.binary, Kind.UNARY_OPERATOR: self.unary,
                   Kind.COMPOUND_ASSIGNMENT_OPERATOR: self.compound_assignment,
                   Kind.INTEGER_LITERAL: self.constant, Kind.CHARACTER_LITERAL: self.constant,
                   Kind.CONDITIONAL_OPERATOR: self.condition, Kind.IF_STMT: self.condition,
                   Kind.FOR_STMT: self.condition, Kind.WHILE_STMT: self.condition,
                   Kind.DO_STMT: self.condition, Kind.RETURN_STMT: self.returned,
                   Kind.COMPOUND_STMT: self.statements}.get(kind)
        if handler == self.returned:
            self.returned(cursor, function)
        elif handler == self.statements:
            self.statements(cursor, parent, function)
        elif handler:
            handler(cursor)
        if kind in (Kind.BREAK_STMT, Kind.CONTINUE_STMT) and breaks is not None and \
                breaks.kind in LOOPS:
            self.replace("BCR", cursor, "continue" if kind == Kind.BREAK_STMT else "break")
        if kind in (Kind.DECL_REF_EXPR, Kind.MEMBER_REF_EXPR, Kind.ARRAY_SUBSCRIPT_EXPR):
            self.reference(cursor, parent)
        inner = cursor if kind in LOOPS or kind == Kind.SWITCH_STMT else breaks
        for child in cursor.get_children():
            self.visit(child, cursor, inner, function)

    def kind_of(self, cursor):
        """bool, enum, pointer, signed, unsigned or None, past implicit conversions."""
        while cursor.kind in (Kind.UNEXPOSED_EXPR, Kind.PAREN_EXPR):
            children = list(cursor.get_children())
            if len(children) != 1:
                break
            cursor = children[0]
        if cursor.kind == Kind.DECL_REF_EXPR and cursor.referenced is not None and \
                cursor.referenced.kind == Kind.ENUM_CONSTANT_DECL:
            return "enum" if cursor.referenced.semantic_parent.type.spelling.find("(") < 0 \
                else "signed"
        kind = cursor.type.get_canonical().kind
        return {Type.BOOL: "bool", Type.ENUM: "enum", Type.POINTER: "pointer"}.get(
            kind, "signed" if kind in SIGNED else "unsigned" if kind in UNSIGNED else None)

    def binary(self, cursor):
        left, right = list(cursor.get_children())
        found = self.between(left, right)
        if found is None:
            return
        start, end, operator = found
        if operator in ("&&", "||"):
            self.add("COR", start, end, "||" if operator == "&&" else "&&")
            for operand in (left, right):
                self.negate(operand)
                self.replace("COR", cursor, "(%s)" % self.text_of(operand))
        elif operator in RELATIONAL:
            kinds = {self.kind_of(left), self.kind_of(right)}
            if kinds & {"enum", "pointer", "bool"} and operator in ("==", "!="):
                self.add("ROR", start, end, "!=" if operator == "==" else "==")
            else:
                for other in RELATIONAL:
                    self.add("ROR", start, end, other)
        for name, table in (("AOR", ARITHMETIC), ("LOR", BITWISE), ("SOR", SHIFTS)):
            for other in table.get(operator, ()):
                self.add(name, start, end, other)

    def compound_assignment(self, cursor):
        found = self.between(*cursor.get_children())
        for other in ASSIGNMENTS.get(found[2], ()) if found else ():
            self.add("ASR", found[0], found[1], other)

    def unary(self, cursor):
        place, operand = self.place(cursor), next(cursor.get_children())
        inner = self.place(operand)
        if not place or not inner:
            return
        before = self.text[place[0]:inner[0]].decode().strip()
        after = self.text[inner[1]:place[1]].decode().strip()
        if before in ("!", "-", "~") and not after:
            self.replace("UOD", cursor, self.text_of(operand))
        for sign, other in (("++", "--"), ("--", "++")):
            if before == sign:
                self.add("UOD", place[0], place[0] + 2, other)
            elif after == sign:
                self.add("UOD", place[1] - 2, place[1], other)

    def constant(self, cursor):
        text = self.text_of(cursor)
        if text in ("true", "false"):
            self.replace("CRP", cursor, "false" if text == "true" else "true")
        elif re.fullmatch(r"[A-Z][A-Z0-9_]+", text):  # a macro
            self.replace("CRP", cursor, "0", "(%s - 1)" % text)
        elif re.fullmatch(r"\d+|0x[0-9a-f]+", text):
            value = int(text, 0)
            self.replace("CRP", cursor, *(str(v) if v >= 0 else "(%d)" % v for v in sorted(
                {0, 1, -1, value + 1, value - 1} - {value})))
        elif re.fullmatch(r"'[^'\\]'", text):
            self.replace("CRP", cursor, "(%s + 1)" % text, "(%s - 1)" % text)

    def negate(self, condition):
        text = self.text_of(condition)
        if text:
            self.replace("COI", condition, "!(%s)" % text)

    def condition(self, cursor):
        children = list(cursor.get_children())
        if cursor.kind == Kind.FOR_STMT:
            # Absent parts are no children; what compares or is a bool between ; and ; is it.
            head = [c for c in children[:-1] if self.is_condition_of_for(cursor, c)]
            condition = head[0] if head else None
        elif cursor.kind == Kind.DO_STMT:
            condition = children[1]
        else:
            condition = children[0]
        if condition is None or self.kind_of(condition) is None:
            return
        self.negate(condition)
        self.replace("COR", condition, "false")
        if cursor.kind in (Kind.IF_STMT, Kind.CONDITIONAL_OPERATOR):
            self.replace("COR", condition, "true")

    def is_condition_of_for(self, loop, part):
        a, b = self.place(loop), self.place(part)
        if not a or not b:
            return False
        return COMMENT.sub(b"", self.text[a[0]:b[0]]).count(b";") == 1

    def returned(self, cursor, function):
        children = list(cursor.get_children())
        if not children:
            return
        value = children[0]
        kind = self.kind_of(value)
        result = function.result_type.get_canonical().kind
        if result == Type.BOOL:
            self.replace("RVR", value, "true", "false")
        elif result == Type.POINTER:
            self.replace("RVR", value, "NULL")
        elif kind in ("signed", "unsigned"):
            self.replace("RVR", value, "0", "(%s) + 1" % self.text_of(value))

    def reference(self, cursor, parent):
        text = self.text_of(cursor)
        target = cursor.referenced
        if target is not None and target.kind == Kind.ENUM_CONSTANT_DECL:
            if text == target.spelling and not self.is_designator(cursor):
                self.replace("ECR", cursor, *self.neighbours(target))
            return
        if target is not None and target.kind == Kind.FUNCTION_DECL:
            if self.where and text == target.spelling and parent.kind in (
                    Kind.INIT_LIST_EXPR, Kind.UNEXPOSED_EXPR) and self.is_in_table(cursor):
                self.replace("FRR", cursor, "NULL", self.next_in_table(cursor))
            return
        # Only what is read has a conversion around it, of the same extent.
        if parent.kind != Kind.UNEXPOSED_EXPR or self.place(parent) != self.place(cursor) or \
                not text or not self.is_name(text):
            return
        kind = self.kind_of(cursor)
        if kind == "bool":
            self.replace("UOI", cursor, "!%s" % text)
        elif kind in ("signed", "unsigned"):
            self.replace("UOI", cursor, ("(-%s)" if kind == "signed" else "(~%s)") % text)

    def is_name(self, text):
        """Not what a macro stands for."""
        return not re.fullmatch(r"[A-Z][A-Z0-9_]+|.*\bs?u?int\d*_t\b.*", text)

    def is_designator(self, cursor):
        start, end = self.place(cursor)
        return self.text[start - 1:start] == b"[" and \
            re.match(rb"\]\s*[=\[.]", self.text[end:]) is not None

    @staticmethod
    def neighbours(constant):
        names = [c.spelling for c in constant.semantic_parent.get_children()
                 if c.kind == Kind.ENUM_CONSTANT_DECL and not c.spelling.endswith("_COUNT")]
        if constant.spelling not in names:
            return []
        i = names.index(constant.spelling)
        return sorted({names[i - 1], names[(i + 1) % len(names)]} - {constant.spelling})

    # --- tables of functions ---

    def is_in_table(self, cursor):
        return re.match(rb"\s*[,}]", self.text[self.place(cursor)[1]:]) is not None

    def next_in_table(self, cursor):
        """The next other function that stands behind a `=` in what follows, else in all."""
        start, end = self.place(cursor)
        own = self.text[start:end].decode()
        names = re.findall(r"\] = (\w+)[,}]", self.text[end:].decode()) + \
            re.findall(r"\] = (\w+)[,}]", self.text.decode())
        return next((name for name in names if name != own), "NULL")

    # --- statements ---

    def statements(self, cursor, parent, function):
        children = list(cursor.get_children())
        for i, child in enumerate(children):
            if child.kind == Kind.RETURN_STMT and parent == function and i + 1 == len(children):
                continue  # without it nothing is returned at all
            self.statement(child)

    def statement(self, cursor):
        place = self.place(cursor)
        if not place or cursor.kind not in STATEMENTS:
            return
        if self.text[place[0]:place[1]].startswith(b"(void)"):
            return
        compound = self.text[place[0]:place[1]].endswith(b"}")
        self.add("SDL", place[0], place[1], "{}" if compound else "(void)0")
