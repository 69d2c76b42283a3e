"""What expressions mean, in Python: the decimal module, datetime and sorted() instead of purser's own.

An expression is a tuple (kind, …); evaluate() gives its value, source() its text. Values: None is what
is missing, NULL is null; numbers are Number, which keep how they are written."""
import calendar
import datetime
import decimal
import re
from decimal import Decimal

decimal.getcontext().prec = 2000

LARGEST = 2**127 - 1
SCALE_MAX = 38
ROUND_EXPONENT_MAX = 400
ROUNDINGS = {
    "half_up": decimal.ROUND_HALF_UP,
    "half_even": decimal.ROUND_HALF_EVEN,
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
    "floor": decimal.ROUND_FLOOR,
    "ceiling": decimal.ROUND_CEILING,
}


class Null:
    def __repr__(self):
        return "null"


NULL = Null()


class Number(str):
    """A JSON number; equal to another by its text. `worth` is what it is worth."""

    @property
    def worth(self):
        return Decimal(str(self))


class Failure(Exception):
    """An error of evaluation: "overflow", "zero" (division by) or "kind" (all others)."""


def plain(worth, places):
    """A number with so many digits behind the point; zero has no sign."""
    text = format(worth.quantize(Decimal(1).scaleb(-places)), "f")
    return Number(text[1:] if worth == 0 and text[0] == "-" else text)


def units_and_scale(number):
    """Arithmetic is on whole units of 10^-scale, which must fit into 128 bits."""
    sign, digits, exponent = number.worth.as_tuple()
    units, scale = int("".join(map(str, digits))), -exponent
    if units > LARGEST:
        raise Failure("overflow")
    if units == 0 and not 0 <= scale <= SCALE_MAX:
        scale = 0
    while scale < 0:
        units, scale = units * 10, scale + 1
        if units > LARGEST:
            raise Failure("overflow")
    while scale > SCALE_MAX and units % 10 == 0:
        units, scale = units // 10, scale - 1
    if scale > SCALE_MAX:
        raise Failure("overflow")
    return (-units if sign else units), scale


def raised(units, by):
    units *= 10**by
    if abs(units) > LARGEST:
        raise Failure("overflow")
    return units


def calculate(symbol, left, right):
    (x, x_scale), (y, y_scale) = units_and_scale(left), units_and_scale(right)
    scale = max(x_scale, y_scale)
    if symbol == "*":
        units = x * y
        places = x_scale + y_scale
        while places > scale and units % 10 == 0 and abs(x * y) <= LARGEST + 1:
            units, places = units // 10, places - 1
        worth = left.worth * right.worth
        if not -LARGEST - 1 <= x * y <= LARGEST:
            raise Failure("overflow")
        return plain(worth, places)
    raised(x, scale - x_scale), raised(y, scale - y_scale)
    worth = left.worth + right.worth if symbol == "+" else left.worth - right.worth
    if not -LARGEST - 1 <= worth.scaleb(scale) <= LARGEST:
        raise Failure("overflow")
    return plain(worth, scale)


def divide(left, right, places, rounding):
    units_and_scale(left), units_and_scale(right)
    if right.worth == 0:
        raise Failure("zero")
    # 2,000 digits: none of our quotients has a half that far behind.
    quotient = (left.worth / right.worth).quantize(Decimal(1).scaleb(-places), ROUNDINGS[rounding])
    if abs(quotient.scaleb(places)) > LARGEST:
        raise Failure("overflow")
    return plain(quotient, places)


def round_number(number, places, rounding):
    text = number.lower()
    if "e" in text and abs(int(text.split("e")[1])) > ROUND_EXPONENT_MAX:
        raise Failure("kind")
    return plain(number.worth.quantize(Decimal(1).scaleb(-places), ROUNDINGS[rounding]), places)


def is_missing(value):
    return value is None or value is NULL


def truth(value):
    if is_missing(value):
        return False
    if isinstance(value, bool):
        return value
    raise Failure("kind")


