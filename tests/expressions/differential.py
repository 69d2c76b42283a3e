#!/usr/bin/env python3
"""Random expressions, evaluated by purser and by Python (model.py): each value must be the same to the
last digit, each error an error of the same sort.

usage: differential.py EVALUATE [--count N] [--seed N]

All are evaluated twice, the second time in another order: what came before must not matter. Without
--seed a new one is taken; it is printed."""
import argparse
import json
import random
import subprocess
import sys
from collections import Counter

from model import NULL, Failure, Number, ROUNDINGS, evaluate, source

TEXTS = ("", "a", "it's", 'say "x"', "b\\c", "größe", "12.50", " 7 ", "+3", "no", "2026-01-31")
LAYOUTS = ("%d.%m.%Y", "%m/%d/%y", "%Y%m%d", "%d %b %Y")
TIMES = ("%H:%M:%S", "%I:%M %p", "100%%")


def numeral(rng):
    """A number as JSON writes it: mostly like money, now and then at the edge of what fits."""
    kind = rng.random()
    if kind < 0.5:
        digits, places = rng.randint(1, 6), rng.choice((0, 0, 1, 2, 2, 3))
    elif kind < 0.8:
        digits, places = rng.randint(1, 20), rng.randint(0, 12)
    else:
        digits, places = rng.randint(1, 40), rng.randint(0, 40)
    whole = str(rng.randrange(10**digits)) if rng.random() < 0.9 else "0"
    text = ("-" if rng.random() < 0.25 else "") + whole
    if places > 0:
        text += "." + str(rng.randrange(10**places)).rjust(places, "0")
    if rng.random() < 0.1:
        text += f"{rng.choice('eE')}{rng.choice(('', '+', '-'))}{rng.choice((0, 1, 2, 5, 20, 38))}"
    return Number(text)


def moment(rng):
    # Python has no year 0, so nothing may come near it.
    text = f"{rng.choice((500, 1970, 2024, 2026, 9999, rng.randint(500, 9999))):04d}"
    text += f"-{rng.randint(1, 12):02d}-{rng.choice((1, 28, 29, 30, 31, rng.randint(1, 28))):02d}"
    if rng.random() < 0.5:
        zone = rng.choice(("Z", f"{rng.choice('+-')}{rng.randint(0, 14):02d}:{rng.choice('0134')}0"))
        text += f"T{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}{zone}"
    return text


