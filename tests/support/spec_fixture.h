/* What the tests of the spec loader share. Each test program has its own copy of the state. */
#ifndef PURSER_TESTS_SPEC_FIXTURE_H
#define PURSER_TESTS_SPEC_FIXTURE_H

#include "purser/codec/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "messages_fixture.h"

#define CONNECTIONS "connections:\n  shop: { access_token: { env: T } }\n"
#define JOBS                                                        \
    "jobs:\n"                                                       \
    "  products:\n"                                                 \
    "    source: { csv: data/products.csv, key: \"${row.sku}\" }\n" \
    "    request: POST /products\n"                                 \
    "    body: { product: { name: x } }\n"
#define HEAD "purser: 1\nname: demo\n"

static struct spec spec;

static enum err_code load_with(const char *file, const char *yaml,
                               const struct spec_variable *variables, size_t count)
{
    enum err_code code;

    memset(&spec, 0xff, sizeof spec);
    code = spec_load(&arena, file, yaml, strlen(yaml), variables, count, &spec, &diagnostics);
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    return code;
}

__attribute__((unused)) static const struct spec *loaded(const char *yaml)
{
    if (load_with("t.yaml", yaml, NULL, 0) != ERR_OK)
        fail_msg("%s\n%s", yaml, buf_text(&out));
    return &spec;
}

__attribute__((unused)) static void assert_message(const char *yaml, enum err_code expected_code,
                                                   const char *message)
{
    enum err_code code;

    diagnostics_deinit(&diagnostics);
    code = load_with("t.yaml", yaml, NULL, 0);
    if (code != expected_code || strstr(buf_text(&out), message) == NULL)
        fail_msg("for\n%.800s\n  expected %s\n  got (%d)\n%.2000s", yaml, message, (int)code,
                 buf_text(&out));
}

/* Every message about `yaml` starts with `message`, and there is only one. */
__attribute__((unused)) static void assert_refused(const char *yaml, const char *message)
{
    assert_message(yaml, ERR_INPUT, message);
    if (strncmp(buf_text(&out), message, strlen(message)) != 0 || diagnostics.error_count != 1)
        fail_msg("for\n%s\n  expected only %s\n  got\n%s", yaml, message, buf_text(&out));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