def as_number(value):
    if not isinstance(value, Number):
        raise Failure("kind")
    return value


def as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    raise Failure("kind")


def order_key(value):
    return value.worth if isinstance(value, Number) else value.encode()


def compare(symbol, left, right):
    equality = symbol in ("==", "!=")
    if is_missing(left) or is_missing(right):
        if not equality:
            raise Failure("kind")
        return (is_missing(left) and is_missing(right)) == (symbol == "==")
    if isinstance(left, bool) and isinstance(right, bool) and equality:
        return (left == right) == (symbol == "==")
    if type(left) is not type(right) or type(left) not in (str, Number):
        raise Failure("kind")
    a, b = order_key(left), order_key(right)
    return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[symbol]


# -- filters: (input, arguments) → value ------------------------------------------------------


def total(entries):
    sum_ = Number("0")
    for entry in entries:
        sum_ = calculate("+", sum_, as_number(entry))
    return sum_


def comparable(entries):
    if any(type(entry) is not type(entries[0]) or type(entry) not in (str, Number)
           for entry in entries):
        raise Failure("kind")
    return entries


def extreme(entries, choose):
    return choose(comparable(entries), key=order_key) if entries else None


def unique(entries):
    seen, kept = set(), []
    for entry in comparable(entries):
        if order_key(entry) not in seen:
            kept.append(entry)
        seen.add(order_key(entry))
    return kept


def contains(value, wanted):
    if not isinstance(value, list):
        return as_text(wanted) in as_text(value)
    if is_missing(wanted) or isinstance(wanted, list):
        raise Failure("kind")
    present = [entry for entry in value if not is_missing(entry)]
    if any(type(entry) is type(wanted) and compare("==", entry, wanted) for entry in present):
        return True
    if any(type(entry) is not type(wanted) for entry in present):
        raise Failure("kind")
    return False


def number_of(value):
    if isinstance(value, Number):
        return value
    if type(value) is not str:
        raise Failure("kind")
    found = re.fullmatch(r"([+-]?)0*([0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?", value.strip(" \t\r\n"))
    if found is None or not any(digit in value.lower().split("e")[0] for digit in "0123456789"):
        raise Failure("kind")
    sign, whole, fraction, exponent = found.groups(default="")
    return Number(sign.strip("+") + (whole or "0") + fraction.rstrip("." if fraction == "." else "")
                  + exponent)


def integer_of(value):
    number = round_number(number_of(value), 0, "down")
    if number.worth != number_of(value).worth:
        raise Failure("kind")
    return number


def moment_of(text):
    """A naive datetime, whether it has a time, and its zone as text."""
    zone = ""
    if len(text) == 10:
        return datetime.datetime.strptime(text, "%Y-%m-%d"), False, zone
    if text.endswith("Z"):
        text, zone = text[:-1], "Z"
    elif text[-6] in "+-":
        text, zone = text[:-6], text[-6:]
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S"), True, zone


def give_moment(moment, has_time, zone):
    date = f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}"
    return date + f"T{moment:%H:%M:%S}{zone or 'Z'}" if has_time else date


def dated(text):
    try:
        return moment_of(as_text(text))
    except (ValueError, IndexError):
        raise Failure("kind") from None


def add_days(text, days):
    moment, has_time, zone = dated(text)
    try:
        return give_moment(moment + datetime.timedelta(days=int(days)), has_time, zone)
    except OverflowError:
        raise Failure("kind") from None


def add_months(text, months):
    moment, has_time, zone = dated(text)
    year, month = divmod(moment.year * 12 + moment.month - 1 + int(months), 12)
    if not 1 <= year <= 9999:
        raise Failure("kind")
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return give_moment(moment.replace(year=year, month=month + 1, day=day), has_time, zone)


def timestamp(text):
    moment, _, zone = dated(text)
    offset = 0
    if len(zone) == 6:
        offset = (int(zone[1:3]) * 60 + int(zone[4:])) * (-60 if zone[0] == "-" else 60)
    seconds = (moment - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)
    return Number(str(seconds - offset))


