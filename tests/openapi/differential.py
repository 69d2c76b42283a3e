#!/usr/bin/env python3
"""Two readings of one OpenAPI document: codec/openapi and python3-jsonschema.

usage: differential.py VALIDATE DOCUMENT [--seed N] [--mutations N]

Every example of the document is checked against its schema by both, and so are values that are made
up from its schemas (the bodies of all write operations first) and then changed: a member dropped, added, renamed, its
type changed, a value from the edges. Both must say the same of each; where
they are meant to differ is said below. Skipped (77) without the document or the package."""
import copy
import json
import random
import re
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path

SKIPPED = 77
SEED = 20231214
MUTATIONS = 20000
METHODS = ("post", "put", "patch", "delete")

# Where the two differ on purpose. For each, as_standard() puts what purser reads from a schema into
# words that jsonschema reads likewise; everything else of the document it is given as it is.
NULLABLE = "nullable"  # OpenAPI 3.0's word, which 3.1 and so jsonschema do not know
DRAFT_4 = "exclusiveMinimum: true"  # draft 4's form; jsonschema knows the number only
# By the letter no body of POST /connections/create is right: one part refuses what the other asks.
CLOSED_PART = "allOf with a closed part"
# jsonschema checks the format uri only where a third package is installed; so by this, RFC 3986
# with letters beyond ASCII let through. It finds an e-mail address in every text with an @.
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f]*")
FORMATS = ("uuid", "email")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def as_standard(schema, counts, in_all_of=False):
    """The schema in the words of JSON Schema 2020-12 for what purser reads from it."""
    if isinstance(schema, list):
        return [as_standard(item, counts, in_all_of) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key in ("properties", "schemas") and isinstance(value, dict):
            result[key] = {name: as_standard(item, counts) for name, item in value.items()}
        elif key in ("enum", "example", "examples", "default", "const"):
            result[key] = value
        else:
            result[key] = as_standard(value, counts, key == "allOf" and len(value) > 1)
    if result.get("exclusiveMinimum") is True and "minimum" in result:
        counts[DRAFT_4] += 1
        result["exclusiveMinimum"] = result.pop("minimum")
    if in_all_of and result.get("additionalProperties") is False:
        counts[CLOSED_PART] += 1
        del result["additionalProperties"]
    if result.get("nullable") is True:
        counts[NULLABLE] += 1
        del result["nullable"]
        result = {"anyOf": [{"type": "null"}, result]}
    return result


class Oracle:
    def __init__(self, document):
        import jsonschema
        self.counts = Counter()
        self.document = {"components": as_standard(document["components"], self.counts),
                         "paths": as_standard(document["paths"], self.counts)}
        checker = jsonschema.FormatChecker(formats=FORMATS)
        checker.checks("uri")(lambda text: not isinstance(text, str) or
                              URI.fullmatch(text) is not None)
        self.make = lambda schema: jsonschema.Draft202012Validator(schema, format_checker=checker)
        self.known = {}

    def fits(self, pointer, value):
        if pointer not in self.known:
            self.known[pointer] = self.make({**self.document, "$ref": pointer})
        return self.known[pointer].is_valid(value)


def escaped(segment):
    return segment.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def schemas(document):
    """(pointer, schema) of the JSON body of every write operation, and of every other schema."""
    for path, item in document["paths"].items():
        for method in METHODS:
            content = item.get(method, {}).get("requestBody", {}).get("content", {})
            if "schema" in content.get("application/json", {}):
                yield (f"#/paths/{escaped(path)}/{method}/requestBody/content/application~1json/"
                       "schema", content["application/json"]["schema"])
    for name, schema in document["components"]["schemas"].items():
        yield f"#/components/schemas/{name}", schema


class Maker:
    """Values made up from a schema; most fit it."""

    def __init__(self, document, rng):
        self.document = document
        self.rng = rng

    def resolve(self, schema):
        while "$ref" in schema:
            target = self.document
            for token in schema["$ref"][2:].split("/"):
                target = target[token.replace("~1", "/").replace("~0", "~")]
            schema = target
        return schema

    def near(self, schema, kind):
        """A value at the edge of what fits, on either side."""
        rng = self.rng
        if "enum" in schema:
            chosen = rng.choice(schema["enum"])
            return chosen.swapcase() if isinstance(chosen, str) else str(chosen)
        if kind in ("number", "integer"):
            return schema.get("minimum", 0) + rng.choice([-1, -0.5, 0, 0.0, 0.5, 1, 1e-9])
        if schema.get("format") == "uuid":
            made = str(uuid.UUID(int=rng.getrandbits(128)))
            return rng.choice([made.upper(), made.replace("-", ""), made.replace("-", "_"),
                               made[:-1], made[:-1] + "g", "{" + made + "}", made + " "])
        if schema.get("format") == "email":
            return rng.choice(["ann", "a@b", "ann.example.com", "ann@example.com"])
        if schema.get("format") == "uri":
            return rng.choice(["example.com", "https://a b", "1http://a", "a:", ":a", "h+.-1:", "a:{}"])
        length = schema.get("maxLength", 3)
        return "".join(rng.choice("aü🧾") for _ in range(length + rng.choice([-1, 0, 1])))

    def text(self, schema):
        if schema.get("format") == "uuid":
            return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        if schema.get("format") == "email":
            return "ann@example.com"
        if schema.get("format") == "uri":
            return "https://example.com/größe?a=b#c"
        return self.rng.choice(["", "a", "Hemd", "größe", "2023-01-02", "x" * 60, "🧾 12", "00123"])

    def make(self, schema, depth=0):
        schema = self.resolve(schema)
        rng = self.rng
        kinds = schema.get("type", "object")
        kind = rng.choice(kinds) if isinstance(kinds, list) else kinds
        if kind in ("string", "number", "integer") and rng.random() < 0.03:
            return self.near(schema, kind)
        if "enum" in schema:
            return rng.choice(schema["enum"])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self.make(rng.choice(schema[word]), depth)
        if "allOf" in schema:
            whole = {}
            for part in schema["allOf"]:
                made = self.make(part, depth)
                whole.update(made if isinstance(made, dict) else {})
            return whole
        if kind == "object":
            required = schema.get("required", [])
            made = {name: self.make(part, depth + 1)
                    for name, part in schema.get("properties", {}).items()
                    if name in required or rng.random() < (0.6 if depth < 4 else 0.1)}
            extra = schema.get("additionalProperties")
            if isinstance(extra, dict) and depth < 6:
                made["any"] = self.make(extra, depth + 1)
            return made
        if kind == "array":
            count = rng.randrange(3) if depth < 6 else 0
            return [self.make(schema.get("items", {}), depth + 1) for _ in range(count)]
        if kind in ("number", "integer"):
            low = schema.get("minimum", 0)
            return low + rng.choice([0, 1, 1, 3, 250]) + (0 if kind == "integer" else
                                                          rng.choice([0, 0.5, 0.25]))
        return {"boolean": rng.random() < 0.5, "null": None, "string": self.text(schema)}[kind]


EDGES = [None, True, False, 0, -1, 1, 1.0, 0.5, -0.001, 10 ** 18, 1e30, 12.34, "", "0", "null", "a",
         "x" * 51, "x" * 2001, "ü" * 50, "ü" * 51, "...", "ab", "not-an-email", "a@b", [], {}, [None],
         [{}], {"a": 1}, "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000",
         "{00000000-0000-0000-0000-000000000000}", "2023-13-45", "USD", "usd", "ZZZ"]


def places(value, found):
    """Every (container, key) in a value."""
    if isinstance(value, dict):
        for key in value:
            found.append((value, key))
            places(value[key], found)
    elif isinstance(value, list):
        for index in range(len(value)):
            found.append((value, index))
            places(value[index], found)
    return found


def change(value, rng):
    """One change somewhere; the value itself is changed, or its replacement returned."""
    found = places(value, [])
    if not found or rng.random() < 0.02:
        return rng.choice(EDGES)
    container, key = rng.choice(found)
    kind = rng.randrange(6)
    if kind == 0:
        del container[key]
    elif kind == 1:
        container[key] = copy.deepcopy(rng.choice(EDGES))
    elif kind == 2 and isinstance(container, dict):
        container[rng.choice(["extra", key + "_", "id", "name", "any"])] = \
            copy.deepcopy(rng.choice(EDGES))
    elif kind == 3 and isinstance(container, dict):
        container[key[:-1] or "_"] = container.pop(key)
    elif kind == 4:
        old = container[key]
        container[key] = str(old) if isinstance(old, (int, float)) else [old]
    else:
        old = container[key]
        container[key] = -old if isinstance(old, (int, float)) and not isinstance(old, bool) \
            else copy.deepcopy(rng.choice(found)[0])
    return value


def questions(document, rng, mutations):
    """(origin, pointer, value)"""
    for name, example in document["components"]["examples"].items():
        pointer = "#/components/schemas/" + name.removesuffix("_Example")
        yield "example", pointer, example["value"]
    known = list(schemas(document))
    maker = Maker(document, rng)
    for number in range(mutations):
        pointer, schema = known[number % len(known)]
        value = maker.make(schema)
        if number // len(known) % 4 == 0:
            yield "made", pointer, value
            continue
        for _ in range(rng.choice([1, 1, 2, 3])):
            value = change(value, rng)
        try:
            json.dumps(value)
        except (ValueError, RecursionError):
            continue  # a container put into itself
        yield "changed", pointer, value


def depth(value):
    if isinstance(value, (dict, list)):
        return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def main():
    arguments = sys.argv[1:]
    program, file = arguments[0], Path(arguments[1])
    options = dict(zip(arguments[2::2], arguments[3::2]))
    seed = int(options.get("--seed", SEED))
    if not file.is_file():
        skip(f"there is no {file}; set PURSER_OPENAPI to Rutter's document")
    document = json.loads(file.read_text())
    try:
        oracle = Oracle(document)
    except ImportError:
        skip("python3-jsonschema is not installed")
    asked = [question for question in
             questions(document, random.Random(seed), int(options.get("--mutations", MUTATIONS)))
             if depth(question[2]) < 60]
    lines = "".join(json.dumps({"schema": pointer, "value": value}) + "\n"
                    for _, pointer, value in asked)
    run = subprocess.run([program, str(file)], input=lines.encode(), capture_output=True)
    if run.returncode != 0:
        sys.exit(run.stderr.decode())
    answers = run.stdout.decode().splitlines()
    assert len(answers) == len(asked), (len(answers), len(asked))

    tally, differences = Counter(), []
    for (origin, pointer, value), answer in zip(asked, answers):
        expected = "valid" if oracle.fits(pointer, value) else "invalid"
        tally[origin, answer.split()[0]] += 1
        if answer.split()[0] != expected:
            differences.append((pointer, value, expected, answer))
    for (origin, verdict), count in sorted(tally.items()):
        print(f"{origin:8} {verdict:8} {count}")
    print(f"seed {seed}: {len(asked)} asked, {len(differences)} differences;",
          ", ".join(f"{count} x {name}" for name, count in sorted(oracle.counts.items())))
    for pointer, value, expected, answer in differences[:10]:
        print(f"DIFFERENT {pointer}\n  {json.dumps(value)[:1000]}\n"
              f"  jsonschema: {expected}\n  purser: {answer}")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
