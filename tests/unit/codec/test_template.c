#include "purser/codec/template.h"

#include "expr_fixture.h"

static const struct body_template *compile(const char *yaml, enum when_empty when_empty)
{
    return body_template_compile(&fixture.spec_arena, fixture_yaml(yaml), &fixture.scope,
                                 when_empty, &fixture.diagnostics);
}

/* The body as JSON, or "!text" when it cannot be rendered. */
static const char *rendered_as(const char *yaml, enum when_empty when_empty,
                               const char *first_member)
{
    const struct body_template *body = compile(yaml, when_empty);

    if (body == NULL)
        fail_msg("%s", fixture_messages());
    buf_clear(&fixture.out);
    memset(&fixture.error, 0xff, sizeof fixture.error);
    if (!body_template_render(body, &fixture.environment, first_member, &fixture.out,
                              &fixture.error)) {
        buf_clear(&fixture.out);
        buf_append_format(&fixture.out, "!%s", fixture.error.text);
    }
    return buf_text(&fixture.out);
}

static const char *rendered(const char *yaml)
{
    return rendered_as(yaml, WHEN_EMPTY_OMIT, NULL);
}

static const char *refused(const char *yaml)
{
    assert_null(compile(yaml, WHEN_EMPTY_OMIT));
    return fixture_messages();
}

static void body_of_the_catalogue_is_rendered(void **state)
{
    (void)state;
    fixture_row("{\"sku\":\"RUT-1\",\"name\":\"Shirt \\\"XL\\\"\",\"price\":19.90,\"stock\":7,"
                "\"tags\":[\"a\",\"b\"],\"size\":\"XL\"}");
    assert_string_equal(
        rendered_as("v:\n"
                    "  product:\n"
                    "    name: ${vars.brand} ${row.name}\n"
                    "    description: ${row.description}\n"
                    "    status: active\n"
                    "    tags: ${row.tags}\n"
                    "    images:\n"
                    "      - src: https://cdn.example.com/img/${row.sku | lower}.jpg\n"
                    "    variants:\n"
                    "      - sku: ${row.sku}\n"
                    "        price: ${row.price}\n"
                    "        option_values:\n"
                    "          - { name: size, value: \"${row.size}\" }\n"
                    "        inventory: { total_count: \"${row.stock}\" }\n",
                    WHEN_EMPTY_OMIT, "\"response_mode\":\"async\""),
        "{\"response_mode\":\"async\",\"product\":{\"name\":\"Rutter Shirt \\\"XL\\\"\","
        "\"status\":\"active\",\"tags\":[\"a\",\"b\"],"
        "\"images\":[{\"src\":\"https://cdn.example.com/img/rut-1.jpg\"}],"
        "\"variants\":[{\"sku\":\"RUT-1\",\"price\":19.90,"
        "\"option_values\":[{\"name\":\"size\",\"value\":\"XL\"}],"
        "\"inventory\":{\"total_count\":7}}]}}");
}

static void constants_keep_their_text_and_type(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_string_equal(rendered("v: {a: 1.50, b: true, c: \"12\", d: 0123, e: [], f: {}, "
                                 "g: [1, [2]], \"h\\\"\": \"\"}"),
                        "{\"a\":1.50,\"b\":true,\"c\":\"12\",\"d\":\"0123\",\"e\":[],\"f\":{},"
                        "\"g\":[1,[2]],\"h\\\"\":\"\"}");
    assert_string_equal(rendered("v: {}"), "{}");
    assert_string_equal(rendered_as("v: {}", WHEN_EMPTY_OMIT, "\"a\":1"), "{\"a\":1}");
    assert_string_equal(rendered_as("v: {b: 2}", WHEN_EMPTY_OMIT, "\"a\":1"), "{\"a\":1,\"b\":2}");
}