class Maker:
    """Trees, mostly of kinds that fit together."""

    def __init__(self, rng):
        self.rng = rng
        self.entries_known = []  # names of x => …, innermost last

    def each(self, depth, entries):
        """map or where over numbers."""
        name = "xyz"[len(self.entries_known)]
        self.entries_known.append(name)
        kind = self.rng.choice(("map", "where"))
        body = (self.number if kind == "map" else self.truth)(depth - 1)
        self.entries_known.pop()
        return ("each", kind, entries, name, body)

    def whole(self, least, greatest):
        return ("literal", Number(str(self.rng.randint(least, greatest))))

    def choice(self, depth, *makers):
        if self.rng.random() < 0.02:
            makers = (self.number, self.text, self.truth, self.entries, self.nothing)
        return self.rng.choice(makers)(depth - 1)

    def nothing(self, _):
        return self.rng.choice((("literal", None), ("literal", NULL), ("column", "none")))

    def any_of(self, depth):
        return self.choice(depth, *[self.number] * 6, self.text, self.truth, self.entries)

    def either(self, depth, maker):
        rng = self.rng
        return rng.choice((
            lambda: ("if", self.truth(depth), maker(depth), maker(depth)),
            lambda: ("??", rng.choice((self.nothing, maker))(depth), maker(depth)),
            lambda: ("filter", "default", rng.choice((self.nothing, maker))(depth), [maker(depth)]),
        ))()

    def number(self, depth):
        rng = self.rng
        if depth <= 0 and self.entries_known and rng.random() < 0.6:
            return ("entry", rng.choice(self.entries_known))
        if depth <= 0:
            return rng.choice((("literal", numeral(rng)), ("column", rng.choice("abc"))))
        return rng.choice((
            lambda: (rng.choice("+-*"), self.choice(depth, self.number), self.choice(depth, self.number)),
            lambda: (rng.choice("+-*"), self.number(depth - 1), self.number(depth - 1)),
            lambda: ("minus", self.choice(depth, self.number)),
            lambda: ("quotient", self.choice(depth, self.number), self.choice(depth, self.number),
                     rng.choice((0, 1, 2, 2, 4, 10, 30)), rng.choice(list(ROUNDINGS))),
            lambda: ("filter", "round", self.choice(depth, self.number),
                     [self.whole(0, 6)] + rng.choice(([], [("literal", rng.choice(list(ROUNDINGS)))]))),
            lambda: self.half_way(),
            lambda: ("filter", rng.choice(("abs", "integer")), self.choice(depth, self.number), []),
            lambda: ("filter", "number", self.choice(depth, self.text, self.number), []),
            lambda: ("filter", rng.choice(("sum", "min", "max", "first", "last")),
                     self.choice(depth, self.numbers), []),
            lambda: ("index", self.choice(depth, self.numbers), self.choice(depth, lambda _: self.whole(0, 5))),
            lambda: ("filter", "length", self.choice(depth, self.text, self.entries), []),
            lambda: ("filter", "timestamp", self.choice(depth, self.date), []),
            lambda: self.either(depth - 1, self.number),
        ))()

    def half_way(self):
        """Rounding where only the rule can tell: the rest is exactly a half."""
        rng = self.rng
        places, rounding = rng.randint(0, 4), rng.choice(list(ROUNDINGS))
        whole = Number(f"{rng.choice(('', '-'))}{rng.randrange(10**rng.randint(1, 9))}")
        digits = str(rng.randrange(10**places)).rjust(places, "0") if places else ""
        if rng.random() < 0.5:
            return ("filter", "round", ("literal", Number(f"{whole}.{digits}5")),
                    [("literal", Number(str(places))), ("literal", rounding)])
        return ("quotient", ("literal", whole), ("literal", Number(rng.choice(("2", "20", "0.4", "-8")))),
                rng.randint(0, 2), rounding)

    def date(self, depth):
        rng = self.rng
        if depth <= 0:
            return rng.choice((("literal", moment(rng)), ("column", "date")))
        return rng.choice((
            lambda: ("filter", "add_days", self.date(depth - 1), [self.whole(-5000, 5000)]),
            lambda: ("filter", "add_months", self.date(depth - 1), [self.whole(-200, 200)]),
            lambda: ("filter", "date", self.date(depth - 1), []),
            lambda: self.either(depth - 1, self.date),
        ))()

    def layout(self):
        return ("literal", self.rng.choice(LAYOUTS))

    def text(self, depth):
        rng = self.rng
        if depth <= 0:
            return rng.choice((("literal", rng.choice(TEXTS)), ("column", "text")))
        return rng.choice((
            lambda: ("filter", rng.choice(("trim", "lower", "upper", "string")),
                     self.choice(depth, self.text, self.number), []),
            lambda: ("filter", "replace", self.text(depth - 1),
                     [("literal", rng.choice("a e . 1".split())), self.text(depth - 1)]),
            lambda: ("filter", "truncate", self.text(depth - 1), [self.whole(0, 6)]),
            lambda: ("filter", "pad", self.choice(depth, self.text, self.number),
                     [self.whole(0, 12), ("literal", rng.choice("0 xö"))]),
            lambda: ("filter", "join", self.choice(depth, self.entries), [("literal", rng.choice(("", ", ")))]),
            lambda: ("filter", "format_date", self.date(depth - 1),
                     [("literal", rng.choice(LAYOUTS) + rng.choice(("", " ")) + rng.choice(TIMES))]),
            lambda: self.back_and_forth(depth),
            lambda: self.either(depth - 1, self.text),
            lambda: self.date(depth - 1),
        ))()

    def back_and_forth(self, depth):
        layout = self.layout()
        written = ("filter", "format_date", self.date(depth - 1), [layout])
        return ("filter", "date", written, [layout if self.rng.random() < 0.9 else self.layout()])

    def truth(self, depth):
        rng = self.rng
        if depth <= 0:
            return rng.choice((("literal", True), ("literal", False), ("column", "flag")))
        comparison = rng.choice(("==", "!=", "<", "<=", ">", ">="))
        return rng.choice((
            lambda: (comparison, self.choice(depth, self.number), self.choice(depth, self.number)),
            lambda: (comparison, self.choice(depth, self.text), self.choice(depth, self.text)),
            lambda: (rng.choice(("==", "!=")), self.any_of(depth), self.any_of(depth)),
            lambda: (rng.choice(("and", "or")), self.choice(depth, self.truth), self.choice(depth, self.truth)),
            lambda: ("not", self.choice(depth, self.truth)),
            lambda: ("filter", rng.choice(("starts_with", "ends_with", "contains")),
                     self.choice(depth, self.text, self.number), [self.choice(depth, self.text)]),
            lambda: ("filter", "contains", self.numbers(depth - 1), [self.choice(depth, self.number)]),
            lambda: self.either(depth - 1, self.truth),
        ))()

    def numbers(self, depth):
        if depth > 0 and len(self.entries_known) < 3 and self.rng.random() < 0.4:
            return self.each(depth, self.numbers(depth - 1))
        return self.rng.choice((
            lambda: ("column", "numbers"),
            lambda: ("filter", self.rng.choice(("sort", "unique")), ("column", "numbers"), []),
        ))()

    def entries(self, depth):
        rng = self.rng
        return rng.choice((
            lambda: ("column", rng.choice(("numbers", "texts", "mixed"))),
            lambda: self.numbers(depth),
            lambda: ("filter", rng.choice(("sort", "unique")), ("column", rng.choice(("texts", "mixed"))), []),
            lambda: ("filter", "split", self.text(depth - 1), [("literal", rng.choice((".", "a", ", ")))]),
        ))()


