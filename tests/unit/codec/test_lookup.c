#include "purser/codec/lookup.h"

#include "spec_fixture.h"

#define INVOICES                                                          \
    "jobs:\n  invoices:\n    source: { csv: p.csv, key: \"${row.a}\" }\n" \
    "    request: POST /accounting/invoices\n    body: { invoice: { document_number: x } }\n"
#define FILTER "filter: 'document_number = \"${body.invoice.document_number}\"'"

static struct arena scratch;
static struct eval_error error;

static int open_scratch(void **state)
{
    arena_init(&scratch, 1 << 20);
    return setup(state);
}

static int close_scratch(void **state)
{
    arena_deinit(&scratch);
    return teardown(state);
}

static const char *with(const char *reconcile)
{
    buf_clear(&text);
    buf_append_format(&text,
                      HEAD "vars: { prefix: INV }\n" CONNECTIONS INVOICES "    reconcile: %s\n",
                      reconcile);
    return buf_text(&text);
}

static const struct lookup *compiled(const char *reconcile)
{
    const struct lookup *lookup;

    loaded(with(reconcile));
    if (lookup_compile(&arena, &spec, &spec.jobs[0], &lookup, &diagnostics) != ERR_OK) {
        buf_clear(&out);
        diagnostics_print(&diagnostics, &out);
        fail_msg("%s", buf_text(&out));
    }
    return lookup;
}

static bool ask(const char *reconcile, const char *body, struct lookup_question *question_out)
{
    const struct lookup_item item = {.key = SLICE("K 1"), .body = slice_of(body), .line = 7};
    bool asked = lookup_ask(compiled(reconcile), &item, &arena, &scratch, question_out, &error);

    arena_clear(&scratch);
    return asked;
}

static void assert_path(const char *reconcile, const char *body, const char *path)
{
    struct lookup_question question;

    if (!ask(reconcile, body, &question))
        fail_msg("%s", error.text);
    if (!slice_is(question.path, path))
        fail_msg("%.*s", (int)question.path.length, question.path.bytes);
}

static void the_question_is_made_of_what_the_ledger_keeps(void **state)
{
    (void)state;
    assert_path("{ request: GET /accounting/invoices, " FILTER " }",
                "{\"invoice\":{\"document_number\":\"A & 1\"}}",
                "/accounting/invoices?filter=document_number%20%3D%20%22A%20%26%201%22");
    assert_path("{ request: GET /accounting/invoices, "
                "filter: 'memo = \"${vars.prefix}-${item.key}-${item.line}\"' }",
                "{}", "/accounting/invoices?filter=memo%20%3D%20%22INV-K%201-7%22");
    assert_path("{ request: GET /accounting/invoices, match: { memo: '${item.key}' } }", "",
                "/accounting/invoices");
    assert_path("{ request: 'GET /accounting/invoices/${item.key}' }", "",
                "/accounting/invoices/K%201");
}

static void only_a_filter_of_one_comparison_is_held_against_what_is_listed(void **state)
{
    static const struct {
        const char *filter, *name, *text;
    } cases[] = {
        {"memo = \"${item.key}\"", "memo", "K 1"},
        {"  memo=\"${item.key}\"  ", "memo", "K 1"},
        {"memo = \"\" ${item.line}", NULL, NULL},
        {"memo = ${item.line}", NULL, NULL},
        {"memo = \"${item.line}", NULL, NULL},
        {"memo = \"${item.key}\" AND id = \"7\"", NULL, NULL},
        {"memo.id = \"${item.key}\"", NULL, NULL},
        {" = \"${item.key}\"", NULL, NULL},
        {"memo > ${item.line}", NULL, NULL},
    };
    struct lookup_question question;
    char reconcile[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(reconcile, sizeof reconcile,
                       "{ request: GET /accounting/invoices, filter: '%s' }", cases[i].filter);
        if (!ask(reconcile, "{}", &question))
            fail_msg("%s: %s", cases[i].filter, error.text);
        if (question.match_count != (cases[i].name != NULL))
            fail_msg("%s: %zu matches", cases[i].filter, question.match_count);
        if (cases[i].name == NULL)
            continue;
        assert_true(slice_is(question.matches[0].name, cases[i].name));
        assert_true(slice_is(question.matches[0].text, cases[i].text));
        assert_true(question.matches[0].may_be_missing);
    }
}

