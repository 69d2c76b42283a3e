/* An arena, the messages about what was read into it, and two texts. */
#ifndef PURSER_TESTS_MESSAGES_FIXTURE_H
#define PURSER_TESTS_MESSAGES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "purser/base/arena.h"
#include "purser/base/buf.h"
#include "purser/base/diag.h"
#include "purser/base/mem.h"
#include "purser/core/limits.h"

static struct arena arena;
static struct diagnostics diagnostics;
static struct buf out, text;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, SPEC_ARENA_BYTES_MAX);
    diagnostics_init(&diagnostics);
    buf_init(&out, 1 << 20);
    buf_init(&text, 8 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
    buf_deinit(&out);
    buf_deinit(&text);
    return mem_test_live_count() == 0 ? 0 : -1;
}

#endif
