#include "purser/core/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void key_of_text(const char *spec, const char *job, const char *connection, const char *item,
                        uint32_t generation, char key_out[KEY_TEXT_BYTES])
{
    memset(key_out, 0xff, KEY_TEXT_BYTES);
    key_derive((struct slice){spec, strlen(spec)}, (struct slice){job, strlen(job)},
               (struct slice){connection, strlen(connection)}, (struct slice){item, strlen(item)},
               generation, key_out);
}

/* Computed with another implementation: Python's hashlib over the length-prefixed fields. A key
 * that changes makes every write of every user a new write, so the text is pinned here. */
static void the_key_of_a_known_identity_never_changes(void **state)
{
    char key[KEY_TEXT_BYTES];

    (void)state;
    key_of_text("catalog-upload", "products", "shop", "SKU-1", 1, key);
    assert_string_equal(key, "708cfef3-1f44-46e7-8964-f81cdc02b9f9");
    key_of_text("catalog-upload", "products", "shop", "SKU-1", 12, key);
    assert_string_equal(key, "917817d0-2099-448b-a6d2-30f05fb2cc8f");
}

static void the_key_is_a_version_4_uuid(void **state)
{
    char key[KEY_TEXT_BYTES];

    (void)state;
    for (uint32_t generation = 1; generation <= 500; generation++) {
        key_of_text("s", "j", "c", "k", generation, key);
        assert_int_equal(strlen(key), 36);
        assert_int_equal(key[14], '4');
        assert_non_null(strchr("89ab", key[19]));
        for (int i = 0; i < 36; i++) {
            if (i == 8 || i == 13 || i == 18 || i == 23)
                assert_int_equal(key[i], '-');
            else
                assert_non_null(strchr("0123456789abcdef", key[i]));
        }
    }
}

static void every_field_of_the_identity_matters(void **state)
{
    char key[KEY_TEXT_BYTES], other[KEY_TEXT_BYTES];

    (void)state;
    key_of_text("s", "j", "c", "k", 1, key);
    key_of_text("t", "j", "c", "k", 1, other);
    assert_string_not_equal(key, other);
    key_of_text("s", "i", "c", "k", 1, other);
    assert_string_not_equal(key, other);
    key_of_text("s", "j", "d", "k", 1, other);
    assert_string_not_equal(key, other);
    key_of_text("s", "j", "c", "l", 1, other);
    assert_string_not_equal(key, other);
    key_of_text("s", "j", "c", "k", 2, other);
    assert_string_not_equal(key, other);
}

static void bytes_that_move_between_fields_give_another_key(void **state)
{
    char key[KEY_TEXT_BYTES], other[KEY_TEXT_BYTES];

    (void)state;
    key_of_text("ab", "c", "d", "e", 1, key);
    key_of_text("a", "bc", "d", "e", 1, other);
    assert_string_not_equal(key, other);
    key_of_text("ab", "c", "d", "e1", 1, key);
    key_of_text("ab", "c", "d", "e", 11, other);
    assert_string_not_equal(key, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_a_known_identity_never_changes),
        cmocka_unit_test(the_key_is_a_version_4_uuid),
        cmocka_unit_test(every_field_of_the_identity_matters),
        cmocka_unit_test(bytes_that_move_between_fields_give_another_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
