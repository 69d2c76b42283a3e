/* The spec is YAML, but not a right spec. */
#include "message_families.h"

static const struct message_code codes[] = {
    {"spec.body", "the body does not have the form that the operation takes",
     "Most operations have one member around all others (product, invoice, …), DELETE has no body, "
     "and response_mode is put in by purser. `purser operations METHOD PATH` shows the form.",
     "body:\n  name: ${row.name}", "body:\n  product:\n    name: ${row.name}"},
    {"spec.constant_key", "the key of all rows is the same",
     "key (and group_by) tell the rows apart: what stands there must come from the row.",
     "key: sku", "key: ${row.sku}"},
    {"spec.custom", "custom: true with an operation that is known",
     "A custom request is sent as it is and at most once. Of an operation that is known purser "
     "knows more, such as that a lost answer may be asked for again.",
     "custom: true", "custom: false"},
    {"spec.custom_object", "a path that is taken for a custom object of the platform",
     "POST /accounting/{name} takes any name of an object, so a slip of the pen would pass as one. "
     "If the object is meant, all is well.",
     "request: POST /accounting/invoicess", "request: POST /accounting/assets"},
    {"spec.empty", "the file holds no spec",
     "It is empty, or has remarks only. A spec begins with purser: 1 and has a name and jobs.",
     "# nothing yet",
     "purser: 1\nname: example\nconnections: { shop: { access_token: { env: SHOP_TOKEN } } "
     "}\njobs:\n"
     "  products:\n    source: { csv: rows.csv, key: \"${row.sku}\" }\n"
     "    request: DELETE /products/${row.sku}"},
    {"spec.evaluate", "an expression of vars, api or a path cannot be computed",
     "What stands there is computed once, when the spec is read, from env and vars.",
     "vars: { limit: \"${\\\"many\\\" + 1}\" }", "vars: { limit: \"${2 + 1}\" }"},
    {"spec.idempotent", "idempotent: true where it does nothing",
     "The API takes an Idempotency-Key with POST and PATCH only. Where it is known that an "
     "operation honours it, nothing needs to be said.",
     "idempotent: true", "idempotent: false"},
    {"spec.mode", "a mode for an operation that has none",
     "mode is the API's response_mode. Only some operations take it; `purser operations` says "
     "which.",
     "mode: async", "mode: sync"},
    {"spec.name", "a name with characters that it cannot have",
     "Names of specs, jobs, connections and variables become names of folders, keys of the ledger "
     "or words of expressions. The help of the message says what is allowed.",
     "name: Example!", "name: example"},
    {"spec.natural", "retry: natural where it is wrong",
     "natural says that a second sending of the same request changes nothing more. That is never "
     "true of a POST, and must be said of one job, not of all.",
     "retry: natural", "retry: { attempts: 3 }"},
    {"spec.needs_circle", "jobs that wait for each other in a circle",
     "None of them could ever start. The message names the whole circle, with the line and column "
     "of each need; one of them must go.",
     "needs: [products]", "needs: []"},
    {"spec.openapi", "the API's own description cannot be used, or does not fit",
     "api.openapi names a file with the API's OpenAPI description; bodies are checked against it. "
     "--validate=off does without.",
     "openapi: rows.csv", "version: \"2024-08-31\""},
    {"spec.order", "purser: 1 is not the first key",
     "It says what the file is, to people and to later versions; nothing else depends on it.",
     "name: example\npurser: 1", "purser: 1\nname: example"},
    {"spec.platform", "the operation is not there for the platform of the connection",
     "Not every platform behind the API takes every write. purser's table is of December 2023: if "
     "the platform has got the operation since, leave platform out of the connection, or say "
     "--validate=warn.",
     "platform: XERO", "platform: SHOPIFY"},
    {"spec.reconcile", "a look-up that cannot settle a doubt",
     "reconcile asks the API whether an item in doubt was done. The question must differ from item "
     "to item, and what it finds must show what was written. Connections are never looked up, "
     "because the answers hold access tokens.",
     "reconcile:\n  request: GET /products\n  filter: name = \"Mug\"",
     "reconcile:\n  request: GET /products\n  filter: name = \"${body.product.name}\""},
    {"spec.request", "the request is not METHOD PATH of a write",
     "request has a method in capitals and the path as the API reference prints it, below the base "
     "URL, without a query. Values stand in it as ${…}.",
     "request: GET /products/${row.sku}", "request: PATCH /products/${row.sku}"},
    {"spec.required", "a key that must be there is missing", "The message says which, and in what.",
     "products:\n  source: { csv: rows.csv, key: \"${row.sku}\" }",
     "products:\n  source: { csv: rows.csv, key: \"${row.sku}\" }\n  request: PATCH "
     "/products/${row.sku}\n  body: { product: { name: x } }"},
    {"spec.required_member", "the body lacks a member that the operation requires",
     "Each request would be refused. If the API no longer asks for it, --validate=warn sends "
     "all the same.",
     "name: ${row.name}",
     "name: ${row.name}\ndescription: made by hand\nvariants:\n  - price: ${row.price}"},
    {"spec.schedule", "the cron expression of the schedule is wrong",
     "minute hour day month weekday, each *, a number, a range, a list or one of these with a "
     "step; "
     "or @hourly, @daily, @weekly, @monthly, @yearly. Seconds cannot be given, and what never "
     "comes, as 31 February, is refused.",
     "schedule:\n  cron: \"15 26 * * 1-5\"", "schedule:\n  cron: \"15 6 * * 1-5\""},
    {"spec.secret_literal", "a secret is written into the spec",
     "Specs are kept, shown and shared. Say where the secret is instead: { env: NAME }, { file: "
     "PATH } or { credential: NAME }. Change a secret that stood in a file.",
     "access_token: 0f9a77b1c2", "access_token: { env: SHOP_TOKEN }"},
    {"spec.standard_input", "two jobs that read standard input",
     "What one job has read is gone for the other.",
     "others:\n  source: { csv: \"-\", key: \"${row.sku}\" }\n  request: DELETE "
     "/products/${row.sku}",
     "others:\n  source: { csv: rows.csv, key: \"${row.sku}\" }\n"
     "  request: DELETE /products/${row.sku}"},
    {"spec.time_zone", "the time zone of the schedule cannot be used",
     "It is a name of the system's time zone database (package tzdata); without one times are "
     "in UTC.",
     "schedule:\n  cron: \"@daily\"\n  timezone: GMT+1:00",
     "schedule:\n  cron: \"@daily\"\n  timezone: Europe/Berlin"},
    {"spec.too_many", "more of something than a spec can hold",
     "The limits are far above what one spec needs; rows belong into a file, and jobs can be "
     "split over several specs.",
     "for i in $(seq 1100); do echo \"  j$i: {}\"; done >> spec.yaml", "echo '# few' >> spec.yaml"},
    {"spec.type", "a value of another kind than belongs there",
     "Text that looks like a number, a date or true needs quotes where text is meant.",
     "name: 2024", "name: \"2024\""},
    {"spec.undo", "an undo that cannot reverse its item",
     "The undo of an item goes over the connection that the item went over, and names what the "
     "item "
     "has written: ${outputs.…} or ${response.…}, for the row is not there any more.",
     "undo: DELETE /products/1", "undo: DELETE /products/${response.product.id}"},
    {"spec.unknown_column", "columns names a column that the rows do not have",
     "Types are given to columns by their name in the header, letter by letter.",
     "columns: { prise: decimal }", "columns: { price: decimal }"},
    {"spec.unknown_connection", "a connection that is not there",
     "connection names one of those under connections; the name is the spec's own.",
     "connection: shoop", "connection: shop"},
    {"spec.unknown_job", "a need of a job that is not there", "needs names jobs of the same spec.",
     "needs: [prodcuts]", "needs: []"},
    {"spec.unknown_key", "a key that is not known",
     "A key that is misspelt would be a setting that silently does nothing, so it is refused.",
     "max_failure: 5%", "max_failures: 5%"},
    {"spec.unknown_operation", "the API has no such write",
     "`purser operations` lists them. A request that purser does not know can be sent with "
     "custom: true, at most once.",
     "request: PATCH /product/${row.sku}", "request: PATCH /products/${row.sku}"},
    {"spec.unsupported", "a key that this version does not do",
     "The help of the message says what does the same.", "sqlite: rows.db", "csv: rows.csv"},
    {"spec.url", "a base URL that cannot be used",
     "https://HOST[:PORT]/versioned; http only to this machine. No user, password, query or "
     "fragment: they would be sent to whoever answers.",
     "environment: https://rutter.example/api?x=1",
     "environment: https://rutter.example/versioned"},
    {"spec.value", "a value that is not one of those that belong there",
     "The message says what is allowed.", "retry: { first_delay: 2 seconds }",
     "retry: { first_delay: 2s }"},
    {"spec.variable", "a variable that is not there or has no value",
     "--var sets a variable that stands under vars. One whose value comes from the environment "
     "needs a default for where it is not set.",
     "vars: { limit: \"${env.EXAMPLE_LIMIT}\" }", "vars: { limit: \"${env.EXAMPLE_LIMIT ?? 5}\" }"},
    {"spec.version", "a spec of another format",
     "purser: 1 is the format that this program reads. A later one may mean something else by the "
     "same words.",
     "purser: 2", "purser: 1"},
};

MESSAGE_FAMILY(spec, "A key or a value of the spec is wrong.", codes);
