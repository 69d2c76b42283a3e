/* CPU time of rendering one row: a body of about 300 bytes with ten fields of a row in it, beside
 * the same bytes written by snprintf.
 *
 * usage: bench-render [ROWS]
 *
 * Goal: under 2 µs a row. Prints the best of many short rounds, for others use the machine as well;
 * exit status 1 when the goal is missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "purser/codec/json.h"
#include "purser/codec/template.h"
#include "purser/core/limits.h"

enum { ROUNDS = 60, ROWS = 20000, GOAL_NS = 2000, FIELDS = 10, VARIANTS = 64 };

static const char body_text[] = "product:\n"
                                "  name: ${vars.brand} ${row.name}\n"
                                "  description: ${row.description}\n"
                                "  status: active\n"
                                "  tags: ${row.tags}\n"
                                "  images:\n"
                                "    - src: https://img.example.com/${row.sku | lower}.jpg\n"
                                "  variants:\n"
                                "    - sku: ${row.sku}\n"
                                "      price: ${row.price}\n"
                                "      list_price: ${(row.price * 1.19) | round(2)}\n"
                                "      option_values:\n"
                                "        - { name: size, value: \"${row.size}\" }\n"
                                "      inventory:\n"
                                "        total_count: ${if(row.stock > 0, row.stock, 0)}\n";

static const char row_format[] =
    "{\"sku\":\"RUTTER-%04d\",\"name\":\"Shirt %d\",\"description\":\"A shirt with a "
    "\\\"collar\\\"\",\"tags\":[\"shirt\",\"cotton\"],\"price\":%d.50,\"stock\":%d,"
    "\"size\":\"XL\"}";

struct bench {
    struct arena spec, unit;
    struct diagnostics diagnostics;
    struct body_template *body;
    struct value rows[VARIANTS], vars;
    struct buf out;
};

static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench-render: %s\n", what);
    exit(2);
}

static struct value parse(struct bench *bench, const char *json)
{
    char *copy = arena_copy_text(&bench->spec, json, strlen(json));
    struct value value = {0};
    struct err err = {0};

    if (copy == NULL || json_parse(&bench->spec, copy, strlen(copy), &value, &err) != ERR_OK)
        die(err.text);
    return value;
}

static void load(struct bench *bench)
{
    struct scope scope = {.parts = SCOPE_ROW | SCOPE_VARS};
    const struct yaml_node *root;
    struct slice columns[16];
    char text[1024];

    bench->vars = parse(bench, "{\"brand\":\"Rutter\"}");
    for (int i = 0; i < VARIANTS; i++) {
        snprintf(text, sizeof text, row_format, i, i, 10 + i, i);
        bench->rows[i] = parse(bench, text);
    }
    for (size_t i = 0; i < bench->rows[0].map.count; i++)
        columns[i] = bench->rows[0].map.names[i];
    scope.columns = columns;
    scope.column_count = bench->rows[0].map.count;
    scope.vars = &bench->vars;
    if (yaml_parse(&bench->spec, "body.yaml", body_text, strlen(body_text), &root,
                   &bench->diagnostics) == ERR_OK)
        bench->body =
            body_template_compile(&bench->spec, root, &scope, WHEN_EMPTY_OMIT, &bench->diagnostics);
    if (bench->body == NULL)
        die("the body does not compile");
}

static void render(struct bench *bench, int i)
{
    const struct environment environment = {
        .row = &bench->rows[i % VARIANTS], .vars = &bench->vars, .arena = &bench->unit};
    struct eval_error error;

    arena_clear(&bench->unit);
    buf_clear(&bench->out);
    if (!body_template_render(bench->body, &environment, "\"response_mode\":\"async\"", &bench->out,
                              &error))
        die(error.text);
}

/* The same bytes from values that are ready: what no renderer can do without. */
static void print(struct bench *bench, int i)
{
    char body[1024];
    int n = i % VARIANTS, cents = ((10 + n) * 100 + 50) * 119 + 50; /* half a cent goes up */

    snprintf(
        body, sizeof body,
        "{\"response_mode\":\"async\",\"product\":{\"name\":\"%s %s%d\",\"description\":\"%s\","
        "\"status\":\"active\",\"tags\":[\"%s\",\"%s\"],\"images\":[{\"src\":\"https://"
        "img.example.com/%s%04d.jpg\"}],\"variants\":[{\"sku\":\"%s%04d\",\"price\":%d.50,"
        "\"list_price\":%d.%02d,\"option_values\":[{\"name\":\"size\",\"value\":\"%s\"}],"
        "\"inventory\":{\"total_count\":%d}}]}}",
        "Rutter", "Shirt ", n, "A shirt with a \\\"collar\\\"", "shirt", "cotton", "rutter-", n,
        "RUTTER-", n, 10 + n, cents / 10000, cents / 100 % 100, "XL", n);
    buf_clear(&bench->out);
    buf_append_text(&bench->out, body);
}

static int64_t best_of(struct bench *bench, void (*work)(struct bench *bench, int i), int rows)
{
    int64_t best = INT64_MAX;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t begin = cpu_ns(), spent;

        for (int i = 0; i < rows; i++)
            work(bench, i);
        spent = (cpu_ns() - begin) / rows;
        best = spent < best ? spent : best;
    }
    return best;
}

/* Both must write the same, or the comparison says nothing. */
static size_t check(struct bench *bench)
{
    char *rendered;
    size_t length = 0;

    for (int i = 0; i < VARIANTS; i++) {
        render(bench, i);
        length = bench->out.length;
        rendered = arena_copy_text(&bench->spec, buf_text(&bench->out), length);
        print(bench, i);
        if (rendered == NULL || strcmp(rendered, buf_text(&bench->out)) != 0) {
            fprintf(stderr, "%s\n%s\n", rendered, buf_text(&bench->out));
            die("the two bodies differ");
        }
    }
    return length;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    int rows = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROWS;
    int64_t rendered, printed;
    size_t length;

    if (rows < 1)
        die("usage: bench-render [ROWS]");
    arena_init(&bench.spec, SPEC_ARENA_BYTES_MAX);
    arena_init(&bench.unit, UNIT_ARENA_BYTES_MAX);
    diagnostics_init(&bench.diagnostics);
    buf_init(&bench.out, BODY_BYTES_MAX);
    load(&bench);
    length = check(&bench);
    rendered = best_of(&bench, render, rows);
    printed = best_of(&bench, print, rows);
    printf("a body of %zu bytes with %d fields, CPU time of one row:\n"
           "  rendered  %5lld ns  (goal: under %d)\n"
           "  snprintf  %5lld ns\n",
           length, FIELDS, (long long)rendered, GOAL_NS, (long long)printed);
    buf_deinit(&bench.out);
    diagnostics_deinit(&bench.diagnostics);
    arena_deinit(&bench.spec);
    arena_deinit(&bench.unit);
    return rendered < GOAL_NS ? 0 : 1;
}
