#include <stdio.h>
#include <string.h>

#include "purser/cli/plan_file.h"

void plan_rows_init(struct plan_rows *rows, const struct spec *spec, const struct plan_file *file)
{
    rows->spec = spec;
    rows->file = file;
    rows->rows_in_block = 0;
    row_digest_init(&rows->digest, file == NULL ? 0 : file->rows_each);
}

static struct hash128 hash_of(const struct plan_rows *rows, const struct rendered_row *row,
                              const struct import_outcome *outcome)
{
    struct slice job = slice_of(rows->spec->jobs[row->job_index].name);
    struct slice connection = slice_of(rows->spec->connections[row->connection_index].alias);
    struct hash128 parts[] = {checksum128(job.bytes, job.length),
                              checksum128(connection.bytes, connection.length),
                              checksum128(row->key.bytes, row->key.length),
                              outcome->request_hash,
                              {.high = (uint64_t)outcome->action, .low = row->condition}};

    return checksum128(parts, sizeof parts);
}

static enum err_code differs(const struct plan_rows *rows, const char *last_place, struct err *err)
{
    if (rows->digest.block_count > rows->file->block_count)
        return err_set(err, ERR_INPUT,
                       "%s: the row %s was not planned; nothing was sent\n"
                       "hint: purser plan %s -o %s makes a plan of today",
                       rows->file->name, rows->first_place, rows->spec->file, rows->file->name);
    if (rows->rows_in_block == 1)
        return err_set(err, ERR_INPUT,
                       "%s: the row %s is not the one that was planned in its place: it has "
                       "changed, or a row before it is new or gone; nothing was sent\n"
                       "hint: purser plan %s -o %s makes a plan of today",
                       rows->file->name, last_place, rows->spec->file, rows->file->name);
    return err_set(err, ERR_INPUT,
                   "%s: of the %u rows from %s to %s one is not as it was planned, is new or is "
                   "gone; nothing was sent\nhint: purser plan %s -o %s makes a plan of today",
                   rows->file->name, rows->rows_in_block, rows->first_place, last_place,
                   rows->spec->file, rows->file->name);
}

static bool is_as_planned(const struct plan_rows *rows)
{
    size_t block = rows->digest.block_count - 1;

    return block < rows->file->block_count && rows->digest.last == rows->file->blocks[block];
}

enum err_code plan_rows_take(struct plan_rows *rows, const struct rendered_row *row,
                             const struct import_outcome *outcome, struct err *err)
{
    bool is_complete = row_digest_add(&rows->digest, hash_of(rows, row, outcome));
    char place[sizeof rows->first_place];

    if (rows->file == NULL)
        return ERR_OK;
    rows->rows_in_block++;
    (void)snprintf(place, sizeof place, "%.200s:%u (%s/%.*s)", row->file, row->line,
                   rows->spec->jobs[row->job_index].name, (int)row->key.length, row->key.bytes);
    if (rows->rows_in_block == 1)
        memcpy(rows->first_place, place, sizeof place);
    if (!is_complete)
        return ERR_OK;
    if (!is_as_planned(rows))
        return differs(rows, place, err);
    rows->rows_in_block = 0;
    return ERR_OK;
}

enum err_code plan_rows_end(struct plan_rows *rows, struct err *err)
{
    bool is_complete = row_digest_end(&rows->digest);

    if (rows->file == NULL)
        return ERR_OK;
    if (rows->digest.row_count != rows->file->row_count)
        return err_set(err, ERR_INPUT,
                       "%s: %llu rows were planned, and there are %llu now; nothing was sent\n"
                       "hint: purser plan %s -o %s makes a plan of today",
                       rows->file->name, (unsigned long long)rows->file->row_count,
                       (unsigned long long)rows->digest.row_count, rows->spec->file,
                       rows->file->name);
    if (is_complete && !is_as_planned(rows))
        return differs(rows, "the last", err);
    return ERR_OK;
}
