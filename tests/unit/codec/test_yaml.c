#include "purser/codec/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "messages_fixture.h"
#include "purser/core/limits.h"

static const struct yaml_node *root;

static enum err_code parse(const char *bytes, size_t length)
{
    memset(&root, 0xff, sizeof root);
    return yaml_parse(&arena, "t.yaml", bytes, length, &root, &diagnostics);
}

static const struct yaml_node *parsed(const char *yaml)
{
    enum err_code code = parse(yaml, strlen(yaml));

    buf_clear(&out);
    if (code != ERR_OK)
        diagnostics_print(&diagnostics, &out);
    assert_string_equal(buf_text(&out), "");
    assert_int_equal(code, ERR_OK);
    return root;
}

/* The first messages of `yaml`, without lines of source. */
static const char *refused(const char *yaml)
{
    diagnostics_deinit(&diagnostics);
    assert_int_equal(parse(yaml, strlen(yaml)), ERR_INPUT);
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    return buf_text(&out);
}

static void assert_refused(const char *yaml, const char *start)
{
    const char *message = refused(yaml);

    if (strncmp(message, start, strlen(start)) != 0)
        fail_msg("for %s\n  expected %s\n  got      %s", yaml, start, message);
}

static void plain_scalars_follow_the_core_schema_except_for_ids(void **state)
{
    static const struct {
        const char *plain;
        enum yaml_kind kind;
        const char *text;
    } cases[] = {
        {"", YAML_NULL, ""},
        {"~", YAML_NULL, "~"},
        {"null", YAML_NULL, "null"},
        {"true", YAML_BOOL, "true"},
        {"False", YAML_BOOL, "false"},
        {"no", YAML_STRING, "no"},
        {"on", YAML_STRING, "on"},
        {"yes", YAML_STRING, "yes"},
        {"0", YAML_INTEGER, "0"},
        {"-12", YAML_INTEGER, "-12"},
        {"123456789012345678901234567890", YAML_INTEGER, "123456789012345678901234567890"},
        {"00123", YAML_STRING, "00123"},
        {"012", YAML_STRING, "012"},
        {"-07", YAML_STRING, "-07"},
        {"012.50", YAML_STRING, "012.50"},
        {"+4930123", YAML_STRING, "+4930123"},
        {"1_000", YAML_STRING, "1_000"},
        {"0x1F", YAML_INTEGER, "31"},
        {"0o17", YAML_INTEGER, "15"},
        {"0xffffffffffffffff", YAML_INTEGER, "18446744073709551615"},
        {"0x", YAML_STRING, "0x"},
        {"0o8", YAML_STRING, "0o8"},
        {"1.10", YAML_FLOAT, "1.10"},
        {"0.0", YAML_FLOAT, "0.0"},
        {".5", YAML_FLOAT, "0.5"},
        {"-.5", YAML_FLOAT, "-0.5"},
        {"5.", YAML_FLOAT, "5.0"},
        {"5.e3", YAML_FLOAT, "5.0e3"},
        {"1e3", YAML_FLOAT, "1e3"},
        {"1E+3", YAML_FLOAT, "1E+3"},
        {"1e", YAML_STRING, "1e"},
        {".", YAML_STRING, "."},
        {"1.2.3", YAML_STRING, "1.2.3"},
        {"2024-01-01", YAML_STRING, "2024-01-01"},
        {"12:30:45", YAML_STRING, "12:30:45"},
        {"'12'", YAML_STRING, "12"},
        {"\"true\"", YAML_STRING, "true"},
        {"!!str 12", YAML_STRING, "12"},
        {"!!int 12", YAML_INTEGER, "12"},
        {"!!float 12", YAML_INTEGER, "12"},
        {"! 12", YAML_STRING, "12"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct yaml_node *value;
        char yaml[80];

        snprintf(yaml, sizeof yaml, "a: %s\n", cases[i].plain);
        value = yaml_get(parsed(yaml), "a");
        if (value->kind != cases[i].kind || !slice_is(value->text, cases[i].text))
            fail_msg("%s: kind %d, text %.*s", cases[i].plain, (int)value->kind,
                     (int)value->text.length, value->text.bytes);
    }
}

static void numbers_that_json_cannot_hold_are_refused(void **state)
{
    (void)state;
    assert_refused("a: .inf\n", "t.yaml:1:4: error: JSON has no infinity and no NaN   [yaml.num");
    assert_refused("a: -.Inf\n", "t.yaml:1:4: error: JSON has no infinity");
    assert_refused("a: .NaN\n", "t.yaml:1:4: error: JSON has no infinity");
    assert_refused("a: 0x10000000000000000\n", "t.yaml:1:4: error: this number has more than 64");
}

static void nodes_know_their_place_and_their_source(void **state)
{
    const struct yaml_node *value;

    (void)state;
    value = yaml_get(parsed("\xef\xbb\xbfgr\xc3\xb6\xc3\x9f"
                            "e: \"\xc3\xa4 ${row.prize} \xc3\xa9\" # x\r\n"
                            "b: [1, {c: &x !!str 'd''e'}]\r\n"),
                     "gr\xc3\xb6\xc3\x9f"
                     "e");
    assert_int_equal(value->place.line, 1);
    assert_int_equal(value->place.column, 8);
    assert_int_equal(value->place.width, 18);
    assert_string_equal(value->place.file, "t.yaml");
    assert_true(slice_is(value->raw, "\"\xc3\xa4 ${row.prize} \xc3\xa9\""));
    assert_false(value->plain);
    value = yaml_get(yaml_get(root, "b")->items[1], "c");
    assert_true(slice_is(value->raw, "'d''e'"));
    assert_true(slice_is(value->text, "d'e"));
    assert_int_equal(value->place.line, 2);
    assert_int_equal(value->place.column, 21);
}

static void part_of_a_scalar_has_a_place(void **state)
{
    const struct yaml_node *value;
    struct place place;

    (void)state;
    value = yaml_get(parsed("a: |\n  x \xc3\xa4\n  y ${z}\nb: 1\n"), "a");
    assert_true(slice_is(value->text, "x \xc3\xa4\ny ${z}\n"));
    place = yaml_place_in(value, (size_t)(strstr(value->raw.bytes, "${") - value->raw.bytes), 4);
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 5);
    assert_int_equal(place.width, 4);
    place = yaml_place_in(yaml_get(root, "b"), 1, 1);
    assert_int_equal(place.line, 4);
    assert_int_equal(place.column, 5);
}

