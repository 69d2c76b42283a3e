#include "spec_fixture.h"

#include <strings.h>

#include "purser/codec/csv.h"
#include "purser/codec/template.h"

static const char *read_file(const char *name)
{
    FILE *stream = fopen(name, "r");
    char *copy;
    int byte;

    if (stream == NULL)
        return NULL;
    buf_clear(&text);
    while ((byte = fgetc(stream)) != EOF)
        buf_append_byte(&text, (char)byte);
    fclose(stream);
    copy = arena_copy_text(&arena, buf_text(&text), text.length);
    assert_non_null(copy);
    return copy;
}

/* The header of a sample has no quotes. */
static size_t columns_of(const char *file, struct slice columns[64])
{
    const char *at = read_file(file);
    size_t count = 0;

    if (at == NULL)
        return 0;
    for (;; at++) {
        size_t length = strcspn(at, ",\n");

        columns[count++] = (struct slice){at, length};
        at += length;
        if (*at != ',')
            return count;
    }
}

static void bind_jobs(void)
{
    for (size_t i = 0; i < spec.job_count; i++) {
        const struct spec_job *job = &spec.jobs[i];
        struct job_templates templates;
        struct slice columns[64];
        size_t count = job->source.path != NULL ? columns_of(job->source.path, columns) : 0;
        enum err_code code = spec_job_bind(&arena, &spec, job, count > 0 ? columns : NULL, count,
                                           &templates, &diagnostics);

        diagnostics_print(&diagnostics, &out);
        assert_string_equal(buf_text(&out), "");
        assert_int_equal(code, ERR_OK);
        assert_non_null(templates.path);
    }
}

static void load_sample(const char *name, const struct spec_variable *variable)
{
    char file[512];
    const char *yaml;

    snprintf(file, sizeof file, "%s/jobspecs/%s.yaml", TEST_SOURCE_DIR, name);
    yaml = read_file(file);
    assert_non_null(yaml);
    assert_int_equal(load_with(file, yaml, variable, variable != NULL ? 1 : 0), ERR_OK);
    assert_string_equal(buf_text(&out), "");
    assert_string_equal(spec.name, name);
    assert_int_equal(spec.api.environment, ENVIRONMENT_SIMULATOR);
    bind_jobs();
}

static void sample_specs_load_and_fit_their_data(void **state)
{
    static const char *const names[] = {"catalog-upload", "catalog-shopify", "invoice-push",
                                        "products-mixed", "catalog-three-bad-rows"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        load_sample(names[i], NULL);
}

static void shopify_sample_fits_files_of_others(void **state)
{
    static const char *const files[] = {"shopify-apparel.csv", "shopify-home-and-garden.csv"};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct spec_variable file = {.name = SLICE("file")};
        char path[512];

        snprintf(path, sizeof path, "%s/../shared/data/%s", TEST_SOURCE_DIR, files[i]);
        if (access(path, R_OK) != 0) {
            print_message("not tried: %s is not there\n", path);
            continue;
        }
        file.value = slice_of(path);
        load_sample("catalog-shopify", &file);
    }
}

/* -- bodies from real lines ----------------------------------------------------------------------
 */

static struct value cell_value(const struct spec_source *source, struct slice name,
                               struct slice cell)
{
    if (cell.length == 0)
        return (struct value){.kind = VALUE_OMIT};
    for (size_t i = 0; i < source->column_count; i++) {
        enum column_type type = source->columns[i].type;

        if (!slice_equal(source->columns[i].name, name))
            continue;
        if (type == COLUMN_BOOLEAN)
            return (struct value){.kind = VALUE_BOOL,
                                  .boolean = strncasecmp(cell.bytes, "true", 4) == 0};
        if (type == COLUMN_DECIMAL || type == COLUMN_INTEGER)
            return (struct value){.kind = VALUE_NUMBER, .text = cell};
    }
    return (struct value){.kind = VALUE_STRING, .text = cell};
}

static void take_rows(struct csv_reader *reader, const struct spec_source *source, const char *key,
                      const struct slice *columns, struct value *rows)
{
    struct csv_row row;

    while (csv_reader_take(reader, &row)) {
        struct value *items = arena_new(&arena, rows->list.count + 1, sizeof *items);
        struct value *values = arena_new(&arena, row.count, sizeof *values);

        if (!slice_is(row.cells[0], key))
            continue;
        for (size_t i = 0; i < row.count; i++) {
            struct slice cell = {arena_copy_text(&arena, row.cells[i].bytes, row.cells[i].length),
                                 row.cells[i].length};

            values[i] = cell_value(source, columns[i], cell);
        }
        for (size_t i = 0; i < rows->list.count; i++)
            items[i] = rows->list.items[i];
        items[rows->list.count++] = (struct value){
            .kind = VALUE_MAP, .map = {.names = columns, .values = values, .count = row.count}};
        rows->list.items = items;
    }
}

/* The lines whose first cell is `key`, as values that live in the arena. */
static struct value rows_of(const struct spec_source *source, const char *key, size_t *columns_out,
                            struct slice columns[64])
{
    const char *bytes = read_file(source->path);
    struct value rows = {.kind = VALUE_LIST};
    struct csv_reader *reader;
    struct err err = {0};