/* A question that lacks a match or its filter would find more than was written. */
static void a_question_for_which_memory_is_short_is_not_asked(void **state)
{
    static const char reconcile[] = "{ request: GET /accounting/invoices, " FILTER
                                    ", match: { memo: '${item.key}', line: '${item.line}' } }";
    const struct lookup_item item = {
        .key = SLICE("K 1"), .body = SLICE("{\"invoice\":{\"document_number\":\"A\"}}"), .line = 7};
    const struct lookup *lookup = compiled(reconcile);
    struct lookup_question question;
    struct arena small;
    bool asked = false;

    (void)state;
    for (size_t bytes = 0; !asked; bytes += 16) {
        arena_init(&small, bytes);
        error.text[0] = '\0';
        asked = lookup_ask(lookup, &item, &small, &scratch, &question, &error);
        arena_clear(&scratch);
        assert_int_equal(error.text[0] == '\0', asked);
        if (asked) {
            assert_int_equal(question.match_count, 3);
            assert_non_null(memchr(question.path.bytes, '?', question.path.length));
        }
        arena_deinit(&small);
    }
}

static void what_would_change_the_meaning_of_the_filter_is_not_asked(void **state)
{
    static const char *const bodies[] = {
        "{\"invoice\":{\"document_number\":\"a\\\" OR id = \\\"b\"}}",
        "{\"invoice\":{\"document_number\":\"a\\\\\"}}",
        "{\"invoice\":{\"document_number\":\"a\\n\"}}",
        "{\"invoice\":{}}",
        "{\"invoice\":{\"document_number\":null}}",
        "{\"invoice\":{\"document_number\":[1]}}",
        "{\"invoice\":",
    };
    struct lookup_question question;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        error.text[0] = '\0';
        if (ask("{ request: GET /accounting/invoices, " FILTER " }", bodies[i], &question) ||
            error.text[0] == '\0')
            fail_msg("%s", bodies[i]);
    }
}

static void a_question_that_fits_no_url_is_not_asked(void **state)
{
    char body[PATH_BYTES_MAX + 100];
    struct lookup_question question;

    (void)state;
    memset(body, 'a', sizeof body);
    memcpy(body, "{\"invoice\":{\"document_number\":\"", 31);
    memcpy(body + sizeof body - 4, "\"}}", 4);
    assert_false(ask("{ request: GET /accounting/invoices, " FILTER " }", body, &question));
    assert_string_equal(error.text, "path and filter are too long for a URL");
}

static struct lookup_page page_of(const char *reconcile, int http_status, const char *answer)
{
    struct lookup_question question;

    assert_true(ask(reconcile, "{\"invoice\":{\"document_number\":\"A\"}}", &question));
    return lookup_read_page(&arena, &question, http_status, slice_of(answer), "application/json");
}

#define BY_FILTER "{ request: GET /accounting/invoices, " FILTER " }"
#define BY_MATCH                            \
    "{ request: GET /accounting/invoices, " \
    "match: { document_number: '${body.invoice.document_number}', total: 5.0 } }"