static void missing_fields_take_their_commas_along(void **state)
{
    (void)state;
    fixture_row("{\"x\":1}");
    assert_string_equal(rendered("v: {a: \"${row.n}\", b: \"${row.x}\", c: \"${row.n}\", "
                                 "d: \"${row.x}\", e: \"${row.n}\"}"),
                        "{\"b\":1,\"d\":1}");
    assert_string_equal(rendered("v: {a: [\"${row.n}\", \"${row.x}\", \"${row.n}\", 2]}"),
                        "{\"a\":[1,2]}");
}

static void what_is_empty_after_leaving_out_is_left_out(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_string_equal(rendered("v: {a: {b: {c: \"${row.n}\"}, d: [\"${row.n}\"]}, e: 1}"),
                        "{\"e\":1}");
    assert_string_equal(rendered("v: {a: {b: \"${row.n}\", c: {}}, d: [[], \"${row.n}\"]}"),
                        "{\"a\":{\"c\":{}},\"d\":[[]]}");
    assert_string_equal(rendered("v: {a: \"${row.n}\"}"), "{}");
}

static void when_empty_says_what_a_gap_does(void **state)
{
    const char yaml[] = "v:\n  p:\n    a: ${row.n}\n    b: ${row.n ?? omit}\n    c: 1\n";

    (void)state;
    fixture_row("{}");
    assert_string_equal(rendered_as(yaml, WHEN_EMPTY_OMIT, NULL), "{\"p\":{\"c\":1}}");
    assert_string_equal(rendered_as(yaml, WHEN_EMPTY_NULL, NULL), "{\"p\":{\"a\":null,\"c\":1}}");
    assert_string_equal(rendered_as(yaml, WHEN_EMPTY_ERROR, NULL),
                        "!body/p/a: the value is missing, and when_empty says error (key K1)");
    assert_int_equal(fixture.error.place.line, 3);
    assert_int_equal(fixture.error.place.column, 8);
}

static void null_is_sent_only_when_asked_for(void **state)
{
    (void)state;
    fixture_row("{\"n\":null}");
    assert_string_equal(rendered("v: {a: \"${row.n}\"}"),
                        "!body/a: the value is null, which the API refuses (key K1)");
    assert_contains(fixture.error.help, "?? omit");
    assert_string_equal(rendered("v: {a: \"${row.n ?? omit}\"}"), "{}");
    assert_string_equal(rendered_as("v: {a: \"${row.n}\", b: null}", WHEN_EMPTY_NULL, NULL),
                        "{\"a\":null,\"b\":null}");
    assert_contains(refused("v: {a: null}"), "the API refuses null");
    assert_contains(refused("v: {a: ~}"), "the API refuses null");
    assert_contains(refused("v: {a: \"${null}\"}"), "the API refuses null");
    assert_contains(refused("v:\n  a:\n"), "there is no value here");
    assert_null(compile("v:\n  a:\n", WHEN_EMPTY_NULL));
}

static void loop_gives_a_list(void **state)
{
    (void)state;
    fixture_row("{\"lines\":[{\"t\":\"x\",\"q\":2,\"p\":19.99},{\"t\":\"y\",\"q\":1,\"p\":5},"
                "{\"q\":0,\"p\":1}],\"none\":[],\"no\":\"1\"}");
    assert_string_equal(rendered("v:\n"
                                 "  items:\n"
                                 "    $for: line in row.lines\n"
                                 "    $do:\n"
                                 "      text: ${line.t}\n"
                                 "      total: ${line.q * line.p}\n"
                                 "  last: 1\n"),
                        "{\"items\":[{\"text\":\"x\",\"total\":39.98},"
                        "{\"text\":\"y\",\"total\":5},{\"total\":0}],\"last\":1}");
    assert_string_equal(rendered("v: {a: {$for: l in row.lines, $do: \"${l.t}\"}}"),
                        "{\"a\":[\"x\",\"y\"]}");
    assert_string_equal(rendered("v: {a: {$for: '  l  in  row.lines ', $do: \"${l.q}\"}}"),
                        "{\"a\":[2,1,0]}");
    assert_string_equal(rendered("v: {a: {$for: l in row.none, $do: \"${l.t}\"}}"), "{\"a\":[]}");
    assert_string_equal(rendered("v: {a: {$for: l in row.missing, $do: \"${l.t}\"}}"), "{}");
    assert_string_equal(rendered("v: {a: {$for: l in row.no, $do: \"${l.t}\"}}"),
                        "!body/a: row.no is text, not a list (key K1)");
}