    assert_non_null(bytes);
    *columns_out = columns_of(source->path, columns);
    assert_int_equal(csv_reader_open(',', &reader, &err), ERR_OK);
    assert_int_equal(csv_reader_feed(reader, bytes, strlen(bytes), &err), ERR_OK);
    take_rows(reader, source, key, columns, &rows);
    assert_int_equal(csv_reader_finish(reader, &err), ERR_OK);
    take_rows(reader, source, key, columns, &rows);
    csv_reader_close(reader);
    assert_true(rows.list.count > 0);
    return rows;
}

/* The body of the item `key` of the first job of a sample. */
static const char *body_of(const char *sample, const char *key)
{
    struct job_templates templates;
    struct eval_error error = {0};
    struct slice columns[64];
    struct value rows;
    size_t count;

    load_sample(sample, NULL);
    rows = rows_of(&spec.jobs[0].source, key, &count, columns);
    assert_int_equal(
        spec_job_bind(&arena, &spec, &spec.jobs[0], columns, count, &templates, &diagnostics),
        ERR_OK);
    buf_clear(&out);
    if (!body_template_render(
            templates.body,
            &(struct environment){
                .row = &rows.list.items[0], .rows = &rows, .vars = &spec.vars, .arena = &arena},
            NULL, &out, &error))
        fail_msg("%s", error.text);
    return buf_text(&out);
}

static void shopify_lines_become_pictures_and_variants(void **state)
{
    (void)state;
    assert_string_equal(
        body_of("catalog-shopify", "oak-tray"),
        "{\"product\":{\"name\":\"Oak Tray\",\"description\":\"<p>Oiled oak, 40 × 30 cm</p>\","
        "\"status\":\"active\",\"tags\":[\"tray\",\"oak\"],\"images\":[{\"src\":"
        "\"https://cdn.example.com/oak-tray-1.jpg\"},{\"src\":"
        "\"https://cdn.example.com/oak-tray-2.jpg\"}],\"variants\":[{\"sku\":\"TRAY-OAK\","
        "\"price\":54.90,\"option_values\":[{\"name\":\"Title\",\"value\":\"Default Title\"}],"
        "\"inventory\":{\"total_count\":20}}]}}");
    assert_string_equal(
        body_of("catalog-shopify", "merino-throw") + strlen("{\"product\":{"),
        "\"name\":\"Merino Throw\",\"description\":\"<p>Woven in Wales</p>\",\"status\":\"draft\","
        "\"tags\":[\"throw\",\"wool\",\"new\"],\"images\":["
        "{\"src\":\"https://cdn.example.com/merino-throw-1.jpg\"},"
        "{\"src\":\"https://cdn.example.com/merino-throw-2.jpg\"},"
        "{\"src\":\"https://cdn.example.com/merino-throw-3.jpg\"}],\"variants\":["
        "{\"sku\":\"THR-CHALK\",\"price\":129.00,\"option_values\":[{\"name\":\"Colour\","
        "\"value\":\"Chalk\"}],\"inventory\":{\"total_count\":3}},"
        "{\"sku\":\"THR-COAL\",\"price\":129.00,\"option_values\":[{\"name\":\"Colour\","
        "\"value\":\"Coal\"}],\"inventory\":{\"total_count\":5}}]}}");
}

static void invoice_lines_keep_their_amounts_as_written(void **state)
{
    const char *body = body_of("invoice-push", "INV-2026-0001");

    (void)state;
    assert_non_null(strstr(body, "{\"invoice\":{\"customer_id\":\"cus_0006\",\"document_number\":"
                                 "\"INV-2026-0001\",\"issue_date\":\"2026-11-01\",\"due_date\":"
                                 "\"2026-12-01\",\"currency_code\":\"EUR\",\"line_items\":["
                                 "{\"description\":\"Side Table\",\"total_amount\":1749.00,"
                                 "\"item\":{\"id\":\"item_053\",\"quantity\":11,\"unit_amount\":"
                                 "159.00}}"));
}

static void column_with_a_type_must_be_there(void **state)
{
    static const struct slice columns[] = {SLICE("sku"), SLICE("price")};
    struct job_templates templates;

    (void)state;
    loaded(HEAD CONNECTIONS "jobs:\n  p:\n    source: { csv: p.csv, key: \"${row.sku}\", columns: "
                            "{ prise: decimal } }\n    request: DELETE /products/${row.sku}\n");
    assert_int_equal(
        spec_job_bind(&arena, &spec, &spec.jobs[0], columns, 2, &templates, &diagnostics),
        ERR_INPUT);
    diagnostics_print(&diagnostics, &out);
    assert_non_null(strstr(buf_text(&out), "t.yaml:7:57: error: no column 'prise' in p.csv   "
                                           "[spec.unknown_column]\n"
                                           "      help: did you mean 'price'?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sample_specs_load_and_fit_their_data),
        TEST(shopify_sample_fits_files_of_others),
        TEST(shopify_lines_become_pictures_and_variants),
        TEST(invoice_lines_keep_their_amounts_as_written),
        TEST(column_with_a_type_must_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
