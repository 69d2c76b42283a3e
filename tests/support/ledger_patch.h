/* Damage to the data file of the ledger in the scratch directory. */
#ifndef PURSER_TESTS_LEDGER_PATCH_H
#define PURSER_TESTS_LEDGER_PATCH_H

#include "ledger_fixture.h"

/* Changes every occurrence of `from` in the data file into `to`. Gives how many there were. */
static inline int patch_data(const char *from, const char *to, size_t length)
{
    FILE *file = fopen(below("catalog/data.mdb"), "r+be");
    char *bytes = mem_new(1, 4 * 1024 * 1024);
    size_t size = fread(bytes, 1, 4 * 1024 * 1024, file);
    int found = 0;

    for (size_t at = 0; at + length <= size; at++) {
        if (memcmp(bytes + at, from, length) != 0)
            continue;
        memcpy(bytes + at, to, length);
        found++;
    }
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    mem_free(bytes);
    return found;
}

#endif