static void loops_nest_and_errors_say_where(void **state)
{
    (void)state;
    fixture_row("{\"a\":[{\"n\":1,\"b\":[1,2]},{\"n\":2,\"b\":[3]}],\"bad\":[{\"x\":[1,\"z\"]}]}");
    assert_string_equal(rendered("v:\n"
                                 "  r:\n"
                                 "    $for: outer in row.a\n"
                                 "    $do:\n"
                                 "      $for: inner in outer.b\n"
                                 "      $do: ${outer.n}-${inner}\n"),
                        "{\"r\":[[\"1-1\",\"1-2\"],[\"2-3\"]]}");
    assert_string_equal(rendered("v:\n"
                                 "  r:\n"
                                 "    $for: outer in row.bad\n"
                                 "    $do:\n"
                                 "      n:\n"
                                 "        $for: inner in outer.x\n"
                                 "        $do: ${inner + 1}\n"),
                        "!body/r/0/n/1: inner is text, not a number (key K1)");
    assert_int_equal(fixture.error.place.line, 7);
    assert_int_equal(fixture.error.place.column, 16);
}

static void loop_over_rows_knows_the_columns(void **state)
{
    static const struct slice columns[] = {SLICE("sku"), SLICE("price")};

    (void)state;
    fixture.scope.parts |= SCOPE_ROWS;
    fixture_columns(columns, 2);
    fixture.rows =
        fixture_json(&fixture.spec_arena, "[{\"sku\":\"A\",\"price\":1},{\"sku\":\"B\"}]");
    assert_string_equal(
        rendered("v: {a: {$for: r in rows, $do: {s: \"${r.sku}\", p: \"${r.price}\"}}}"),
        "{\"a\":[{\"s\":\"A\",\"p\":1},{\"s\":\"B\"}]}");
    assert_contains(refused("v: {a: {$for: r in rows, $do: \"${r.prize}\"}}"),
                    "did you mean 'price'?");
}

static void loops_are_checked_when_they_are_read(void **state)
{
    (void)state;
    assert_contains(refused("v: {a: {$for: l in row.x}}"), "exactly $for and $do");
    assert_contains(refused("v: {a: {$for: l in row.x, c: 1}}"), "exactly $for and $do");
    assert_contains(refused("v: {a: {$do: 1, c: 1}}"), "exactly $for and $do");
    assert_contains(refused("v: {a: {$do: 1}}"), "exactly $for and $do");
    assert_contains(refused("v: {a: {$for: l in row.x, $do: 1, c: 2}}"), "exactly $for and $do");
    assert_contains(refused("v: {$for: l in row.x, $do: 1}"), "a body is a map");
    assert_contains(refused("v: [1]"), "a body is a map");
    assert_contains(refused("v: {a: {$for: \"${row.x}\", $do: 1}}"), "write $for: line in row");
    assert_contains(refused("v: {a: {$for: \" \", $do: 1}}"), "write $for: line in row");
    assert_contains(refused("v: {a: {$for: l, $do: 1}}"), "write $for: line in row");
    assert_contains(refused("v: {a: {$for: l in, $do: 1}}"), "write $for: line in row");
    assert_contains(refused("v: {a: {$for: 1l in row.x, $do: 1}}"), "write $for: line in row");
    assert_contains(refused("v: {a: {$for: [1], $do: 1}}"), "write $for: line in row");
    assert_contains(refused("v: {a: {$for: l of row.x, $do: 1}}"), "write $for: line in row");
    assert_contains(refused("v: {a: {$for: row in row.x, $do: 1}}"), "'row' is a name already");
    assert_contains(refused("v: {a: {$for: if in row.x, $do: 1}}"), "'if' is a name already");
    assert_contains(refused("v: {a: {$for: l in row.x, $do: {$for: l in row.y, $do: 1}}}"),
                    "spec.yaml:1:39: error: 'l' is a name already");
    assert_contains(refused("v: {a: {$for: l in rwo.x, $do: 1}}"),
                    "spec.yaml:1:20: error: unknown name 'rwo'");
    assert_contains(refused("v: {a: {$for: 'l in rwo.x', $do: 1}}"), "spec.yaml:1:21: error");
    assert_contains(refused("v: {a: {$for: l in row.x y, $do: 1}}"), "'y' is not expected here");
    assert_contains(refused("v: {a: [{$for: l in row.x, $do: 1}, \"${l}\"]}"), "unknown name 'l'");
}