static void places_are_right_in_long_files(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_append_format(&text, "k%d: \xe2\x82\xac%d\n", i, i);
    assert_int_equal(parse(text.bytes, text.length), ERR_OK);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(root->keys[i]->place.line, i + 1);
        assert_int_equal(root->keys[i]->place.column, 1);
        assert_int_equal(root->items[i]->place.column, root->keys[i]->text.length + 3);
        assert_true(slice_equal(root->items[i]->raw, root->items[i]->text));
    }
}

static void empty_documents_have_no_root(void **state)
{
    (void)state;
    assert_null(parsed(""));
    assert_null(parsed("# only a comment\n"));
    assert_int_equal(parsed("---\n...\n")->kind, YAML_NULL);
    assert_null(yaml_get(NULL, "a"));
    assert_null(yaml_get(parsed("x"), "a"));
}

static void aliases_share_the_node_of_their_anchor(void **state)
{
    (void)state;
    parsed("a: &x {b: [1, 2]}\nc: *x\nd: &x 5\ne: *x\n");
    assert_ptr_equal(yaml_get(root, "a"), yaml_get(root, "c"));
    assert_true(slice_is(yaml_get(root, "e")->text, "5"));
}

static void what_yaml_allows_and_a_spec_does_not_is_refused(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: 2\n\"a\": 3\n",
                   "t.yaml:3:1: error: key 'a' is there already, on line 1   [yaml.duplicate_key]");
    assert_refused("a: &x [*x]\n", "t.yaml:1:8: error: this alias stands inside its own anchor");
    assert_refused("a: *x\n", "t.yaml:1:4: error: no anchor of this name");
    assert_refused("x: &x {a: 1}\nb:\n  <<: *x\n", "t.yaml:3:3: error: merge keys");
    assert_refused("a: !foo 1\n", "t.yaml:1:9: error: this tag is not supported");
    assert_refused("a: !!python/object 1\n", "t.yaml:1:20: error: this tag is not supported");
    assert_refused("a: !!binary aGk=\n", "t.yaml:1:13: error: this tag is not supported");
    assert_refused("a: !!set {b}\n", "t.yaml:1:4: error: this tag is not supported");
    assert_refused("a: !!int x\n", "t.yaml:1:10: error: this tag is not supported");
    assert_refused("a: !e!foo 1\n", "t.yaml:1:4: error: tags are not supported");
    assert_refused("%TAG ! tag:x,2000:\n---\na: 1\n", "t.yaml:1:1: error: %TAG lines");
    assert_refused("a: 1\n---\nb: 2\n", "t.yaml:2:1: error: a spec is one YAML document");
    assert_refused("a: 1\n...\nb: 2\n", "t.yaml:3:1: error: a spec is one YAML document");
    assert_refused("? [a]\n: 1\n", "t.yaml:1:3: error: a key must be text");
    assert_refused("?\n: 1\n", "t.yaml:1:2: error: a key is missing before ':'");
    assert_refused("a: \"x\\0y\"\n", "t.yaml:1:4: error: a text cannot hold a NUL");
}

