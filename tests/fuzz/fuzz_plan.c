/* A plan file: what is read of it is whole, or there is a message. */
#include <string.h>

#include "file_of_bytes.h"
#include "fuzz.h"
#include "purser/cli/plan_file.h"

static void check(const struct plan_file *file, const struct options *options)
{
    LAW(file->spec_name != NULL && (!file->has_ledger || file->ledger_identity != NULL));
    LAW(file->rows_each > 0 && (file->rows_each & (file->rows_each - 1)) == 0);
    LAW(file->block_count <= ROW_DIGEST_BLOCKS_MAX);
    LAW(options->canary <= CANARY_MAX);
    LAW(options->only_count <= OPTION_ONLY_MAX);
    LAW(options->variable_count <= OPTION_VARIABLES_MAX);
    for (size_t i = 0; i < options->only_count; i++)
        LAW(options->only[i] != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct plan_file file;
    struct options options = {.limit = UINT64_MAX};
    struct arena arena;
    struct err err = {0};

    arena_init(&arena, 64u * 1024 * 1024);
    if (plan_file_read(file_of_bytes(bytes, length), &arena, &options, &file, &err) == ERR_OK)
        check(&file, &options);
    else
        LAW(err.text[0] != '\0');
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
