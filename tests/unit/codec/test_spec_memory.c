/* Specs in arenas of every size: what does not fit is a lack of memory, never a mistake of the
 * user. */
#include "spec_fixture.h"

#include "purser/codec/lookup.h"
#include "purser/codec/undo.h"

enum { STEP_BYTES = 48 };

static char yaml[64 * 1024];

static void read_spec(const char *name)
{
    char path[512];
    size_t length;
    FILE *stream;

    (void)snprintf(path, sizeof path, "%s/%s", TEST_SOURCE_DIR, name);
    stream = fopen(path, "r");
    assert_non_null(stream);
    length = fread(yaml, 1, sizeof yaml - 1, stream);
    yaml[length] = '\0';
    assert_true(length > 0 && feof(stream));
    (void)fclose(stream);
    /* In cases of the command line the runner puts an address there. */
    for (char *at; (at = strstr(yaml, "{sim}")) != NULL;) {
        assert_true(strlen(yaml) + 2 < sizeof yaml);
        memmove(at + 7, at + 5, strlen(at + 5) + 1);
        memcpy(at, "sandbox", 7);
    }
}

static enum err_code compile(const struct spec_job *job)
{
    const struct undo_template *undo;
    struct job_templates templates;
    const struct lookup *lookup;
    enum err_code code = spec_job_bind(&arena, &spec, job, NULL, 0, &templates, &diagnostics);

    if (code == ERR_OK)
        code = lookup_compile(&arena, &spec, job, &lookup, &diagnostics);
    if (code == ERR_OK)
        code = undo_compile(&arena, &spec, job, &undo, &diagnostics);
    return code;
}

static enum err_code load_and_compile(void)
{
    enum err_code code =
        spec_load(&arena, "t.yaml", yaml, strlen(yaml), NULL, 0, &spec, &diagnostics);

    for (size_t i = 0; code == ERR_OK && i < spec.job_count; i++)
        code = compile(&spec.jobs[i]);
    return code;
}

static bool tells_of_something_else(const char *messages)
{
    static const char error[] = ": error: ", lack[] = "out of memory";

    while ((messages = strstr(messages, error)) != NULL) {
        messages += strlen(error);
        if (strncmp(messages, lack, strlen(lack)) != 0)
            return true;
    }
    return false;
}

static void try_all_sizes(const char *name)
{
    enum err_code code = ERR_NO_MEMORY;

    read_spec(name);
    for (size_t bytes = 0; code != ERR_OK; bytes += STEP_BYTES) {
        arena_deinit(&arena);
        arena_init(&arena, bytes);
        diagnostics_deinit(&diagnostics);
        code = load_and_compile();
        buf_clear(&out);
        diagnostics_print(&diagnostics, &out);
        if (code == ERR_OK)
            assert_string_equal(buf_text(&out), "");
        else if ((code != ERR_NO_MEMORY && diagnostics.error_count == 0) ||
                 tells_of_something_else(buf_text(&out)))
            fail_msg("%s in %zu bytes: %d\n%s", name, bytes, (int)code, buf_text(&out));
    }
}

static void a_spec_that_does_not_fit_into_memory_has_no_mistakes(void **state)
{
    static const char *const names[] = {
        "jobspecs/catalog-shopify.yaml",
        "jobspecs/connect-shops.yaml",
        "jobspecs/products-mixed.yaml",
        "jobspecs/sales-to-books.yaml",
        "jobspecs/products-and-variants.yaml",
        "tests/cli/cases/undo_reverses_a_run/spec.yaml",
        "tests/cli/cases/reconcile_by_look_up/spec.yaml",
        "tests/cli/cases/order_by_failed_row_holds_back_its_group/spec.yaml",
        "tests/cli/cases/schedule_next/berlin.yaml",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        try_all_sizes(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_spec_that_does_not_fit_into_memory_has_no_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
