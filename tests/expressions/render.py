#!/usr/bin/env python3
"""Bodies of random rows: the same bytes whatever came before, and the numbers in them are, digit by
digit, those that the same expression gives as text.

usage: render.py EVALUATE [--count N] [--seed N]

Each field is there twice, alone (its type is kept) and in a text. Without --seed a new one is taken;
it is printed."""
import argparse
import json
import random
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from differential import cell, to_json
from model import Failure, Number, evaluate

FIELDS = {
    "as_it_is": ("column", "a"),
    "sum": ("+", ("column", "a"), ("column", "b")),
    "difference": ("-", ("column", "a"), ("literal", Number("0.10"))),
    "product": ("*", ("column", "quantity"), ("column", "price")),
    "rounded": ("filter", "round", ("column", "b"), [("literal", Number("2"))]),
    "share": ("quotient", ("*", ("column", "price"), ("literal", Number("100"))), ("column", "total"), 2,
              "half_even"),
    "total": ("filter", "sum", ("column", "amounts"), []),
    "least": ("filter", "min", ("column", "amounts"), []),
}
SOURCES = {
    "as_it_is": "row.a",
    "sum": "row.a + row.b",
    "difference": "row.a - 0.10",
    "product": "row.quantity * row.price",
    "rounded": "row.b | round(2)",
    "share": 'row.price * 100 / row.total | round(2, "half_even")',
    "total": "row.amounts | sum",
    "least": "row.amounts | min",
}


def body():
    lines = ["alone:"]
    lines += [f"  {name}: ${{{text}}}" for name, text in SOURCES.items()]
    lines += ["in_text:"]
    lines += [f"  {name}: '=${{{text}}}'" for name, text in SOURCES.items()]
    lines += ["note: ${row.note}", "lines:", "  $for: amount in row.amounts", "  $do:",
              "    amount: ${amount}", "    twice: ${amount + amount}"]
    return "\n".join(lines) + "\n"


def make_row(rng):
    def money():
        return Number(f"{rng.choice(('', '-'))}{rng.randrange(10**rng.randint(1, 7))}.{rng.randrange(100):02d}")

    row = {
        "a": cell(rng), "b": money(), "quantity": Number(str(rng.randint(1, 500))), "price": money(),
        "total": Number(f"{rng.randint(1, 10**6)}.{rng.randrange(1000):03d}"),
        "amounts": [money() for _ in range(rng.randint(0, 4))],
        "note": "".join(rng.choice('aäß"\\\u2028\n\t☂😀\x7f') for _ in range(rng.randint(0, 8))),
    }
    for name in rng.sample(sorted(row), rng.choice((0, 0, 1))):
        if name in ("amounts", "note"):
            del row[name]
    return row


def exact(text):
    return json.loads(text, parse_float=Number, parse_int=Number)


def check(row, line):
    """What is wrong with a rendered row; None = nothing."""
    wanted = {}
    try:
        for name, tree in FIELDS.items():
            wanted[name] = evaluate(tree, row)
    except Failure:
        return None if line.startswith("! ") else "should be an error"
    if line.startswith("! "):
        return "is an error"
    found = exact(line)
    by_worth = json.loads(line, parse_float=Decimal, parse_int=Decimal)
    for name, value in wanted.items():
        alone, text = found["alone"].get(name), found["in_text"][name]
        if alone != value or text != "=" + (value or ""):
            return f"{name} is {alone} and {text}, not {value}"
        if value is not None and by_worth["alone"][name] != Decimal(text[1:]):
            return f"{name}: {by_worth['alone'][name]} is not {text}"
    if found.get("note") != row.get("note"):
        return f"note is {found.get('note')!r}"
    amounts = [entry["amount"] for entry in found.get("lines", [])]
    return None if amounts == row.get("amounts", []) else "lines are others"


def render(program, path, rows):
    text = "".join(to_json(row) + "\n" for row in rows)
    run = subprocess.run([program, path], input=text.encode(), stdout=subprocess.PIPE, check=True)
    lines = run.stdout.decode().split("\n")[:-1]
    assert len(lines) == len(rows), (len(lines), len(rows))
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    rows = [make_row(rng) for _ in range(options.count)]
    order = list(range(len(rows)))
    rng.shuffle(order)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "body.yaml")
        path.write_text(body())
        lines = render(options.program, path, rows)
        again = render(options.program, path, [rows[i] for i in order])
    problems = [(row, line, check(row, line)) for row, line in zip(rows, lines)]
    problems += [(rows[i], line, "is another in another order")
                 for i, line in zip(order, again) if lines[i] != line]
    wrong = [problem for problem in problems if problem[2] is not None]
    for row, line, what in wrong[:10]:
        print(f"{what}\n  row {to_json(row)}\n  body {line}")
    errors = sum(line.startswith("! ") for line in lines)
    print(f"seed {options.seed}: {len(rows)} rows, {errors} of them errors, {len(wrong)} wrong")
    return 1 if wrong or errors > len(rows) // 2 else 0


if __name__ == "__main__":
    sys.exit(main())
