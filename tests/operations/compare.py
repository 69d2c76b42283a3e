#!/usr/bin/env python3
"""The table of operations beside Rutter's OpenAPI document of version 2023-03-14.

usage: PURSER_OPENAPI=FILE compare.py PURSER

The document is no part of this repository; without it the comparison is skipped.
"""

import json
import os
import re
import subprocess
import sys

EXIT_SKIP = 77
WRITES = ("post", "patch", "put", "delete")

# Where the table knows better than the document, and why.
RENAMED_SINCE = {
    ("POST", "/accounting/purchase_orders"): {"currency"},  # currency_code in newer versions
    ("POST", "/connections/backfill"): {"entity"},          # object_types in newer versions
}
MORE_PLATFORMS_SINCE = {("POST", "/accounting/{}"): {"QUICKBOOKS_DESKTOP", "ZOHOBOOKS"}}


def shape(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def table(purser):
    rows = json.loads(subprocess.run([purser, "operations", "--output", "json"], check=True,
                                     capture_output=True, text=True).stdout)
    return {(row["method"], shape(row["path"])): row for row in rows}


class Document:
    def __init__(self, file):
        with open(file, encoding="utf-8") as text:
            self.whole = json.load(text)

    def resolve(self, part):
        while "$ref" in part:
            target = self.whole
            for name in part["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            part = target
        return part

    def schema(self, part):
        if part is None:
            return {}
        content = self.resolve(part).get("content", {}).get("application/json", {})
        return self.resolve(content.get("schema", {}))

    def members(self, schema):
        """Names of all members that a schema or one of its alternatives has."""
        schema = self.resolve(schema)
        names = set(schema.get("properties", {}))
        for word in ("allOf", "oneOf", "anyOf"):
            for alternative in schema.get(word, []):
                names |= self.members(alternative)
        return names

    def operations(self):
        for path, item in self.whole["paths"].items():
            for method in WRITES:
                if method in item:
                    yield (method.upper(), shape(path)), item[method]

    def platforms(self):
        return set(self.whole["components"]["schemas"]["Platform"]["enum"])


def compare_body(key, row, document, operation):
    body = document.schema(operation.get("requestBody"))
    required = set(body.get("required", []))
    if row["wrapper"] is not None:
        if row["wrapper"] not in body.get("properties", {}):
            yield f"the document has no wrapper '{row['wrapper']}'"
            return
        body = document.resolve(body["properties"][row["wrapper"]])
        required = set(body.get("required", []))
    required -= RENAMED_SINCE.get(key, set())
    if set(row["required"]) != required:
        yield f"required: table {sorted(row['required'])}, document {sorted(required)}"


def compare(key, row, document, operation):
    yield from compare_body(key, row, document, operation)
    platforms = set(operation.get("x-supported-platforms", [])) | MORE_PLATFORMS_SINCE.get(key,
                                                                                          set())
    if set(row["platforms"] or []) != platforms:
        yield f"platforms: table {row['platforms']}, document {sorted(platforms)}"
    if key[0] != "DELETE":
        answers = document.members(document.schema(operation["responses"].get("200")))
        can_wait = "async_response" in answers
        if can_wait != (row["class"] not in ("plain", "mode-only")):
            yield f"class {row['class']}, async_response in the answer: {can_wait}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    file = os.environ.get("PURSER_OPENAPI", "")
    if not os.path.isfile(file):
        print("skipped: PURSER_OPENAPI does not name Rutter's document of version 2023-03-14")
        sys.exit(EXIT_SKIP)
    rows = table(sys.argv[1])
    document = Document(file)
    count, differences = 0, []
    for key, operation in document.operations():
        count += 1
        if key not in rows:
            differences.append(f"{key[0]} {key[1]}: is not in the table")
            continue
        differences += [f"{key[0]} {key[1]}: {text}"
                        for text in compare(key, rows[key], document, operation)]
    named = {name for row in rows.values() for name in row["platforms"] or [] if name != "*"}
    differences += [f"the document has no platform {name}"
                    for name in sorted(named - document.platforms())]
    print("\n".join(differences) or f"{count} writes of the document, no difference")
    sys.exit(1 if differences or count == 0 else 0)


if __name__ == "__main__":
    main()
