/* What is wrong with a bad job, its source and its request. */
#include "spec_fixture.h"

static void mistakes_in_a_request_are_named_with_a_guess(void **state)
{
    static const struct {
        const char *request, *message;
    } cases[] = {
        {"PUT /products/${row.id}", "the API has no write operation PUT /products/${row.id}   "
                                    "[spec.unknown_operation]\n"
                                    "      help: did you mean 'PATCH /products/{id}'?"},
        {"PUT /products/p-${row.id}.x", "the API has no write operation PUT /products/p-${row.id}.x"
                                        "   [spec.unknown_operation]\n"
                                        "      help: did you mean 'PATCH /products/{id}'?"},
        {"POST /invoices", "the API has no write operation POST /invoices   "
                           "[spec.unknown_operation]\n"
                           "      help: did you mean 'POST /accounting/invoices'?"},
        {"POST /product", "the API has no write operation POST /product   "
                          "[spec.unknown_operation]\n      help: did you mean 'POST /products'?"},
        {"PATCH /acounting/bills/${row.id}", "the API has no write operation PATCH /acounting/"
                                             "bills/${row.id}   [spec.unknown_operation]\n"
                                             "      help: did you mean 'PATCH /accounting/bills/"
                                             "{id}'?"},
        {"POST /versioned/products",
         "the API has no write operation POST /versioned/products   "
         "[spec.unknown_operation]\n      help: did you mean 'POST /products'? "
         "/versioned is in the base URL already (custom: true "
         "sends it as it is, at most once)"},
        {"POST /nothing/like/it", "the API has no write operation POST /nothing/like/it   "
                                  "[spec.unknown_operation]\n      help: purser operations lists "
                                  "what there is (custom: true sends it as it is, at most once)"},
        {"PATCH /products/{id}", "the request has a placeholder where a value must be   "
                                 "[spec.request]\n      help: write an expression: PATCH "
                                 "/products/${row.id}"},
        {"PATCH /products/:id", "the request has a placeholder where a value must be"},
        {"POST /orders/1/${row.a}/2", "the API has no write operation"},
        {"post /products", "'post' is no method of a write   [spec.request]\n"
                           "      help: write POST in capitals"},
        {"GET /products", "'GET' is no method of a write   [spec.request]"},
        {"/products", "'/products' is no method of a write"},
        {"POST", "the request has no path   [spec.request]"},
        {"POST products", "the request has a path that does not start with /"},
        {"POST https://x.example.com/products", "the request has a path that does not start with "
                                                "/   [spec.request]\n      help: the base URL is"},
        {"POST /products?x=1", "the request has a query, which is not supported"},
        {"POST /products//x", "the request has an empty segment"},
        {"POST /products/../orders", "the request has an empty segment or one that starts with a"},
        {"POST /products/", "the request has an empty segment"},
        {"POST /pro ducts", "the request has a character that cannot stand in a path"},
        {"PATCH /products/a b${row.a}", "the request has a character that cannot stand in a path"},
        {"PATCH /products/${row.a}?x=1", "the request has a query, which is not supported"},
        {"PATCH /products/$${row.a}", "the request has a character that cannot stand in a path"},
        {"PATCH /products/..${row.a}", "the request has an empty segment or one that starts with"},
        {"POST /pro%2fducts", "the request has a character that cannot stand in a path"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[400];

        buf_clear(&text);
        buf_append_format(&text,
                          HEAD CONNECTIONS
                          "jobs:\n  p:\n    source: { csv: p.csv, key: \"${row.sku}\" }\n"
                          "    body: { product: { a: 1 } }\n    request: '%s'\n",
                          cases[i].request);
        snprintf(message, sizeof message, "t.yaml:9:14: error: %s", cases[i].message);
        assert_refused(buf_text(&text), message);
    }
}

static void misspelt_accounting_path_is_not_silently_a_custom_object(void **state)
{
    (void)state;
    assert_message(HEAD CONNECTIONS "jobs:\n  p:\n    source: { csv: p.csv, key: \"${row.a}\" }\n"
                                    "    request: POST /accounting/invoces\n",
                   ERR_OK,
                   "t.yaml:8:14: warning: /accounting/invoces is taken for a custom object of the "
                   "platform   [spec.custom_object]\n"
                   "      help: did you mean 'POST /accounting/invoices'?");
}

#define SOURCE "source: { csv: p.csv, key: \"${row.a}\" }"
#define REQUEST "request: POST /products\n    body: { product: { a: 1 } }"
static const struct {
    const char *job, *message;
} job_cases[] = {
    {REQUEST, "t.yaml:7:5: error: 'source' is missing in job 'p'   [spec.required]"},
    {SOURCE, "t.yaml:7:5: error: 'request' is missing in job 'p'"},
    {SOURCE "\n    " REQUEST "\n    conection: shop",
     "t.yaml:10:5: error: unknown key 'conection' in job 'p'   [spec.unknown_key]\n"
     "      help: did you mean 'connection'?"},
    {SOURCE "\n    " REQUEST "\n    zzz: 1",
     "t.yaml:10:5: error: unknown key 'zzz' in job 'p'   [spec.unknown_key]\n"
     "      help: known here: description, connection, source, request, body, if, outputs, "
     "mode, retry, max_failures, when_empty, when_changed, needs, undo, custom, idempotent, "
     "access_tokens, reconcile, order_by\n"},
    {SOURCE "\n    " REQUEST "\n    connection: shpo",
     "t.yaml:10:17: error: no connection 'shpo' under connections   "
     "[spec.unknown_connection]\n      help: did you mean 'shop'?"},
    {SOURCE "\n    " REQUEST "\n    needs: [x]",
     "t.yaml:10:13: error: there is no job 'x'   [spec.unknown_job]"},
    {SOURCE "\n    " REQUEST "\n    undo: DELETE /products/1",
     "t.yaml:10:11: error: nothing in this undo differs from item to item   [spec.undo]"},
    {SOURCE "\n    " REQUEST "\n    query: { a: 1 }",
     "t.yaml:10:5: error: 'query' in job 'p' is not supported by this version"},
    {SOURCE "\n    " REQUEST "\n    mode: later",
     "t.yaml:10:11: error: mode is 'later', must be one of: async, prefer_sync, sync"},
    {SOURCE "\n    request: POST /orders\n    body: { order: { a: 1 } }\n    mode: async",
     "t.yaml:10:11: error: POST /orders takes no response_mode; its answer is always the finished "
     "result   [spec.mode]\n      help: leave mode out, or write mode: sync"},
    {SOURCE "\n    request: POST /rockets\n    custom: true\n    mode: prefer_sync",
     "t.yaml:10:11: error: a custom request is sent as it is, so mode 'prefer_sync' has no place"},
    {SOURCE "\n    " REQUEST "\n    custom: true",
     "t.yaml:8:14: error: POST /products is an operation that is known, so it is not custom   "
     "[spec.custom]\n      help: leave custom out"},
    {SOURCE "\n    " REQUEST "\n    custom: 1",
     "t.yaml:10:13: error: 'custom' is a whole number, must be true or false"},
    {SOURCE "\n    " REQUEST "\n    retry: natural",
     "t.yaml:10:12: error: a POST that is repeated makes a second entity, so its retry cannot be "
     "natural   [spec.natural]\n      help: natural is for PATCH, PUT and DELETE"},
    {SOURCE "\n    " REQUEST "\n    retry: { natural: true }",
     "t.yaml:10:12: error: a POST that is repeated makes a second entity"},
    {SOURCE "\n    " REQUEST "\n    retry: often",
     "t.yaml:10:12: error: retry is 'often', must be natural or a map"},
    {SOURCE "\n    request: DELETE /products/1\n    idempotent: true",
     "t.yaml:9:17: error: the API takes an Idempotency-Key with POST and PATCH, not with DELETE   "
     "[spec.idempotent]\n      help: if a repeat changes nothing more, write retry: natural"},
    {SOURCE "\n    " REQUEST "\n    if: row.a",
     "t.yaml:10:9: error: 'if' has no ${…}   [spec.value]"},
    {SOURCE "\n    " REQUEST "\n    if: true",
     "t.yaml:10:9: error: 'if' is true or false, must be text"},
    {SOURCE "\n    " REQUEST "\n    when_empty: drop",
     "t.yaml:10:17: error: when_empty is 'drop', must be one of: omit, null, error"},
    {SOURCE "\n    " REQUEST "\n    when_changed: skip",
     "t.yaml:10:19: error: when_changed is 'skip', must be one of: resend, keep, error"},
    {SOURCE "\n    " REQUEST "\n    max_failures: -1",
     "t.yaml:10:19: error: max_failures is -1, must be a whole number from 0 to 4294967295"},
    {SOURCE "\n    " REQUEST "\n    max_failures: many",
     "t.yaml:10:19: error: max_failures is 'many'   [spec.value]\n"
     "      help: write a count (50) or a share (5%)"},
    {SOURCE "\n    " REQUEST "\n    retry: { attempts: 0 }",
     "t.yaml:10:24: error: attempts is 0, must be a whole number from 1 to 100"},
    {SOURCE "\n    " REQUEST "\n    retry: { first_delay: 2 }",
     "t.yaml:10:27: error: 'first_delay' is a whole number, must be text"},
    {SOURCE "\n    " REQUEST "\n    retry: { first_delay: 2 s }",
     "t.yaml:10:27: error: first_delay is '2 s', which is no duration   [spec.value]\n"
     "      help: write 500ms, 2s, 5m, 6h or 7d"},
    {SOURCE "\n    " REQUEST "\n    retry: { first_delay: 10m }",
     "t.yaml:10:12: error: first_delay is longer than max_delay"},
    {SOURCE "\n    " REQUEST "\n    outputs: { id: 1 }",
     "t.yaml:10:20: error: an output is a whole number, must be text"},
    {SOURCE "\n    request: POST /products",
     "t.yaml:8:14: error: POST /products needs a body   [spec.body]\n"
     "      help: body: { product: { … } }"},
    {SOURCE "\n    request: POST /products\n    body: { title: x }",
     "t.yaml:9:13: error: the body of POST /products has all its fields below 'product'   "
     "[spec.body]\n      help: body: { product: { … } }"},
    {SOURCE "\n    request: POST /products\n    body: { product: { a: 1 }, x: 1 }",
     "t.yaml:9:32: error: 'x' stands beside 'product' in the body; POST /products takes only"},
    {SOURCE "\n    request: POST /products\n    body: { response_mode: async, product: {a: 1}}",
     "t.yaml:9:13: error: purser puts response_mode into the body itself   [spec.body]"},
    {SOURCE "\n    request: DELETE /products/${row.a}\n    body: { product: { a: 1 } }",
     "t.yaml:9:11: error: DELETE /products/{id} takes no body   [spec.body]"},
    {SOURCE "\n    request: POST /products\n    body: text",
     "t.yaml:9:11: error: 'body' is text, must be a map   [spec.type]"},
};

static void mistakes_in_a_job_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof job_cases / sizeof *job_cases; i++) {
        buf_clear(&text);
        buf_append_format(&text, HEAD CONNECTIONS "jobs:\n  p:\n    %s\n", job_cases[i].job);
        /* A missing body is found besides a body of the wrong kind. */
        if (strstr(job_cases[i].job, "body: text") != NULL)
            assert_message(buf_text(&text), ERR_INPUT, job_cases[i].message);
        else
            assert_refused(buf_text(&text), job_cases[i].message);
    }
}

