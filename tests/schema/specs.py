"""Right and wrong specs, derived from the JSON Schema itself, so that a new key needs no new case.

`derived` walks the tables of the schema: each key with each of its examples, its limits and a value
of every other kind; an unknown key in each table; each required key left out. `mixed` puts examples
together at random and then spoils some; its seed is fixed.
"""
import copy
import random
from dataclasses import dataclass


@dataclass
class Case:
    name: str
    spec: object
    example: str = ""  # which example of the schema it shows: one of its cases must be taken


def job(request, body=None, **keys):
    table = {"source": {"csv": "rows.csv", "key": "${row.sku}"}, "request": request}
    if body is not None:
        table["body"] = body
    return {**table, **keys}


def spec(jobs, environment="simulator"):
    return {"purser": 1, "name": "example", "api": {"environment": environment},
            "connections": {"shop": {"platform": "SHOPIFY", "access_token": {"env": "SHOP_TOKEN"}}},
            "jobs": jobs}


PRODUCT = {"product": {"name": "${row.name}"}}
VENDOR = {"vendor": {"contact_name": "${row.name}", "currency_code": "EUR",
                     "vendor_name": "${row.name}"}}

FULL_PRODUCT = {"product": {"name": "${row.name}", "description": "made by hand",
                            "variants": [{"sku": "${row.sku}"}]}}
VARIANT = {"variant": {"price": "1.00", "sku": "${row.sku}", "option_values": []}}
INVOICE = {"invoice": {"customer_id": "1", "due_date": "2024-08-31", "issue_date": "2024-08-31",
                       "currency_code": "EUR", "line_items": []}}

# Specs into which a key is put. The first is the one for everything that is wrong; a key that is
# right must be taken by one of them.
BASES = {
    "patch": spec({"products": job("PATCH /products/${row.id}", PRODUCT)}),
    "post": {**spec({"products": job("POST /accounting/vendors", VENDOR)}),
             "connections": {"shop": {}}},
    "delete": spec({"products": job("DELETE /products/${row.id}")}),
    "custom": spec({"products": job("PUT /things/${row.id}", PRODUCT, custom=True)}),
    "two": spec({"products": job("PATCH /products/${row.id}", PRODUCT,
                                 outputs={"product_id": "${response.product.id}"}),
                 "later": job("PATCH /products/${row.id}", PRODUCT)}),
    "connect": spec({"products": job("POST /connections/create", access_tokens="tokens.ndjson")}),
    "ndjson": spec({"products": {**job("DELETE /products/${row.id}"),
                                 "source": {"ndjson": "rows.ndjson", "key": "${row.sku}"}}}),
    "no_source": spec({"products": {**job("DELETE /products/${row.id}"),
                                    "source": {"key": "${row.sku}"}}}),
    "no_token": {**spec({"products": job("DELETE /products/${row.id}")}),
                 "connections": {"shop": {"access_token": {}}}},
    "product": spec({"products": job("POST /products", FULL_PRODUCT,
                                     outputs={"product_id": "${response.product.id}"})}),
    "variant": spec({"products": job("POST /products/${row.id}/variants", VARIANT)}),
    "invoice": {**spec({"products": job("POST /accounting/invoices", INVOICE)}),
                "connections": {"shop": {}}},
    "semicolons": spec({"products": {**job("DELETE /products/${row.id}"),
                                     "source": {"csv": "semicolons.csv", "key": "${row.sku}"}}}),
    "tabs": spec({"products": {**job("DELETE /products/${row.id}"),
                               "source": {"csv": "tabs.csv", "key": "${row.sku}"}}}),
    "json": spec({"products": {**job("DELETE /products/${row.id}"),
                               "source": {"json": "rows.json", "key": "${row.sku}"}}}),
    "command": spec({"products": {**job("DELETE /products/${row.id}"),
                                  "source": {"command": ["cat", "rows.ndjson"],
                                             "format": "ndjson", "key": "${row.sku}"}}}),
    "command_csv": spec({"products": {**job("DELETE /products/${row.id}"),
                                      "source": {"command": ["cat", "rows.csv"], "format": "csv",
                                                 "key": "${row.sku}"}}}),
    "command_json": spec({"products": {**job("DELETE /products/${row.id}"),
                                       "source": {"command": ["cat", "data/orders.json"],
                                                  "format": "json", "key": "${row.sku}"}}}),
    "utf_16": spec({"products": {**job("DELETE /products/${row.id}"),
                                 "source": {"csv": "utf-16.csv", "key": "${row.sku}"}}}),
    "remarks": spec({"products": {**job("DELETE /products/${row.id}"),
                                  "source": {"csv": "remarks.csv", "key": "${row.sku}"}}}),
    "headless": spec({"products": {**job("DELETE /products/1"),
                                   "source": {"csv": "headless.csv", "key": "${row.sku}"}}}),
    "url": spec({"products": job("DELETE /products/${row.id}")}, "http://127.0.0.1:1/versioned"),
}
# The name that stands for any name of a map.
ANY_NAME = {"connections": "shop", "jobs": "products", "needs": "product"}
OTHER_NAME = "one"
# In this base the job is another one, for the examples speak of products.
OTHER_JOB = {"two": "later"}