def format_date(text, layout):
    moment = dated(text)[0]
    # strftime does not pad years.
    return moment.strftime(layout.replace("%Y", f"{moment.year:04d}"))


def read_date(text, layout):
    if layout is None:
        return give_moment(dated(text)[0], False, "")
    try:
        return give_moment(datetime.datetime.strptime(as_text(text), layout), False, "")
    except ValueError:
        raise Failure("kind") from None


TEXT, LIST, NUMBER, VALUE = "text", "list", "number", "value"
FILTERS = {
    "trim": (TEXT, lambda v: v.strip(" \t\r\n")),
    "lower": (TEXT, str.lower),
    "upper": (TEXT, lambda v: "".join(c if c == "ß" else c.upper() for c in v)),
    "replace": (TEXT, lambda v, old, new: v.replace(as_text(old), as_text(new))),
    "truncate": (TEXT, lambda v, n: v[: int(n)]),
    "pad": (TEXT, lambda v, n, fill: v.rjust(int(n), fill)),
    "starts_with": (TEXT, lambda v, part: v.startswith(as_text(part))),
    "ends_with": (TEXT, lambda v, part: v.endswith(as_text(part))),
    "contains": (VALUE, contains),
    "split": (TEXT, lambda v, by: v.split(by) if v else []),
    "string": (VALUE, as_text),
    "number": (VALUE, number_of),
    "integer": (VALUE, integer_of),
    "round": (NUMBER, lambda v, n="0", rounding="half_up": round_number(v, int(n), rounding)),
    "abs": (NUMBER, lambda v: Number(v.lstrip("-"))),
    "date": (TEXT, lambda v, layout=None: read_date(v, layout)),
    "add_days": (TEXT, add_days),
    "add_months": (TEXT, add_months),
    "timestamp": (TEXT, timestamp),
    "format_date": (TEXT, format_date),
    "length": (VALUE, lambda v: Number(str(len(v) if isinstance(v, list) else len(as_text(v))))),
    "first": (LIST, lambda v: v[0] if v else None),
    "last": (LIST, lambda v: v[-1] if v else None),
    "join": (LIST, lambda v, by: by.join(as_text(entry) for entry in v if not is_missing(entry))),
    "sum": (LIST, total),
    "min": (LIST, lambda v: extreme(v, min)),
    "max": (LIST, lambda v: extreme(v, max)),
    "sort": (LIST, lambda v: sorted(comparable(v), key=order_key)),
    "unique": (LIST, unique),
}


def run_filter(name, value, arguments):
    if name == "default":
        return arguments[0] if is_missing(value) or (type(value) is str and not value) else value
    if is_missing(value):
        return value
    takes, function = FILTERS[name]
    if takes == TEXT:
        value = as_text(value)
    elif takes == LIST and not isinstance(value, list):
        raise Failure("kind")
    elif takes == NUMBER:
        value = as_number(value)
    return function(value, *arguments)


# -- evaluation -------------------------------------------------------------------------------


ENTRY = " "  # no column has a blank in front


def run_each(name, entries, variable, body, row):
    entries = evaluate(entries, row)
    if is_missing(entries):
        return entries
    if not isinstance(entries, list):
        raise Failure("kind")
    results = []
    for entry in entries:
        result = evaluate(body, {**row, ENTRY + variable: entry})
        if name == "map":
            results.append(result)
        elif truth(result):
            results.append(entry)
    return results


