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

/* Of the same implementation. */
static void each_digit_of_a_generation_is_in_its_key(void **state)
{
    static const struct {
        uint32_t generation;
        const char *key;
    } cases[] = {{9, "d403d224-b8f6-41c6-b8fe-c24d2e65ebdd"},
                 {10, "1d2048e3-5277-404e-a9ec-f76344f6ccaa"},
                 {19, "aa7a1bd1-4798-47a2-b51d-1980229b45f4"},
                 {90, "06aa4210-ce8b-4605-a98d-1b0efb419f5d"},
                 {99, "d77d03fd-e5a9-463f-9c86-da2971229526"},
                 {100, "9df3a0cd-469f-432b-baf5-5b118d2d4103"},
                 {109, "007dee20-0f58-4e9e-9d6f-4a255027566a"},
                 {1234567890, "cda7d1e5-fc33-4573-8ccd-f74d5774ee96"},
                 {UINT32_MAX, "b456e83e-b47c-4b16-81f2-bec8d28a5a99"}};
    char key[KEY_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        key_of_text("catalog-upload", "products", "shop", "SKU-1", cases[i].generation, key);
        assert_string_equal(key, cases[i].key);
    }
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
        cmocka_unit_test(each_digit_of_a_generation_is_in_its_key),
        cmocka_unit_test(the_key_is_a_version_4_uuid),
        cmocka_unit_test(every_field_of_the_identity_matters),
        cmocka_unit_test(bytes_that_move_between_fields_give_another_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