ONE_OF_EACH_KIND = [None, True, 7, 1.5, "some text", [], ["x"], {}, {"x": "y"}]
WRONG_TEXTS = ["", "!!", "-1", "0x"]


class Schema:
    def __init__(self, whole):
        self.whole, self.definitions = whole, whole["definitions"]

    def resolved(self, node):
        whole = dict(node)
        parts = [self.definitions[whole.pop("$ref").split("/")[-1]]] if "$ref" in whole else []
        for part in parts + whole.get("allOf", []):
            whole = {**self.resolved(part), **whole}
        return whole

    def alternatives(self, node):
        """The node, or what it says one of must hold."""
        node = self.resolved(node)
        found = [self.resolved(part) for word in ("anyOf", "oneOf") for part in node.get(word, [])]
        return [node] + [inner for part in found for inner in self.alternatives(part)]

    def tables(self):
        """Every table with keys of its own, as (path, schema); maps go by one of their names."""
        def walk(node, path):
            for part in self.alternatives(node):
                if "properties" in part:
                    yield path, part
                for name, value in part.get("properties", {}).items():
                    yield from walk(value, [*path, name])
                if isinstance(part.get("additionalProperties"), dict):
                    name = ANY_NAME.get(path[-1] if path else "", OTHER_NAME)
                    yield from walk(part["additionalProperties"], [*path, name])

        seen = set()
        for path, table in walk(self.whole, []):
            if (tuple(path), tuple(table["properties"])) not in seen:
                seen.add((tuple(path), tuple(table["properties"])))
                yield path, table

    def examples(self, node):
        """Values that the schema itself shows."""
        values = []
        for part in self.alternatives(node):
            values += part.get("examples", []) + part.get("enum", [])
            values += [part[word] for word in ("const", "default") if word in part]
            values += [part[word] for word in ("minimum", "maximum") if word in part]
            if part.get("type") == "boolean":
                values += [True, False]
        return unique(values)

    def others(self, node):
        """Values of every kind, and those just outside of what is allowed."""
        values = list(ONE_OF_EACH_KIND)
        for part in self.alternatives(node):
            if "minimum" in part:
                values.append(part["minimum"] - 1)
            if "maximum" in part:
                values.append(part["maximum"] + 1)
            if "pattern" in part or "enum" in part:
                values += WRONG_TEXTS
        return unique(values)


def unique(values):
    """True and 1 are two values."""
    kept = {}
    for value in values:
        kept.setdefault(repr(value), value)
    return list(kept.values())