static void names_of_fields_are_fixed(void **state)
{
    (void)state;
    assert_contains(refused("v: {\"a${row.x}\": 1}"), "cannot be computed");
    assert_contains(refused("v: {$if: 1}"), "names with $ are not names of fields");
}

static void all_errors_of_a_body_are_found(void **state)
{
    (void)state;
    assert_null(compile("v:\n  a: ${nope1}\n  b: [\"${nope2}\", {c: \"${nope3}\"}]\n  d:\n"
                        "  e: {$for: x in nope4, $do: 1}\n",
                        WHEN_EMPTY_OMIT));
    assert_int_equal(fixture.diagnostics.error_count, 5);
}

/* A body with `depth` loops in one another. */
static const char *loops(size_t depth)
{
    static char yaml[2048];
    size_t length = (size_t)snprintf(yaml, sizeof yaml, "v: {a: ");

    for (size_t i = 0; i < depth; i++)
        length +=
            (size_t)snprintf(yaml + length, sizeof yaml - length, "{$for: l%zu in row.x, $do: ", i);
    length += (size_t)snprintf(yaml + length, sizeof yaml - length, "\"${l0}%zu\"", depth);
    for (size_t i = 0; i <= depth; i++)
        length += (size_t)snprintf(yaml + length, sizeof yaml - length, "}");
    return yaml;
}

static void loops_in_one_another_have_a_maximum(void **state)
{
    (void)state;
    fixture_row("{\"x\":[1]}");
    assert_string_equal(rendered(loops(LOOPS_MAX)), "{\"a\":[[[[[[[[\"18\"]]]]]]]]}");
    assert_contains(refused(loops(LOOPS_MAX + 1)), "too many loops");
}

static void body_that_is_too_big_or_finds_no_memory_says_so(void **state)
{
    const char yaml[] = "v: {a: \"x ${row.s | upper}\", b: {$for: l in row.l, $do: \"${l}\"}}";
    const struct body_template *body = compile(yaml, WHEN_EMPTY_OMIT);
    struct buf small;

    (void)state;
    fixture_row("{\"s\":\"abc\",\"l\":[1,2,3]}");
    for (size_t max = 0; max < 32; max++) {
        buf_init(&small, max);
        if (body_template_render(body, &fixture.environment, NULL, &small, &fixture.error) &&
            small.failed == ERR_OK) {
            assert_string_equal(buf_text(&small), "{\"a\":\"x ABC\",\"b\":[1,2,3]}");
            assert_int_equal(max, small.length);
            buf_deinit(&small);
            break;
        }
        assert_int_equal(small.failed, ERR_TOO_BIG);
        buf_deinit(&small);
    }
    arena_deinit(&fixture.unit_arena);
    mem_test_fail(0, 1);
    buf_clear(&fixture.out);
    assert_false(
        body_template_render(body, &fixture.environment, NULL, &fixture.out, &fixture.error) &&
        fixture.out.failed == ERR_OK);
}