static void entities_count_when_they_match(void **state)
{
    static const struct {
        const char *reconcile, *answer;
        size_t count;
    } cases[] = {
        {BY_FILTER, "{\"invoices\":[],\"next_cursor\":null}", 0},
        {BY_FILTER, "{\"invoices\":[{\"id\":\"1\"}]}", 1},
        {BY_FILTER, "{\"invoices\":[{\"id\":\"1\"},{\"id\":\"2\",\"document_number\":\"A\"}]}", 2},
        /* The API did not know the filter: what it lists is everything. */
        {BY_FILTER, "{\"invoices\":[{\"id\":\"1\",\"document_number\":\"B\"}]}", 0},
        {BY_FILTER, "{\"connection\":{\"id\":\"c\"},\"invoices\":[{\"id\":\"1\"}]}", 1},
        {BY_FILTER, "{\"invoice\":{\"id\":\"1\",\"line_items\":[]}}", 1},
        {BY_FILTER, "{\"invoices\":[1,null,[]]}", 0},
        {BY_MATCH, "{\"invoices\":[{\"document_number\":\"A\",\"total\":5.0}]}", 1},
        {BY_MATCH, "{\"invoices\":[{\"document_number\":\"A\",\"total\":\"5.0\"}]}", 1},
        {BY_MATCH, "{\"invoices\":[{\"document_number\":\"A\",\"total\":5}]}", 0},
        {BY_MATCH, "{\"invoices\":[{\"document_number\":\"A\",\"total\":null}]}", 0},
        {BY_MATCH, "{\"invoices\":[{\"document_number\":\"A\"}]}", 0},
        {BY_MATCH, "{\"invoices\":[{\"document_number\":\"a\",\"total\":5.0}]}", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lookup_page page = page_of(cases[i].reconcile, 200, cases[i].answer);

        if (!page.is_read || page.count != cases[i].count)
            fail_msg("%s: %zu, %s", cases[i].answer, page.count, page.detail);
    }
}

static void the_found_entity_is_kept_as_the_answer_to_the_write_would_have_been(void **state)
{
    struct lookup_page page =
        page_of(BY_FILTER, 200,
                "{\"invoices\":[{\"id\":\"i-1\",\"created_at\":\"1970-01-01T00:00:09.5Z\"},"
                "{\"id\":7}],\"next_cursor\":\"n\"}");

    (void)state;
    assert_true(slice_is(
        page.entity, "{\"invoice\":{\"id\":\"i-1\",\"created_at\":\"1970-01-01T00:00:09.5Z\"}}"));
    assert_true(slice_is(page.ids[0], "i-1"));
    assert_true(slice_is(page.ids[1], "?"));
    assert_true(slice_is(page.cursor, "n"));
    assert_int_equal(page.created_ms, 9000);
}

static void an_answer_without_a_list_proves_nothing(void **state)
{
    static const struct {
        int http_status;
        const char *answer, *detail;
        bool is_refused;
    } cases[] = {
        {200, "{}", "HTTP 200: the answer has no list", false},
        {200, "", "HTTP 200: the answer has no list", false},
        {200, "[]", "HTTP 200: the answer has no list", false},
        {404, "{\"error_type\":\"T\",\"error_code\":\"C\",\"error_message\":\"no filter\"}",
         "HTTP 404: no filter", false},
        {404, "{\"invoices\":[]}", "HTTP 404", false},
        {500, "", "HTTP 500", false},
        {401, "", "HTTP 401", true},
        {200, "{\"errors\":[{\"code\":1,\"description\":\"bad\"}]}", "HTTP 200: bad", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lookup_page page = page_of(BY_FILTER, cases[i].http_status, cases[i].answer);

        assert_int_equal(page.is_impossible, cases[i].http_status == 404);
        if (page.is_read || page.is_refused != cases[i].is_refused ||
            strcmp(page.detail, cases[i].detail) != 0)
            fail_msg("%s: %s", cases[i].answer, page.detail);
    }
}

static void pages_follow_the_cursor(void **state)
{
    struct lookup_question question;
    char *long_cursor = arena_new(&arena, PATH_BYTES_MAX, 1);

    (void)state;
    assert_true(
        ask("{ request: GET /accounting/invoices, match: { a: '${item.key}' } }", "", &question));
    assert_true(
        slice_is(lookup_page_path(&arena, &question, (struct slice){0}), "/accounting/invoices"));
    assert_true(slice_is(lookup_page_path(&arena, &question, SLICE("a=&b")),
                         "/accounting/invoices?cursor=a%3D%26b"));
    assert_true(
        ask("{ request: GET /accounting/invoices, filter: 'a = ${item.line}' }", "", &question));
    assert_true(slice_is(lookup_page_path(&arena, &question, SLICE("2")),
                         "/accounting/invoices?filter=a%20%3D%207&cursor=2"));
    memset(long_cursor, 'x', PATH_BYTES_MAX);
    assert_int_equal(
        lookup_page_path(&arena, &question, (struct slice){long_cursor, PATH_BYTES_MAX}).length, 0);
}

static void mistakes_in_a_look_up_have_their_place(void **state)
{
    (void)state;
    assert_refused(with("{ filter: '${item.key}' }"),
                   "t.yaml:11:16: error: 'request' is missing in reconcile");
    assert_refused(with("{ request: GET /accounting/invoices }"),
                   "t.yaml:11:16: error: nothing in this look-up differs from item to item");
    assert_refused(with("{ request: POST /accounting/invoices, filter: '${item.key}' }"),
                   "t.yaml:11:27: error: the request is no GET");
    assert_refused(with("{ request: GET /accounting/invoices?a=1, filter: '${item.key}' }"),
                   "t.yaml:11:27: error: the request has a query");
    assert_refused(with("{ request: GET /a, fliter: '${item.key}', match: { a: '${item.key}' } }"),
                   "t.yaml:11:35: error: unknown key 'fliter' in reconcile");
    assert_refused(with("{ request: GET /a, match: { a: '${item.key}', b: [] } }"),
                   "t.yaml:11:65: error: a match is a list, must be text");
    assert_refused(with("GET /a"), "t.yaml:11:16: error: 'reconcile' is text, must be a map");
}

static void a_look_up_fits_its_write(void **state)
{
    (void)state;
    assert_refused(HEAD CONNECTIONS
                   "jobs:\n  p:\n    source: { csv: p.csv, key: \"${row.a}\" }\n"
                   "    request: DELETE /products/1\n"
                   "    reconcile: { request: GET /products, filter: 'id = \"${item.key}\"' }\n",
                   "t.yaml:9:16: error: reconcile looks for what was written, and a DELETE");
    assert_refused(HEAD CONNECTIONS
                   "jobs:\n  p:\n    source: { csv: p.csv, key: \"${row.a}\" }\n"
                   "    request: PATCH /products/1\n    body: { product: { name: x } }\n"
                   "    reconcile: { request: GET /products, filter: 'id = \"${item.key}\"' }\n",
                   "t.yaml:10:16: error: what a PATCH changes is there before and after it");
}

static void lists_that_hold_access_tokens_are_never_kept(void **state)
{
    (void)state;
    assert_refused(with("{ request: GET /connections, filter: 'a = \"${item.key}\"' }"),
                   "t.yaml:11:27: error: connections cannot be looked up");
}

static void names_that_the_ledger_does_not_keep_are_refused_before_anything_is_sent(void **state)
{
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"row.a", "'row' cannot be used here"},
        {"item.index", "item has no 'index'"},
        {"run.id", "'run' cannot be used here"},
        {"vars.prefxi", "there is no variable 'prefxi' in vars"},
    };
    struct job_templates templates;
    char reconcile[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        diagnostics_deinit(&diagnostics);
        snprintf(reconcile, sizeof reconcile,
                 "{ request: GET /accounting/invoices, filter: 'a = \"${%s}\"' }", cases[i].name);
        loaded(with(reconcile));
        spec.validation = VALIDATE_OFF; /* the body is of no interest */
        assert_int_equal(
            spec_job_bind(&arena, &spec, &spec.jobs[0], NULL, 0, &templates, &diagnostics),
            ERR_INPUT);
        buf_clear(&out);
        diagnostics_print(&diagnostics, &out);
        if (diagnostics.error_count != 1 || strstr(buf_text(&out), cases[i].message) == NULL)
            fail_msg("%s", buf_text(&out));
    }
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scratch, close_scratch)