def put(base, path, value, filling=None, is_alone=False):
    """A copy of the base with the value at the path; None when its way is barred.

    What is missing on the way is made of the schema's first example. With `is_alone` nothing else
    stays in its table."""
    whole = copy.deepcopy(base)
    node = whole
    for at, name in enumerate(path[:-1]):
        if not isinstance(node, dict):
            return None
        if not isinstance(node.get(name), dict):
            example = filling.get(tuple(path[:at + 1])) if filling else None
            node[name] = copy.deepcopy(example) if isinstance(example, dict) else {}
        node = node[name]
    if not isinstance(node, dict):
        return None
    if is_alone:
        node.clear()
    node[path[-1]] = value
    return whole


def take_out(base, path):
    whole = copy.deepcopy(base)
    node = whole
    for name in path[:-1]:
        node = node[name]
    del node[path[-1]]
    return whole


def has(base, path):
    node = base
    for name in path:
        if not isinstance(node, dict) or name not in node:
            return False
        node = node[name]
    return True


def fillings(schema):
    """The first example of each path that is an object: what a table is made of."""
    found = {}
    for path, table in schema.tables():
        for name, node in table["properties"].items():
            for value in schema.examples(node):
                if isinstance(value, dict):
                    found.setdefault(tuple([*path, name]), value)
                    for inner in value:
                        if isinstance(value[inner], dict):
                            found.setdefault(tuple([*path, name, inner]), value[inner])
    for base_name in OTHER_JOB:
        for path in list(found):
            found.setdefault(tuple(in_base(list(path), base_name)), found[path])
    return found


def in_base(path, base_name):
    """The path to the job that a base is about."""
    if path[:2] == ["jobs", "products"] and base_name in OTHER_JOB:
        return ["jobs", OTHER_JOB[base_name], *path[2:]]
    return path


def derived(whole):
    schema = Schema(whole)
    filling = fillings(schema)
    for path, table in schema.tables():
        first = BASES["patch"]
        is_alone = table.get("maxProperties") == 1
        for name, node in table["properties"].items():
            key = [*path, name]
            title = "/".join(key)
            for number, value in enumerate(schema.examples(node)):
                for base_name, base in BASES.items():
                    made = put(base, in_base(key, base_name), value, filling, is_alone)
                    example = f"{title} example {number}"
                    if made is not None:
                        yield Case(f"{example} in {base_name}", made, example)
            for number, value in enumerate(schema.others(node)):
                made = put(first, key, value, filling, is_alone)
                if made is not None:
                    yield Case(f"{title} other {number}", made)
        made = put(first, [*path, "no_such_key"], "x", filling)
        if made is not None:
            yield Case("/".join([*path, "no_such_key"]), made)
        for name in table.get("required", []):
            inside = put(first, [*path, name], filling.get(tuple([*path, name]), "x"), filling) \
                if not has(first, [*path, name]) else first
            yield Case("/".join([*path, name]) + " left out", take_out(inside, [*path, name]))


def all_paths(node, path=()):
    if path:
        yield path
    if isinstance(node, dict):
        for name, value in node.items():
            yield from all_paths(value, (*path, name))


def mixed(whole, count, seed):
    """Bases with some keys of examples put in; half of them with one place spoilt."""
    choice = random.Random(seed)
    schema = Schema(whole)
    filling = fillings(schema)
    keys = [([*path, name], schema.examples(node))
            for path, table in schema.tables() for name, node in table["properties"].items()
            if schema.examples(node)]
    for number in range(count):
        base_name = choice.choice(sorted(BASES))
        made = copy.deepcopy(BASES[base_name])
        for path, values in choice.sample(keys, 3):
            made = put(made, path, copy.deepcopy(choice.choice(values)), filling) or made
        if number % 2 == 1:
            path = choice.choice(list(all_paths(made)))
            deed = choice.randrange(3)
            if deed == 0:
                made = take_out(made, path)
            elif deed == 1:
                made = put(made, path, copy.deepcopy(choice.choice(ONE_OF_EACH_KIND)))
            else:
                made = put(take_out(made, path), [*path[:-1], path[-1] + "x"], "x")
        yield Case(f"mixed {number} in {base_name}", made)