def cell(rng):
    """A number that a row can hold: whole ones have 64 bits, and no -0."""
    while True:
        number = numeral(rng)
        if number == "-0":
            continue
        if "." in number or "e" in number.lower() or abs(int(number)) < 2**63:
            return number


def make_row(rng):
    numbers = [cell(rng) for _ in range(rng.randint(0, 5))]
    return {
        "a": cell(rng), "b": cell(rng), "c": cell(rng), "flag": rng.random() < 0.5,
        "text": rng.choice(TEXTS), "date": moment(rng), "numbers": numbers,
        "texts": [rng.choice(TEXTS) for _ in range(rng.randint(0, 5))],
        "mixed": [*numbers[:2], rng.choice((NULL, "x", True, Number("5")))],
    }


def to_json(value):
    """JSON text in which numbers stand as they are written; what is missing in a list is left out."""
    if isinstance(value, Number):
        return str(value)
    if value is NULL:
        return "null"
    if isinstance(value, list):
        return "[" + ",".join(to_json(entry) for entry in value if entry is not None) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{to_json(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def expected(tree, row):
    try:
        value = evaluate(tree, row)
    except Failure as failure:
        return ("error", failure.args[0])
    return ("omit",) if value is None else ("value", json.loads(to_json(value), parse_int=Number,
                                                                parse_float=Number))


def answered(line):
    if line.startswith("! "):
        sort = "overflow" if "38 digits" in line else "zero" if "divides by zero" in line else "kind"
        return ("error", sort)
    if line == "omit":
        return ("omit",)
    if "[expr.arguments]" in line:  # wrong ones that are written out are found before a row is
        return ("error", "kind")
    if line.startswith("? "):
        return ("refused", line)
    return ("value", json.loads(line, parse_int=Number, parse_float=Number))


def ask(program, questions):
    run = subprocess.run([program], input="".join(questions).encode(), stdout=subprocess.PIPE, check=True)
    lines = run.stdout.decode().split("\n")[:-1]
    assert len(lines) == len(questions), (len(lines), len(questions))
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    cases = []
    for _ in range(options.count):
        row, tree = make_row(rng), Maker(rng).any_of(rng.randint(1, 5))
        text = source(tree, rng)
        cases.append((tree, row, text, f'{{"row":{to_json(row)},"expression":{json.dumps(text)}}}\n'))
    lines = ask(options.program, [case[3] for case in cases])
    order = list(range(len(cases)))
    rng.shuffle(order)
    again = ask(options.program, [cases[i][3] for i in order])
    wrong = sum(lines[i] != line for i, line in zip(order, again))
    if wrong > 0:
        print(f"seed {options.seed}: {wrong} values are others in another order")
    counts = Counter()
    for (tree, row, text, _), line in zip(cases, lines):
        wanted, found = expected(tree, row), answered(line)
        counts["error " + wanted[1] if wanted[0] == "error" else wanted[0]] += 1
        if wanted != found:
            wrong += 1
            if wrong < 10:
                print(f"{text}\n  row {to_json(row)}\n  purser {line}\n  python {wanted}")
    print(f"seed {options.seed}: {len(cases)} expressions, {wrong} wrong; "
          + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return 1 if wrong > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