static void all_refusals_of_a_readable_file_come_together(void **state)
{
    (void)state;
    refused("a: !foo 1\nb: .inf\nb: 2\n");
    assert_int_equal(diagnostics.error_count, 3);
    assert_non_null(root);
    assert_int_equal(root->count, 3);
}

static void mistakes_are_explained_where_they_are(void **state)
{
    static const char *const cases[][2] = {
        {"a: { n: ${row.x} }\n", "t.yaml:1:9: error: in { … } and [ … ] a ${…} needs quotes"},
        {"a: [ b, ${row.x} ]\n", "t.yaml:1:9: error: in { … } and [ … ] a ${…} needs quotes"},
        {"a: [ x {b} ]\n", "t.yaml:1:8: error: ',' or ']' is missing in the [ … ] that opens on"},
        {"a:\n\tb: 1\n", "t.yaml:2:1: error: a tab cannot indent   [yaml.tab]"},
        {"a: 1\n\tb: 2\n", "t.yaml:2:1: error: a tab cannot indent   [yaml.tab]"},
        {"a: b: c\n", "t.yaml:1:5: error: a ': ' stands inside a value that has no quotes"},
        {"x: 1\na: 'x\n", "t.yaml:3:1: error: the quote that opens on line 2 is never closed"},
        {"a: @b\n", "t.yaml:1:4: error: a value without quotes cannot start with '@'"},
        {"a: %b\n", "t.yaml:1:4: error: a value without quotes cannot start with '%'"},
        {"a:\n  b: 1\n c: 2\n", "t.yaml:3:2: error: this does not fit into the map that starts on"
                                " line 1"},
        {"- a\nb: 1\n", "t.yaml:2:1: error: this does not fit into the list that starts on line 1"},
        {"a: \"x\"y\n", "t.yaml:1:7: error: this does not fit into the map that starts on line 1"},
        {"a: 1\nfoo\nb: 2\n", "t.yaml:3:1: error: a key without ':'; the line began on line 2"},
        {"a: \"\\q\"\n", "t.yaml:1:5: error: no such escape"},
        {"a: - b\n", "t.yaml:1:4: error: a list cannot start here"},
        {"a: [1, 2\nb: 3\n", "t.yaml:2:2: error: ',' or ']' is missing in the [ … ] that opens"
                             " on line 1"},
        {"a: {b: 1\n", "t.yaml:2:1: error: ',' or '}' is missing in the { … } that opens on line"},
        {"a: ]\n", "t.yaml:1:4: error: a value is missing or starts with this character"},
        {"a: & b\n", "t.yaml:1:5: error: '&' and '*' start an anchor"},
        {"%YAML 1.3\n---\na: 1\n", "t.yaml:1:1: error: only YAML 1.1 and 1.2"},
        {"a: |x\n",
         "t.yaml:1:5: error: this is not valid YAML: while scanning a block scalar: did"},
        {"\xc3\xa4: \x01\n", "t.yaml:1:4: error: this is not valid YAML: control characters"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i][0], cases[i][1]);
}

static void bytes_that_are_no_utf8_are_refused_with_their_offset(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: x\xff\n",
                   "t.yaml:2:5: error: the file is not valid UTF-8 at byte offset 9");
    assert_int_equal(parse("a: 1\n\0", 6), ERR_INPUT);
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    assert_non_null(strstr(buf_text(&out), "t.yaml:2:1: error: the file has a NUL byte at offset"));
    assert_int_equal(parse("\xff\xfe"
                           "a\0:\0",
                           6),
                     ERR_INPUT);
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    assert_non_null(strstr(buf_text(&out), "t.yaml:1:1: error: the file is UTF-16"));
}

static void append_repeated(const char *part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_text(&text, part);
}

static void nesting_is_read_to_its_maximum_and_not_further(void **state)
{
    (void)state;
    append_repeated("[", SPEC_DEPTH_MAX);
    append_repeated("]", SPEC_DEPTH_MAX);
    parsed(buf_text(&text));
    buf_clear(&text);
    append_repeated("[", SPEC_DEPTH_MAX + 1);
    append_repeated("]", SPEC_DEPTH_MAX + 1);
    assert_refused(buf_text(&text), "t.yaml:1:65: error: lists and maps are nested more than 64");
}

