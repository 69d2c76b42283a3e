#include "purser/cli/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct options options;
static struct session session = {
    .options = &options, .spec = {.file = "spec.yaml", .name = "demo", .connection_count = 2}};
static struct finding finding;
static struct buf out;

static int setup(void **context)
{
    (void)context;
    options = (struct options){.output = OUTPUT_TABLE};
    session.spec.connection_count = 2;
    finding = (struct finding){.job = "orders",
                               .connection = "shop",
                               .key = SLICE("it's; a key"),
                               .proposal = PROPOSE_LOOK,
                               .job_detail = "",
                               .lookup_detail = ""};
    buf_init(&out, 1 << 16);
    return 0;
}

static int teardown(void **context)
{
    (void)context;
    buf_deinit(&out);
    return 0;
}

static const char *text_of(void)
{
    buf_clear(&out);
    reconcile_append(&session, &finding, true, false, &out);
    return buf_text(&out);
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in\n%s", part, text);
}

static void a_proposed_command_can_be_pasted_into_a_shell(void **context)
{
    (void)context;
    has(text_of(), "'orders/it'\\''s; a key'");
    has(text_of(), "--connection shop");
    session.spec.connection_count = 1;
    assert_null(strstr(text_of(), "--connection"));
    finding.key = SLICE("plain-1");
    has(text_of(), "explain spec.yaml orders/plain-1\n");
}

static void of_many_that_were_found_the_first_are_named(void **context)
{
    (void)context;
    finding.evidence.lookup = LOOKUP_FOUND_SEVERAL;
    finding.found_count = LOOKUP_IDS_MAX + 2;
    for (size_t i = 0; i < LOOKUP_IDS_MAX; i++)
        finding.ids[i] = SLICE("entity-1");
    has(text_of(), "entity-1, entity-1 and 2 more\n");
    finding.found_count = 2;
    has(text_of(), "found: entity-1, entity-1\n");
    options.output = OUTPUT_NDJSON;
    finding.found_count = LOOKUP_IDS_MAX + 2;
    has(text_of(), "[\"entity-1\",\"entity-1\"");
}

static void a_list_of_findings_is_one_json_array(void **context)
{
    (void)context;
    options.output = OUTPUT_JSON;
    buf_clear(&out);
    reconcile_append_begin(OUTPUT_JSON, &out);
    reconcile_append_end(OUTPUT_JSON, true, &out);
    assert_string_equal(buf_text(&out), "[]\n");
    buf_clear(&out);
    reconcile_append_begin(OUTPUT_JSON, &out);
    reconcile_append(&session, &finding, true, false, &out);
    reconcile_append(&session, &finding, false, false, &out);
    reconcile_append_end(OUTPUT_JSON, false, &out);
    assert_int_equal(strncmp(buf_text(&out), "[\n{", 3), 0);
    has(buf_text(&out), "},\n{");
    has(buf_text(&out), "}\n]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_proposed_command_can_be_pasted_into_a_shell, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(of_many_that_were_found_the_first_are_named, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_list_of_findings_is_one_json_array, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