static void compiling_without_memory_leaves_a_message(void **state)
{
    const struct yaml_node *node = fixture_yaml(
        "v: {a: [1, \"x ${row.s | replace('a', 'b')}\"], b: {$for: l in row.l, $do: {c: 1}}}");
    struct arena small;
    bool compiled = false;

    (void)state;
    for (size_t max = 0; max < 16384 && !compiled; max += 16) {
        arena_init(&small, max);
        compiled = body_template_compile(&small, node, &fixture.scope, WHEN_EMPTY_OMIT,
                                         &fixture.diagnostics) != NULL;
        assert_int_equal(compiled, fixture.diagnostics.error_count == 0);
        diagnostics_deinit(&fixture.diagnostics);
        arena_deinit(&small);
    }
    assert_true(compiled);
    for (int64_t nth = 0; nth < 8; nth++) {
        arena_init(&small, SPEC_ARENA_BYTES_MAX);
        mem_test_fail(nth, 0);
        compiled = body_template_compile(&small, node, &fixture.scope, WHEN_EMPTY_OMIT,
                                         &fixture.diagnostics) != NULL;
        mem_test_fail(-1, 0);
        assert_int_equal(compiled, fixture.diagnostics.error_count == 0);
        diagnostics_deinit(&fixture.diagnostics);
        arena_deinit(&small);
    }
}

/* What the render says when `names` of `wrapper` are required: "" when nothing is lacking. */
static const char *lack_of(const char *yaml, const char *wrapper, const char *const *names,
                           const char *row)
{
    struct body_template *body =
        body_template_compile(&fixture.spec_arena, fixture_yaml(yaml), &fixture.scope,
                              WHEN_EMPTY_OMIT, &fixture.diagnostics);

    assert_non_null(body);
    body_template_require(body, wrapper, names, "POST /x", DIAG_WARNING, &fixture.diagnostics);
    fixture_row(row);
    buf_clear(&fixture.out);
    assert_true(body_template_render(body, &fixture.environment, "\"response_mode\":\"async\"",
                                     &fixture.out, &fixture.error));
    return fixture.error.text;
}

static void required_members_that_a_row_leaves_out_are_told(void **state)
{
    static const char *const names[] = {"a", "b", NULL};
    static const char each[] = "v: {w: {a: \"${row.a}\", b: [\"${row.b}\"], c: \"${row.c}\"}}";
    static const char whole[] = "v: {w: \"${row.w}\"}";
    static const char bare[] = "v: {a: \"${row.a}\", b: {x: \"${row.b}\"}}";

    (void)state;
    assert_string_equal(lack_of(each, "w", names, "{\"a\":1,\"b\":2}"), "");
    assert_string_equal(lack_of(each, "w", names, "{\"a\":1}"),
                        "body/w/b: the API requires it, and it is missing (key K1)");
    assert_string_equal(buf_text(&fixture.out), "{\"response_mode\":\"async\",\"w\":{\"a\":1}}");
    assert_string_equal(lack_of(each, "w", names, "{\"c\":1}"),
                        "body/w/a: the API requires it, and it is missing (key K1)");
    assert_string_equal(lack_of(each, "w", names, "{}"),
                        "body/w/a: the API requires it, and it is missing (key K1)");
    assert_string_equal(lack_of(whole, "w", names, "{\"w\":{\"a\":1,\"b\":2}}"), "");
    assert_string_equal(lack_of(whole, "w", names, "{\"w\":{\"a\":1}}"),
                        "body/w: the API requires 'b' in it, and it is missing (key K1)");
    assert_string_equal(lack_of(whole, "w", names, "{}"),
                        "body/w: the API requires it, and it is missing (key K1)");
    assert_string_equal(lack_of(bare, "", names, "{\"a\":1,\"b\":2}"), "");
    assert_string_equal(lack_of(bare, "", names, "{\"a\":1}"),
                        "body/b: the API requires it, and it is missing (key K1)");
    assert_int_equal(fixture.diagnostics.warning_count, 0);
}

static void required_members_that_a_body_cannot_have_are_told_at_once(void **state)
{
    static const char *const names[] = {"a", "b", NULL};

    (void)state;
    assert_string_equal(lack_of("v: {w: {a: 1, c: \"${row.c}\"}}", "w", names, "{\"c\":1}"), "");
    assert_contains(fixture_messages(),
                    "POST /x requires 'b', which the body does not have   "
                    "[spec.required_member]\n      help: body: { w: { b: … } }");
    assert_string_equal(lack_of("v: {w: {a: 1, b: 2}}", "w", names, "{}"), "");
    assert_string_equal(lack_of("v: {w: {}}", "w", names, "{}"), "");
    assert_int_equal(fixture.diagnostics.warning_count, 2);
    assert_string_equal(lack_of("v: {b: 1}", "", names, "{}"), "");
    assert_contains(fixture_messages(), "help: body: { a: … }; if the API no longer asks for it");
}