static void nesting_counts_through_aliases(void **state)
{
    (void)state;
    buf_append_text(&text, "- &a ");
    append_repeated("[", 40);
    append_repeated("]", 40);
    buf_append_text(&text, "\n- ");
    append_repeated("[", 23);
    buf_append_text(&text, "*a");
    append_repeated("]", 23);
    parsed(buf_text(&text));
    buf_clear(&text);
    buf_append_text(&text, "- &a ");
    append_repeated("[", 40);
    append_repeated("]", 40);
    buf_append_text(&text, "\n- ");
    append_repeated("[", 24);
    buf_append_text(&text, "*a");
    append_repeated("]", 24);
    assert_refused(buf_text(&text), "t.yaml:2:27: error: lists and maps are nested more than 64");
}

static void deep_flow_nesting_takes_no_time(void **state)
{
    clock_t before = clock();

    (void)state;
    append_repeated("[", 4 * 1000 * 1000);
    refused(buf_text(&text));
    assert_true(clock() - before < 2 * CLOCKS_PER_SEC);
    buf_clear(&text);
    append_repeated("{a: ", 1000 * 1000);
    refused(buf_text(&text));
    assert_true(clock() - before < 4 * CLOCKS_PER_SEC);
}

static void nodes_are_counted_with_aliases_expanded(void **state)
{
    (void)state;
    buf_append_text(&text, "a: &a [1,1,1,1,1,1,1,1,1]\n");
    for (char name = 'b'; name <= 'i'; name++)
        buf_append_format(&text, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", name, name,
                          name - 1, name - 1, name - 1, name - 1, name - 1, name - 1, name - 1,
                          name - 1, name - 1);
    assert_refused(buf_text(&text), "t.yaml:6:8: error: more than 100000 values in this file");
    buf_clear(&text);
    append_repeated("- 1\n", SPEC_NODES_MAX - 1);
    assert_int_equal(parsed(buf_text(&text))->count, SPEC_NODES_MAX - 1);
    buf_append_text(&text, "- 1\n");
    assert_refused(buf_text(&text), "t.yaml:100000:3: error: more than 100000 values");
}

static void anchors_and_bytes_have_a_maximum(void **state)
{
    (void)state;
    append_repeated("- &a 1\n", SPEC_ANCHORS_MAX);
    parsed(buf_text(&text));
    buf_append_text(&text, "- &a 1\n");
    assert_refused(buf_text(&text), "t.yaml:1001:6: error: more than 1000 anchors");
    buf_clear(&text);
    append_repeated("#", SPEC_BYTES_MAX);
    assert_null(parsed(buf_text(&text)));
    buf_append_text(&text, "#");
    assert_refused(buf_text(&text), "t.yaml: error: the file is larger than 4 MiB");
}

static void many_keys_are_compared_in_little_time(void **state)
{
    clock_t before = clock();

    (void)state;
    for (int i = 0; i < 49000; i++)
        buf_append_format(&text, "key%d: 1\n", i);
    parsed(buf_text(&text));
    buf_append_text(&text, "key7: 1\n");
    assert_refused(buf_text(&text),
                   "t.yaml:49001:1: error: key 'key7' is there already, on line 8");
    assert_true(clock() - before < 3 * CLOCKS_PER_SEC);
}

static void every_allocation_may_fail(void **state)
{
    static const char yaml[] = "a: &x [1, 0x10, {b: .5, c: \"d\"}]\ne: *x\n";

    (void)state;
    for (int64_t nth = 0;; nth++) {
        enum err_code code;

        arena_deinit(&arena);
        mem_test_fail(nth, 0);
        code = parse(yaml, sizeof yaml - 1);
        mem_test_fail(-1, 0);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
        assert_null(root);
    }
    for (size_t bytes = 0;; bytes += 16) {
        enum err_code code;

        arena_deinit(&arena);
        arena_init(&arena, bytes);
        code = parse(yaml, sizeof yaml - 1);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_scalars_follow_the_core_schema_except_for_ids),
        TEST(numbers_that_json_cannot_hold_are_refused),
        TEST(nodes_know_their_place_and_their_source),
        TEST(part_of_a_scalar_has_a_place),
        TEST(places_are_right_in_long_files),
        TEST(empty_documents_have_no_root),
        TEST(aliases_share_the_node_of_their_anchor),
        TEST(what_yaml_allows_and_a_spec_does_not_is_refused),
        TEST(all_refusals_of_a_readable_file_come_together),
        TEST(mistakes_are_explained_where_they_are),
        TEST(bytes_that_are_no_utf8_are_refused_with_their_offset),
        TEST(nesting_is_read_to_its_maximum_and_not_further),
        TEST(nesting_counts_through_aliases),
        TEST(deep_flow_nesting_takes_no_time),
        TEST(nodes_are_counted_with_aliases_expanded),
        TEST(anchors_and_bytes_have_a_maximum),
        TEST(many_keys_are_compared_in_little_time),
        TEST(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