static void a_cursor_has_a_maximum(void **state)
{
    char answer[CURSOR_BYTES_MAX + 64];

    (void)state;
    for (int more = 0; more <= 1; more++) {
        struct lookup_page page;

        (void)snprintf(answer, sizeof answer, "{\"invoices\":[],\"next_cursor\":\"%0*d\"}",
                       CURSOR_BYTES_MAX + more, 1);
        page = page_of(BY_FILTER, 200, answer);
        assert_int_equal(page.is_read, more == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_question_is_made_of_what_the_ledger_keeps),
        TEST(only_a_filter_of_one_comparison_is_held_against_what_is_listed),
        TEST(a_question_for_which_memory_is_short_is_not_asked),
        TEST(what_would_change_the_meaning_of_the_filter_is_not_asked),
        TEST(a_question_that_fits_no_url_is_not_asked),
        TEST(entities_count_when_they_match),
        TEST(the_found_entity_is_kept_as_the_answer_to_the_write_would_have_been),
        TEST(an_answer_without_a_list_proves_nothing),
        TEST(pages_follow_the_cursor),
        TEST(mistakes_in_a_look_up_have_their_place),
        TEST(a_look_up_fits_its_write),
        TEST(lists_that_hold_access_tokens_are_never_kept),
        TEST(names_that_the_ledger_does_not_keep_are_refused_before_anything_is_sent),
        cmocka_unit_test(a_cursor_has_a_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
