/* An arena for each test, and nothing left of the log's secrets or in memory behind it. */
#ifndef PURSER_TESTS_ARENA_FIXTURE_H
#define PURSER_TESTS_ARENA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "purser/base/arena.h"
#include "purser/base/log.h"
#include "purser/base/mem.h"

static struct arena arena;

static inline int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 64u * 1024 * 1024);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    log_forget();
    arena_deinit(&arena);
    assert_int_equal(mem_test_live_count(), 0);
    return 0;
}

#endif