static void mistakes_in_a_source_are_named(void **state)
{
    static const struct {
        const char *source, *message;
    } cases[] = {
        {"csv: p.csv", "7:13: error: 'key' is missing in source   [spec.required]"},
        {"key: '${row.a}'", "7:13: error: the source does not say where the rows are   "
                            "[spec.required]"},
        {"csv: p.csv, ndjson: p, key: '${row.a}'", "7:35: error: the source has both 'csv' and "},
        {"csv: p.csv, key: a", "7:32: error: 'key' is the same for every row   "
                               "[spec.constant_key]"},
        {"csv: p.csv, key: '$${row.a}'", "7:32: error: 'key' is the same for every row"},
        {"csv: p.csv, key: '${row.a}', group_by: a", "7:54: error: 'group_by' is the same for "},
        {"csv: '', key: '${row.a}'", "7:20: error: csv is empty   [spec.value]"},
        {"command: [ls], key: '${row.a}'", "7:24: error: 'format' of the command's output is "},
        {"command: [], format: csv, key: '${row.a}'", "7:24: error: a command has 1 to 1000 words"},
        {"command: [''], format: csv, key: '${row.a}'", "7:25: error: the command has no name"},
        {"command: [ls, [a]], format: csv, key: '${row.a}'",
         "7:29: error: an argument of the command is a list, must be text"},
        {"command: [ls], format: xml, key: '${row.a}'", "7:38: error: format"},
        {"command: [ls], format: csv, timeout: 1ms, key: '${row.a}'", "7:52: error: timeout"},
        {"csv: a, format: csv, key: '${row.a}'", "7:31: error: 'format' is only for a command"},
        {"csv: a, timeout: 2s, key: '${row.a}'", "7:32: error: 'timeout' is only for a command"},
        {"csv: a, at: b, key: '${row.a}'", "7:27: error: 'at' is only for json"},
        {"json: a, at: b..c, key: '${row.a}'", "7:28: error: 'at' is 1 to 8 names with dots"},
        {"json: a, skip_lines: 1, key: '${row.a}'", "7:36: error: 'skip_lines' is only for csv"},
        {"csv: a, skip_lines: 1000001, key: '${row.a}'", "7:35: error: skip_lines"},
        {"csv: a, quote: ab, key: '${row.a}'", "7:30: error: the quote must be one ASCII "},
        {"csv: a, quote: ';', delimiter: ';', key: '${row.a}'",
         "7:30: error: quote and delimiter are the same"},
        {"csv: a, encoding: ebcdic, key: '${row.a}'", "7:33: error: encoding"},
        {"inline: [], encoding: utf-8, key: '${row.a}'", "7:37: error: rows in the spec have no "},
        {"csv: a, header: [], key: '${row.a}'", "7:31: error: a header has 1 to 4096 names"},
        {"csv: a, header: [a, b, a], key: '${row.a}'", "7:38: error: the column name 'a' stands "},
        {"csv: a, header: [a, ''], key: '${row.a}'", "7:35: error: the name of a column is empty"},
        {"sqlite: a.db, key: '${row.a}'", "7:15: error: 'sqlite' in source is not supported"},
        {"inline: [ 1 ], key: '${row.a}'", "7:25: error: a row is a whole number, must be a map"},
        {"inline: { a: 1 }, key: '${row.a}'", "7:23: error: 'inline' is a map, must be a list"},
        {"csv: a, key: '${row.a}', delimiter: ';;'", "7:51: error: the delimiter must be one"},
        {"csv: a, key: '${row.a}', delimiter: '\"'", "7:51: error: the delimiter must be one"},
        {"ndjson: a, key: '${row.a}', delimiter: ';'", "7:54: error: 'delimiter' is only for csv"},
        {"csv: a, key: '${row.a}', columns: { p: money }",
         "7:54: error: column 'p' has the unknown type 'money'   [spec.value]"},
        {"csv: a, key: '${row.a}', columns: { p: list() }",
         "7:54: error: column 'p' has the unknown type 'list()'"},
        {"csv: a, key: '${row.a}', columns: { p: 1 }",
         "7:54: error: the type of a column is a whole number, must be text"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[200];

        buf_clear(&text);
        buf_append_format(&text,
                          HEAD CONNECTIONS "jobs:\n  p:\n    source: { %s }\n    request: POST "
                                           "/products\n    body: { product: { a: 1 } }\n",
                          cases[i].source);
        snprintf(message, sizeof message, "t.yaml:%s", cases[i].message);
        assert_refused(buf_text(&text), message);
    }
}

static void job_must_say_its_connection_when_there_are_several(void **state)
{
    (void)state;
    assert_refused(HEAD "connections: { a: { access_token: { env: T } }, b: { access_token: "
                        "{ env: T } } }\n" JOBS,
                   "t.yaml:5:3: error: job 'products' does not say which connection it writes to"
                   "   [spec.required]");
    assert_refused(HEAD JOBS, "t.yaml:4:3: error: job 'products' does not say which connection");
    assert_refused(HEAD CONNECTIONS "defaults: { connection: x }\n" JOBS,
                   "t.yaml:5:25: error: no connection 'x' under connections");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mistakes_in_a_request_are_named_with_a_guess),
        TEST(misspelt_accounting_path_is_not_silently_a_custom_object),
        TEST(mistakes_in_a_job_are_named),
        TEST(mistakes_in_a_source_are_named),
        TEST(job_must_say_its_connection_when_there_are_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
