"""How the example of each code is brought up: where its lines stand, and what runs.

The examples themselves are those of `purser help CODE` (src/cli/message_codes_*.c). Each becomes
part of one small spec, in the place of what it replaces there; a code that needs more says so here.
A new code needs a line in EXAMPLES, then: test_messages.py … --update CODE, and read what it wrote.
"""
import re
from dataclasses import dataclass, field


@dataclass
class Example:
    at: str  # a block of the spec (see below), "spec" for all of it, a file, or "shell"
    around: dict = field(default_factory=dict)  # other blocks: text that replaces its keys
    files: dict = field(default_factory=dict)  # name -> text
    before: tuple = ()  # commands whose output is not compared, in a shell
    run: str = "purser check spec.yaml"
    needs_root: bool = False


ROWS = "sku,name,price\nA-1,Mug,9.99\nA-2,Cup,4.50\n"

# A block: its keys in order. {NAME} stands for the lines of the block NAME.
BLOCKS = {
    "top": [("purser", "purser: 1"), ("name", "name: example"), ("api", "api:\n{api}"),
            ("connections", "connections:\n{connections}"), ("jobs", "jobs:\n{jobs}")],
    "api": [("environment", "environment: simulator")],
    "connections": [("shop", "shop:\n{shop}")],
    "shop": [("platform", "platform: SHOPIFY"),
             ("access_token", "access_token: { env: SHOP_TOKEN }")],
    "jobs": [("products", "products:\n{job}")],
    "job": [("source", "source:\n{source}"), ("request", "request: PATCH /products/${row.sku}"),
            ("body", "body:\n{body}")],
    "source": [("csv", "csv: rows.csv"), ("key", "key: ${row.sku}")],
    "body": [("product", "product:\n{product}")],
    "product": [("name", "name: ${row.name}")],
    "connection": [],
    "variants": [("source", "source:\n{source}"), ("request", "request: DELETE /products/1"),
                 ("body", "body:\n  variant: { price: 1, sku: x, option_values: [] }")],
}


def keys_of(text):
    """Names of the keys that begin in the first column."""
    return re.findall(r"^([^\s#\[{?-][^:\n]*):", text, re.MULTILINE)


def block(name, overrides):
    """The lines of a block, with the keys of its override in the place of its own."""
    own = overrides.get(name, "").rstrip("\n")
    replaced = set(keys_of(own))
    lines, placed = [], own == ""
    for key, text in BLOCKS[name]:
        if key not in replaced:
            lines += fill(text, overrides)
        elif not placed:
            lines += fill(own, overrides)
            placed = True
    return lines if placed else lines + fill(own, overrides)


def fill(text, overrides):
    lines = []
    for line in text.split("\n"):
        inner = re.fullmatch(r"\{(\w+)\}", line)
        lines += ["  " + part if part else part for part in block(inner[1], overrides)] \
            if inner else [line]
    return lines


def files_of(example, text):
    """What the folder of a case holds, with `text` as its example."""
    files = {"rows.csv": ROWS, **example.files}
    overrides = dict(example.around)
    if example.at in BLOCKS:
        overrides[example.at] = "\n".join(filter(None, [overrides.get(example.at), text]))
    files["spec.yaml"] = text + "\n" if example.at == "spec" else \
        "\n".join(block("top", overrides)) + "\n"
    if example.at not in BLOCKS and example.at not in ("spec", "shell"):
        files[example.at] = text + "\n"
    return files


REAL = {"api": "environment: {sim}"}  # the simulator stands in for secrets that are missing
RUN = "purser run spec.yaml --quiet"
BOOKS = "shop:\n  platform: SHOPIFY\nbooks:\n  platform: XERO"
STDIN = "source:\n  csv: \"-\"\n  key: ${row.sku}"
NDJSON = {"job": "source:\n  ndjson: rows.ndjson\n  key: ${row.sku}"}
CONNECTION = {"job": "source:\n  csv: rows.csv\n  key: ${row.sku}\n"
                     "request: POST /connections/create\naccess_tokens: tokens.ndjson\n"
                     "body:\n{connection}"}
PARENT = {"jobs": "variants:\n{variants}", "job": "outputs: { id: \"${response.product.id}\" }"}
CHILD = {"jobs": "variants:\n{variants}",
         "variants": "needs: { product: { job: products, key: \"${row.handle}\" } }\n"
                     "request: POST /products/${row.sku}/variants"}
HANDLES = "sku,handle,name\nA-1,A-1,Mug\n"
DOCUMENT = """openapi: 3.1.0
paths:
  /products:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                product:
                  type: object
                  properties:
                    name: { type: string }
                    variants:
                      type: array
                      items: { type: object, properties: { price: { type: number } } }
"""
POST = "request: POST /products"
PRODUCT = "description: made by hand\nvariants:\n  - price: ${row.price}"

