/* A fresh directory for each test, removed after it: SCRATCH_TEST(name) in the list of tests. */
#ifndef PURSER_TESTS_SCRATCH_H
#define PURSER_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch[64];

static int scratch_make(void **context)
{
    (void)context;
    (void)snprintf(scratch, sizeof scratch, "/tmp/purser-test-XXXXXX");
    return mkdtemp(scratch) == NULL ? -1 : 0;
}

static int scratch_remove_one(const char *path, const struct stat *status, int kind,
                              struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static int scratch_remove(void **context)
{
    (void)context;
    return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the directory; valid until the fourth call after this one. */
static inline const char *below(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

#endif