def evaluate(tree, row):
    kind, *parts = tree
    if kind == "literal":
        return parts[0]
    if kind == "column":
        return row.get(parts[0])
    if kind == "index":
        entries, position = evaluate(parts[0], row), evaluate(parts[1], row)
        if is_missing(entries) or is_missing(position):
            return None
        if (not isinstance(entries, list) or not isinstance(position, Number)
                or position.worth != position.worth.to_integral_value() or position.worth < 0):
            raise Failure("kind")
        return entries[int(position.worth)] if position.worth < len(entries) else None
    if kind == "minus":
        return calculate("-", Number("0"), as_number(evaluate(parts[0], row)))
    if kind in ("+", "-", "*"):
        left = as_number(evaluate(parts[0], row))
        return calculate(kind, left, as_number(evaluate(parts[1], row)))
    if kind == "quotient":
        left = as_number(evaluate(parts[0], row))
        right = as_number(evaluate(parts[1], row))
        return divide(left, right, parts[2], parts[3])
    if kind in ("==", "!=", "<", "<=", ">", ">="):
        left = evaluate(parts[0], row)
        return compare(kind, left, evaluate(parts[1], row))
    if kind == "and":
        return truth(evaluate(parts[0], row)) and truth(evaluate(parts[1], row))
    if kind == "or":
        return truth(evaluate(parts[0], row)) or truth(evaluate(parts[1], row))
    if kind == "not":
        return not truth(evaluate(parts[0], row))
    if kind == "??":
        value = evaluate(parts[0], row)
        return evaluate(parts[1], row) if is_missing(value) else value
    if kind == "if":
        return evaluate(parts[1] if truth(evaluate(parts[0], row)) else parts[2], row)
    if kind == "entry":
        return row[ENTRY + parts[0]]
    if kind == "each":
        return run_each(*parts, row)
    assert kind == "filter", kind
    value = evaluate(parts[1], row)
    return run_filter(parts[0], value, [evaluate(argument, row) for argument in parts[2]])


# -- text -------------------------------------------------------------------------------------

PIPE, COALESCE, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, PRIMARY = range(10)
BINARY = {"??": COALESCE, "or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT}


def literal(value):
    if value is None:
        return "omit"
    if value is NULL:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return value
    quote = '"' if "'" in value or len(value) % 2 else "'"
    return quote + value.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


def spell(tree, rng):
    """The text of a tree, and how tightly it binds."""
    kind, *parts = tree

    def part(inner, least):
        text, binds = spell(inner, rng)
        return f"({text})" if binds < least or rng.random() < 0.05 else text

    if kind == "literal":
        return literal(parts[0]), UNARY if literal(parts[0])[0] == "-" else PRIMARY
    if kind == "column":
        return rng.choice([f"row.{parts[0]}", f'row["{parts[0]}"]']), PRIMARY
    if kind == "entry":
        return parts[0], PRIMARY
    if kind == "each":
        return f"{part(parts[1], PIPE)} | {parts[0]}({parts[2]} => {part(parts[3], PIPE)})", PIPE
    if kind == "index":
        return f"{part(parts[0], PRIMARY)}[{part(parts[1], PIPE)}]", PRIMARY
    if kind == "minus":
        return f"- {part(parts[0], PRIMARY)}", UNARY
    if kind == "not":
        return f"not {part(parts[0], NOT)}", NOT
    if kind == "if":
        return f"if({', '.join(part(each, PIPE) for each in parts)})", PRIMARY
    if kind == "quotient":
        rounding = f', "{parts[3]}"' if parts[3] != "half_up" or rng.random() < 0.5 else ""
        text = f"{part(parts[0], PRODUCT)} / {part(parts[1], UNARY)}"
        if rng.random() < 0.5:
            text = f"({text})"
        return f"{text} | round({parts[2]}{rounding})", PIPE
    if kind == "filter":
        arguments = ", ".join(part(each, PIPE) for each in parts[2])
        return f"{part(parts[1], PIPE)} | {parts[0]}" + (f"({arguments})" if arguments else ""), PIPE
    if kind in BINARY:
        binds = BINARY[kind]
        return f"{part(parts[0], binds)} {kind} {part(parts[1], binds + 1)}", binds
    return f"{part(parts[0], SUM)} {kind} {part(parts[1], SUM)}", COMPARE


def source(tree, rng):
    return "${" + spell(tree, rng)[0] + "}"
