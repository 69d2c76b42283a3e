/* A spec is loaded and its jobs are bound, or there is a message. */
#include "fuzz.h"
#include "purser/base/arena.h"
#include "purser/codec/spec.h"

static void bind_jobs(struct arena *arena, const struct spec *spec, struct diagnostics *diagnostics)
{
    static const struct slice columns[] = {{"sku", 3}, {"name", 4}, {"price", 5}, {"shop", 4}};

    for (size_t i = 0; i < spec->job_count; i++) {
        struct job_templates templates;
        uint64_t before = diagnostics->error_count;
        enum err_code code =
            spec_job_bind(arena, spec, &spec->jobs[i], columns, sizeof columns / sizeof columns[0],
                          &templates, diagnostics);

        LAW((code == ERR_INPUT) == (diagnostics->error_count > before) || code == ERR_NO_MEMORY);
        if (code == ERR_OK)
            LAW(templates.key != NULL && templates.path != NULL && templates.connection != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena arena;
    struct diagnostics diagnostics;
    struct spec spec;
    struct buf text;
    enum err_code code;

    arena_init(&arena, 256u * 1024 * 1024);
    diagnostics_init(&diagnostics);
    buf_init(&text, 16u * 1024 * 1024);
    code =
        spec_load(&arena, "fuzz.yaml", (const char *)bytes, length, NULL, 0, &spec, &diagnostics);
    LAW((code == ERR_INPUT) == diagnostics_has_errors(&diagnostics) || code == ERR_NO_MEMORY);
    if (code == ERR_OK)
        bind_jobs(&arena, &spec, &diagnostics);
    diagnostics_print(&diagnostics, &text);
    buf_deinit(&text);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