static void a_null_deep_in_a_value_is_refused(void **state)
{
    (void)state;
    fixture_row(
        "{\"l\":[1,[2,{\"x\":null}]],\"m\":{\"y\":{\"z\":[null]}},\"g\":[1,{\"x\":2},\"\"]}");
    assert_string_equal(rendered("v: {a: \"${row.g}\"}"), "{\"a\":[1,{\"x\":2},\"\"]}");
    assert_string_equal(rendered("v: {a: \"${row.l}\"}"),
                        "!body/a: the value has a null in it, which the API refuses (key K1)");
    assert_string_equal(rendered("v: {a: {b: \"${row.m}\"}}"),
                        "!body/a/b: the value has a null in it, which the API refuses (key K1)");
    assert_string_equal(rendered_as("v: {a: \"${row.l}\"}", WHEN_EMPTY_NULL, NULL),
                        "{\"a\":[1,[2,{\"x\":null}]]}");
}

static void whole_numbers_that_nobody_could_read_back_are_refused(void **state)
{
    static const char wrong[] = "a whole number must be from -2^63 to 2^64-1; this one is not";

    (void)state;
    fixture_row("{\"n\":18446744073709551615,\"m\":-9223372036854775808,\"l\":[1]}");
    assert_string_equal(rendered("v: { a: \"${row.n}\", b: \"${row.m}\" }\n"),
                        "{\"a\":18446744073709551615,\"b\":-9223372036854775808}");
    assert_non_null(strstr(rendered("v: { a: { b: \"${row.n + 1}\" } }\n"), "!body/a/b: "));
    assert_non_null(strstr(rendered("v: { a: \"${row.n + 1}\" }\n"), wrong));
    assert_non_null(strstr(rendered("v: { a: \"${row.m - 1}\" }\n"), wrong));
    assert_non_null(strstr(rendered("v: { a: \"${row.l | map(n => row.n + n)}\" }\n"), wrong));
    assert_string_equal(rendered("v: { a: \"${row.n + 1 | string}\", b: \"${row.n + 0.5}\" }\n"),
                        "{\"a\":\"18446744073709551616\",\"b\":18446744073709551615.5}");
    assert_non_null(strstr(refused("v: { a: 18446744073709551616 }\n"), wrong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(body_of_the_catalogue_is_rendered),
        FIXTURE_TEST(constants_keep_their_text_and_type),
        FIXTURE_TEST(missing_fields_take_their_commas_along),
        FIXTURE_TEST(what_is_empty_after_leaving_out_is_left_out),
        FIXTURE_TEST(when_empty_says_what_a_gap_does),
        FIXTURE_TEST(null_is_sent_only_when_asked_for),
        FIXTURE_TEST(required_members_that_a_row_leaves_out_are_told),
        FIXTURE_TEST(required_members_that_a_body_cannot_have_are_told_at_once),
        FIXTURE_TEST(a_null_deep_in_a_value_is_refused),
        FIXTURE_TEST(loop_gives_a_list),
        FIXTURE_TEST(loops_nest_and_errors_say_where),
        FIXTURE_TEST(loop_over_rows_knows_the_columns),
        FIXTURE_TEST(loops_are_checked_when_they_are_read),
        FIXTURE_TEST(names_of_fields_are_fixed),
        FIXTURE_TEST(all_errors_of_a_body_are_found),
        FIXTURE_TEST(loops_in_one_another_have_a_maximum),
        FIXTURE_TEST(body_that_is_too_big_or_finds_no_memory_says_so),
        FIXTURE_TEST(compiling_without_memory_leaves_a_message),
        FIXTURE_TEST(whole_numbers_that_nobody_could_read_back_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
