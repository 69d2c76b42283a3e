#include "purser/cli/check_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct diagnostics diagnostics;
static struct buf out;

static int setup(void **context)
{
    (void)context;
    diagnostics_init(&diagnostics);
    buf_init(&out, 8 << 20);
    return 0;
}

static int teardown(void **context)
{
    (void)context;
    diagnostics_deinit(&diagnostics);
    buf_deinit(&out);
    return 0;
}

static void add(enum diag_severity severity, struct place place, const char *code, const char *help)
{
    diagnostics_add(&diagnostics, severity, place, code, help, "50%% is wrong");
}

static const char *report(bool sarif, const char *folder, const char *failure)
{
    struct check_report report = {.diagnostics = &diagnostics,
                                  .failure = failure,
                                  .folder = folder,
                                  .exit_status = failure == NULL ? 0 : 2};

    buf_clear(&out);
    if (sarif)
        check_report_sarif(&report, &out);
    else
        check_report_github(&report, &out);
    return buf_text(&out);
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in\n%.3000s", part, text);
}

static void paths_are_relative_below_the_folder_alone(void **context)
{
    static const char *const paths[][2] = {
        {"/work/specs/a.yaml", "specs/a.yaml"},
        {"/works/a.yaml", "/works/a.yaml"},
        {"././a.yaml", "a.yaml"},
        {"/elsewhere/a.yaml", "/elsewhere/a.yaml"},
        {"/work", "/work"},
    };

    (void)context;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char wanted[64];

        diagnostics_deinit(&diagnostics);
        diagnostics_init(&diagnostics);
        add(DIAG_ERROR, (struct place){.file = paths[i][0]}, "spec.value", NULL);
        (void)snprintf(wanted, sizeof wanted, "::error file=%s,title=spec.value::", paths[i][1]);
        has(report(false, "/work", "2 errors"), wanted);
        (void)snprintf(wanted, sizeof wanted, "::error file=%s,", paths[i][0]);
        if (strncmp(paths[i][0], "./", 2) != 0)
            has(report(false, "", "2 errors"), wanted);
    }
}

static void as_much_of_a_place_as_is_known_is_told(void **context)
{
    struct place place = {.file = "a b-C.yaml"};

    (void)context;
    add(DIAG_WARNING, (struct place){.file = NULL}, "made.up", "do something\nelse");
    add(DIAG_ERROR, place, "spec.value", NULL);
    place.line = 3;
    add(DIAG_ERROR, place, "spec.type", NULL);
    place.column = 7;
    add(DIAG_ERROR, place, "spec.required", NULL);
    place.width = 4;
    add(DIAG_ERROR, place, "spec.schedule", NULL);

    has(report(false, "/work", "4 errors"),
        "::warning title=made.up::50%25 is wrong%0Ahelp: do something%0Aelse\n");
    has(buf_text(&out), "::error file=a b-C.yaml,title=spec.value::50%25 is wrong\n");
    has(buf_text(&out), "::error file=a b-C.yaml,line=3,title=spec.type::");
    has(buf_text(&out), "::error file=a b-C.yaml,line=3,col=7,endColumn=8,title=spec.required::");
    has(buf_text(&out), "::error file=a b-C.yaml,line=3,col=7,endColumn=11,title=spec.schedule::");

    /* A code that is not among the rules has no index, and what has no file no location. */
    has(report(true, "/work", "4 errors"),
        "{\"ruleId\":\"made.up\",\"level\":\"warning\",\"message\":{\"text\":"
        "\"50% is wrong\\nhelp: do something\\nelse\"}}");
    has(buf_text(&out), "\"uri\":\"a%20b-C.yaml\",\"uriBaseId\":\"%SRCROOT%\"}}}]}");
    has(buf_text(&out), "\"region\":{\"startLine\":3}}}]}");
    has(buf_text(&out), "\"region\":{\"startLine\":3,\"startColumn\":7,\"endColumn\":8}}}]}");
    has(buf_text(&out), "\"region\":{\"startLine\":3,\"startColumn\":7,\"endColumn\":11}}}]}");
}

static void what_was_only_counted_is_not_kept_from_the_reader(void **context)
{
    (void)context;
    for (uint32_t i = 0; i < 100000 && diagnostics.warning_count == diagnostics.count; i++)
        add(DIAG_WARNING, (struct place){.file = "a.yaml", .line = i + 1}, "spec.value", NULL);
    assert_true(diagnostics.warning_count > diagnostics.count);
    has(report(false, "", NULL), "::warning title=purser::1 more messages\n");
    add(DIAG_ERROR, (struct place){.file = "a.yaml"}, "spec.value", NULL);
    has(report(false, "", "1 error"), "::error title=purser::2 more messages\n");
}

static void a_failure_without_a_message_is_told(void **context)
{
    (void)context;
    assert_string_equal(report(false, "", NULL), "");
    assert_string_equal(report(false, "", "the disk is 100% full\n"),
                        "::error title=purser::the disk is 100%25 full%0A\n");
    has(report(true, "", "the disk is full"), "the disk is full");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paths_are_relative_below_the_folder_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(as_much_of_a_place_as_is_known_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_only_counted_is_not_kept_from_the_reader, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_failure_without_a_message_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