EXAMPLES = {
    "yaml.alias": Example("top"),
    "yaml.depth": Example("job"),
    "yaml.documents": Example("top"),
    "yaml.duplicate_key": Example("top"),
    "yaml.encoding": Example("shell"),
    "yaml.flow_expr": Example("job"),
    "yaml.key": Example("top"),
    "yaml.merge_key": Example("job"),
    "yaml.nul": Example("top"),
    "yaml.number": Example("top"),
    "yaml.syntax": Example("top"),
    "yaml.tab": Example("job"),
    "yaml.tag": Example("top"),
    "yaml.too_big": Example("shell"),
    "yaml.too_many_nodes": Example("shell"),
    "spec.body": Example("job"),
    "spec.constant_key": Example("source"),
    "spec.custom": Example("job"),
    "spec.custom_object": Example("job", {"shop": "platform: ZOHOBOOKS",
                                          "job": "body:\n  other_entity_fields: {}\n"
                                                 "  line_items: []"}),
    "spec.empty": Example("spec"),
    "spec.evaluate": Example("top"),
    "spec.idempotent": Example("job", {"job": "request: PATCH /accounting/items/${row.sku}\n"
                                                "body:\n  item: { name: x }",
                                         "shop": "platform: QUICKBOOKS_DESKTOP"}),
    "spec.mode": Example("job"),
    "spec.name": Example("top"),
    "spec.natural": Example("job", {"job": POST, "product": PRODUCT}),
    "spec.needs_circle": Example("job"),
    "spec.openapi": Example("api"),
    "spec.order": Example("top"),
    "spec.platform": Example("shop"),
    "spec.reconcile": Example("job", {"job": POST, "product": PRODUCT}),
    "spec.undo": Example("job"),
    "spec.request": Example("job"),
    "spec.required": Example("jobs"),
    "spec.required_member": Example("product", {"job": POST}),
    "spec.schedule": Example("top"),
    "spec.secret_literal": Example("shop"),
    "spec.standard_input": Example("jobs", {"job": STDIN}, run="purser check spec.yaml < rows.csv"),
    "spec.time_zone": Example("top"),
    "spec.too_many": Example("shell"),
    "spec.type": Example("top"),
    "spec.unknown_connection": Example("job"),
    "spec.unknown_job": Example("job"),
    "spec.unknown_key": Example("job"),
    "spec.unknown_operation": Example("job"),
    "spec.unsupported": Example("source"),
    "spec.url": Example("api"),
    "spec.value": Example("job"),
    "spec.variable": Example("top"),
    "spec.version": Example("top"),
    "template.empty": Example("product"),
    "template.kind": Example("job", {"job": "custom: true\nrequest: PUT /things/${row.sku}"}),
    "template.loop": Example("product"),
    "template.name": Example("product"),
    "template.null": Example("product"),
    "template.number": Example("product"),
    "expr.arguments": Example("product"),
    "expr.division": Example("product", {"top": "vars: { total: 100 }"}),
    "expr.scope": Example("product"),
    "expr.syntax": Example("product"),
    "expr.too_deep": Example("product"),
    "expr.unknown_column": Example("product"),
    "expr.unknown_filter": Example("product"),
    "expr.unknown_name": Example("product"),
    "expr.unknown_output": Example("variants", PARENT, {"rows.csv": HANDLES}),
    "source.column": Example("source"),
    "source.command": Example("job"),
    "source.cut_short": Example("job"),
    "source.damaged": Example("shell", {"job": "source:\n  csv: rows.csv.gz\n  key: ${row.sku}"}),
    "source.open": Example("source"),
    "data.body": Example("product"),
    "data.cells": Example("rows.csv"),
    "data.changed": Example("job", before=(RUN, "sed -i s/Mug/Jug/ rows.csv"), run=RUN),
    "data.columns": Example("rows-2.csv", {"job": "source:\n  csv: rows*.csv\n  key: ${row.sku}"}),
    "data.condition": Example("job"),
    "data.connection": Example("job"),
    "data.connection_write": Example("connection", CONNECTION),
    # A-1 has succeeded, A-2 has not been sent
    "data.correction": Example("fixed.csv", before=("purser run spec.yaml --limit 1 --quiet",),
                               run="purser retry spec.yaml --input fixed.csv --quiet"),
    "data.csv": Example("rows.csv"),
    "data.delimiter": Example("rows.csv"),
    "data.duplicate_key": Example("rows.csv"),
    "data.encoding": Example("shell"),
    "data.group_by": Example("source"),
    "data.header": Example("rows.csv"),
    "data.json": Example("rows.ndjson", NDJSON),
    "data.key": Example("rows.csv"),
    "data.needs": Example("rows.csv", CHILD),
    "data.path": Example("rows.csv"),
    "data.platform": Example("rows.csv", {"connections": BOOKS, "job": "connection: ${row.shop}"}),
    "data.required": Example("rows.csv", {"job": POST, "product": PRODUCT}),
    "data.schema": Example("source", {"api": "openapi: openapi.yaml", "job": POST,
                                      "product": PRODUCT}, {"openapi.yaml": DOCUMENT}),
    "data.too_big": Example("shell", NDJSON),
    "data.type": Example("rows.csv", {"source": "columns: { price: decimal }"}),
    "data.unknown_need": Example("rows.csv", CHILD, run="purser plan spec.yaml"),
    "credentials.file": Example("shell", {**REAL, "shop": "access_token: { file: token }"},
                                run=RUN),
    "credentials.missing": Example("shell", REAL, run=RUN),
    "credentials.mode": Example("shell", {**REAL, "shop": "access_token: { file: token }"},
                                run=RUN),
    "credentials.owner": Example("shell", {**REAL, "shop": "access_token: { file: token }"},
                                 {"token": "6ba7b810-9dad-41d1-80b4-00c04fd430c8\n"},
                                 ("chmod 600 token",), RUN, True),
    "credentials.value": Example("shell", REAL, run=RUN),
}

# Codes that no input brings up, and the unit test that does.
ELSEWHERE = {
    "credentials.name": "tests/unit/io/test_credentials.c",
    "expr.kind": "tests/unit/codec/test_message_codes.c",
    "expr.memory": "tests/unit/codec/test_message_codes.c",
    "spec.unknown_column": "tests/unit/codec/test_message_codes.c",
    "template.memory": "tests/unit/codec/test_message_codes.c",
}
