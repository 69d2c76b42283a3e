/* A spec is loaded and its jobs are bound, or there is a message; then each job makes a request of
 * a row, the same one each time, or there is a message: all that needs no file. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/arena.h"
#include "purser/codec/json.h"
#include "purser/codec/spec.h"
#include "purser/core/limits.h"

static const char row_text[] =
    "{\"sku\":\"S-1\",\"id\":\"17\",\"handle\":\"s\",\"name\":\"Größe "
    "\\\"L\\\"\",\"price\":12.340,\"shop\":\"shop\",\"empty\":\"\","
    "\"none\":null,\"yes\":true,\"tags\":[\"a\",\"b\"],\"day\":\"2026-11-26\","
    "\"lines\":[{\"text\":\"x\",\"quantity\":3,\"unit_price\":0.10},{\"text\":\"..\"}]}";
static const char item_text[] = "{\"key\":\"S-1\",\"index\":0,\"line\":2}";
static const char run_text[] = "{\"id\":3,\"started_at\":\"2026-11-26T21:45:00Z\","
                               "\"slot\":\"2026-11-26T21:45:00Z\"}";
static const char needs_text[] =
    "{\"product\":{\"outputs\":{\"id\":\"p-1\",\"product_id\":7},\"response\":{\"product\":{}}}}";

/* What the expressions of a job see. */
struct world {
    struct value row, rows, item, run, needs;
    struct environment environment;
    struct arena arena;
};

static struct value parsed(struct arena *arena, const char *text)
{
    struct value value = {0};
    struct err err = {0};

    if (json_parse(arena, text, strlen(text), &value, &err) != ERR_OK)
        abort();
    return value;
}

static void world_init(struct world *world, struct arena *arena, const struct spec *spec)
{
    struct value *rows = arena_new(arena, 2, sizeof *rows);

    if (rows == NULL)
        abort();
    world->row = rows[0] = rows[1] = parsed(arena, row_text);
    world->rows = (struct value){.kind = VALUE_LIST, .list = {.items = rows, .count = 2}};
    world->item = parsed(arena, item_text);
    world->run = parsed(arena, run_text);
    world->needs = parsed(arena, needs_text);
    arena_init(&world->arena, UNIT_ARENA_BYTES_MAX);
    world->environment = (struct environment){.row = &world->row,
                                              .rows = &world->rows,
                                              .vars = &spec->vars,
                                              .item = &world->item,
                                              .run = &world->run,
                                              .arena = &world->arena};
}

static void evaluate(const struct text_template *text_template, const struct world *world,
                     struct buf *out)
{
    struct eval_error error = {0};
    struct value value;
    struct slice text;

    if (text_template == NULL)
        return;
    if (text_template_evaluate(text_template, &world->environment, &value, &error))
        buf_append_format(out, "%d ", (int)value.kind);
    else
        LAW(error.text[0] != '\0');
    error = (struct eval_error){0};
    if (text_template_text(text_template, &world->environment, &text, &error))
        buf_append(out, text.bytes, text.length);
    else
        LAW(error.text[0] != '\0');
    error = (struct eval_error){0};
    if (text_template_path(text_template, &world->environment, &text, &error))
        buf_append(out, text.bytes, text.length);
    else
        LAW(error.text[0] != '\0');
}

static void render(const struct body_template *body, struct world *world, struct buf *out)
{
    struct eval_error error = {0};
    struct err err = {0};
    struct value value;
    size_t before = out->length;
    enum err_code code;

    if (body == NULL)
        return;
    if (!body_template_render(body, &world->environment, NULL, out, &error)) {
        LAW(error.text[0] != '\0' || out->failed != ERR_OK);
        return;
    }
    if (out->failed != ERR_OK)
        return;
    code = json_parse(&world->arena, out->bytes + before, out->length - before, &value, &err);
    LAW(code == ERR_OK || code == ERR_NO_MEMORY || code == ERR_TOO_BIG);
    LAW(code != ERR_OK || value.kind == VALUE_MAP);
}

static void make_request(const struct job_templates *templates, const struct spec_job *job,
                         struct world *world, struct buf *out)
{
    arena_clear(&world->arena);
    evaluate(templates->key, world, out);
    evaluate(templates->group_by, world, out);
    evaluate(templates->connection, world, out);
    evaluate(templates->condition, world, out);
    evaluate(templates->path, world, out);
    evaluate(templates->order_by, world, out);
    for (size_t i = 0; i < job->need_count; i++) {
        evaluate(templates->needs[i].key, world, out);
        evaluate(templates->needs[i].connection, world, out);
    }
    render(templates->body, world, out);
}

/* The same row gives the same bytes, or its idempotency key would be for another request. */
static void make_requests(const struct job_templates *templates, const struct spec_job *job,
                          struct world *world)
{
    struct buf first, second;

    buf_init(&first, BODY_BYTES_MAX);
    buf_init(&second, BODY_BYTES_MAX);
    for (int known = 0; known < 2; known++) {
        world->environment.needs = known != 0 ? &world->needs : NULL;
        buf_clear(&first);
        buf_clear(&second);
        make_request(templates, job, world, &first);
        make_request(templates, job, world, &second);
        LAW(first.length == second.length && first.failed == second.failed);
        LAW(first.length == 0 || memcmp(first.bytes, second.bytes, first.length) == 0);
    }
    buf_deinit(&first);
    buf_deinit(&second);
}

static void bind_jobs(struct arena *arena, const struct spec *spec, struct diagnostics *diagnostics)
{
    static const struct slice columns[] = {{"sku", 3},   {"id", 2},   {"handle", 6}, {"name", 4},
                                           {"price", 5}, {"shop", 4}, {"empty", 5},  {"none", 4},
                                           {"yes", 3},   {"tags", 4}, {"day", 3},    {"lines", 5}};
    struct world world;

    world_init(&world, arena, spec);
    for (size_t i = 0; i < spec->job_count; i++) {
        struct job_templates templates;
        uint64_t before = diagnostics->error_count;
        enum err_code code =
            spec_job_bind(arena, spec, &spec->jobs[i], columns, sizeof columns / sizeof columns[0],
                          &templates, diagnostics);

        /* A job is bound after others: what it repeats of them is told once. */
        LAW(code == ERR_INPUT || code == ERR_NO_MEMORY || diagnostics->error_count == before);
        LAW(code != ERR_INPUT || diagnostics_has_errors(diagnostics));
        if (code != ERR_OK)
            continue;
        LAW(templates.key != NULL && templates.path != NULL && templates.connection != NULL);
        make_requests(&templates, &spec->jobs[i], &world);
    }
    arena_deinit(&world.arena);
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
    diagnostics_print_json(&diagnostics, &text);
    buf_deinit(&text);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
