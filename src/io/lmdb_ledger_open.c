#include "lmdb_ledger_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ordering_oracle.h"
#include "purser/base/mem.h"

enum err_code lmdb_ledger_get_text(struct lmdb_ledger *ledger, const char *name,
                                   struct slice *text_out, struct err *err)
{
    struct ledger_key key = ledger_key_text(name);
    struct slice value;
    enum err_code code =
        ledger_store_get(ledger->store, LEDGER_META, ledger_key_slice(&key), &value, err);

    if (code == ERR_NOT_FOUND ||
        (code == ERR_OK && !ledger_unseal(ledger_key_slice(&key), value, text_out))) {
        lmdb_ledger_damaged(ledger, name, err);
        return err->code = ERR_STATE_DIRECTORY;
    }
    return code;
}

/* ERR_NOT_FOUND for a ledger that has nothing in it yet. */
static enum err_code check_format(struct lmdb_ledger *ledger, struct err *err)
{
    struct ledger_key key = ledger_key_text(LEDGER_META_FORMAT);
    struct slice value, first_key;
    uint32_t format;
    enum err_code code =
        ledger_store_get(ledger->store, LEDGER_META, ledger_key_slice(&key), &value, err);

    if (code == ERR_NOT_FOUND) {
        code = ledger_store_seek(ledger->store, LEDGER_META, SLICE("\0"), &first_key, &value, err);
        if (code != ERR_OK)
            return code;
        value.length = 0; /* there are other keys, so it was not begun but broken */
    }
    if (code != ERR_OK)
        return code;
    format = value.length == 4 ? ledger_load_u32(value.bytes) : 0;
    if (format == 0)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "the ledger in %s is damaged: its format version is missing", ledger->path);
    if (format > LEDGER_FORMAT)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "the ledger in %s was written by a newer purser (format %u, this one knows "
                       "%d)\nhint: use that purser again",
                       ledger->path, (unsigned)format, LEDGER_FORMAT);
    return ERR_OK;
}

static enum err_code check_pins(struct lmdb_ledger *ledger,
                                const struct lmdb_ledger_options *options, struct err *err)
{
    struct slice spec, base_url, platform;

    if (lmdb_ledger_get_text(ledger, LEDGER_META_PLATFORM, &platform, err) != ERR_OK ||
        lmdb_ledger_get_text(ledger, LEDGER_META_SPEC, &spec, err) != ERR_OK ||
        lmdb_ledger_get_text(ledger, LEDGER_META_BASE_URL, &base_url, err) != ERR_OK)
        return err->code;
    if (!slice_is(platform, ledger_store_platform()))
        return err_set(err, ERR_STATE_DIRECTORY,
                       "the ledger in %s was written on another platform (%.*s, here %s)",
                       ledger->path, (int)platform.length, platform.bytes, ledger_store_platform());
    if (!slice_is(spec, options->spec_name))
        return err_set(err, ERR_STATE_DIRECTORY, "%s holds the ledger of spec '%.*s', not of '%s'",
                       ledger->path, (int)spec.length, spec.bytes, options->spec_name);
    if (options->write && !slice_is(base_url, options->base_url))
        return err_set(err, ERR_STATE_DIRECTORY,
                       "the ledger in %s belongs to %.*s, but the spec now says %s\n"
                       "hint: give the spec another name, or this API another --state DIRECTORY",
                       ledger->path, (int)base_url.length, base_url.bytes, options->base_url);
    return ERR_OK;
}

static void add_text(struct ledger_batch *batch, struct buf *scratch, const char *name,
                     const char *text)
{
    struct ledger_key key = ledger_key_text(name);

    buf_clear(scratch);
    ledger_seal(scratch, ledger_key_slice(&key), slice_of(text));
    if (scratch->failed != ERR_OK)
        batch->failed = scratch->failed;
    ledger_batch_add(batch, LEDGER_OP_PUT, LEDGER_META, ledger_key_slice(&key),
                     (struct slice){scratch->bytes, scratch->length});
}

/* --- loading --- */

static enum err_code load_counts(struct lmdb_ledger *ledger, struct err *err)
{
    struct ledger_key prefix = ledger_key_text(LEDGER_META_COUNTS);
    struct slice key, value, start = ledger_key_slice(&prefix);
    enum err_code code = ledger_store_seek(ledger->store, LEDGER_META, start, &key, &value, err);

    while (code == ERR_OK && key.length >= start.length &&
           memcmp(key.bytes, start.bytes, start.length) == 0) {
        struct ledger_count *entry, count;

        if (!ledger_counts_decode(key, value, &count))
            return lmdb_ledger_damaged(ledger, "the counts of items", err);
        entry = ledger_counts_entry(&ledger->counts, count.job, count.connection);
        if (entry == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for the counts of items");
        *entry = count;
        code = ledger_store_next(ledger->store, LEDGER_META, &key, &value, err);
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code load_numbers(struct lmdb_ledger *ledger, struct err *err)
{
    struct ledger_key next_item = ledger_key_text(LEDGER_META_NEXT_ITEM);
    struct slice key, value, number;
    enum err_code code =
        ledger_store_get(ledger->store, LEDGER_META, ledger_key_slice(&next_item), &value, err);

    ledger->next_item = 1;
    if (code == ERR_OK) {
        if (!ledger_unseal(ledger_key_slice(&next_item), value, &number) || number.length != 8)
            return lmdb_ledger_damaged(ledger, "the next item number", err);
        ledger->next_item = ledger_load_u64(number.bytes);
    } else if (code != ERR_NOT_FOUND) {
        return code;
    }
    code = ledger_store_last(ledger->store, LEDGER_RUNS, &key, &value, err);
    if (code == ERR_OK && key.length == 4)
        ledger->last_run = ledger_load_u32(key.bytes);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* Every item is read again; what is stored of the counts before is overwritten. */
static enum err_code count_anew(struct lmdb_ledger *ledger, struct err *err)
{
    struct ledger_key first = ledger_key_item(0);
    struct slice key, value;
    enum err_code code;

    ledger_counts_zero(&ledger->counts);
    code =
        ledger_store_seek(ledger->store, LEDGER_ITEMS, ledger_key_slice(&first), &key, &value, err);
    while (code == ERR_OK && key.length == LEDGER_ITEM_KEY_BYTES) {
        struct item item;

        code = lmdb_ledger_decode_item(ledger, ledger_load_u64(key.bytes), value, &item, err);
        if (code != ERR_OK)
            return code;
        if (!ledger_counts_add(&ledger->counts, item.job, item.connection, item.state, 1))
            return err_set(err, ERR_NO_MEMORY, "no memory for the counts of items");
        code = ledger_store_next(ledger->store, LEDGER_ITEMS, &key, &value, err);
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

struct opening {
    bool is_new, recounts;
};

/* Within a read. */
static enum err_code load(struct lmdb_ledger *ledger, const struct lmdb_ledger_options *options,
                          struct opening *opening, struct err *err)
{
    struct ledger_key recount = ledger_key_text(LEDGER_META_RECOUNT);
    struct slice ignored;
    enum err_code code = check_format(ledger, err);

    if (code == ERR_NOT_FOUND && options->write && !options->is_known) {
        opening->is_new = true;
        ledger->next_item = 1;
        return ERR_OK;
    }
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no ledger in %s yet", ledger->path);
    if (code != ERR_OK || check_pins(ledger, options, err) != ERR_OK ||
        lmdb_ledger_load_names(ledger, LEDGER_META_JOB, &ledger->jobs, err) != ERR_OK ||
        lmdb_ledger_load_names(ledger, LEDGER_META_CONNECTION, &ledger->connections, err) !=
            ERR_OK ||
        lmdb_ledger_load_names(ledger, LEDGER_META_PROVEN, &ledger->proven, err) != ERR_OK ||
        load_numbers(ledger, err) != ERR_OK ||
        lmdb_ledger_check_copy(ledger, options, err) != ERR_OK)
        return err->code;
    if (!options->write)
        return ERR_OK;
    if (load_counts(ledger, err) != ERR_OK)
        return err->code;
    code = ledger_store_get(ledger->store, LEDGER_META, ledger_key_slice(&recount), &ignored, err);
    opening->recounts = code == ERR_OK;
    if (opening->recounts)
        return count_anew(ledger, err);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* The first batch: pins of a new ledger, or what the opening has changed. */
static enum err_code write_opening(struct lmdb_ledger *ledger,
                                   const struct lmdb_ledger_options *options,
                                   const struct opening *opening, struct err *err)
{
    struct ledger_batch *batch = ledger_committer_batch(ledger->committer);
    char format[4], machine[MACHINE_ID_BYTES];
    struct ledger_key key = ledger_key_text(LEDGER_META_FORMAT);
    uint64_t ignored;

    if (opening->is_new) {
        ledger_store_u32(format, LEDGER_FORMAT);
        ledger_batch_add(batch, LEDGER_OP_PUT, LEDGER_META, ledger_key_slice(&key),
                         (struct slice){format, sizeof format});
        add_text(batch, &ledger->scratch, LEDGER_META_SPEC, options->spec_name);
        add_text(batch, &ledger->scratch, LEDGER_META_BASE_URL, options->base_url);
        add_text(batch, &ledger->scratch, LEDGER_META_PLATFORM, ledger_store_platform());
    }
    if (opening->is_new || ledger->adopts) {
        lmdb_ledger_machine_id(machine);
        add_text(batch, &ledger->scratch, LEDGER_META_MACHINE, machine);
        add_text(batch, &ledger->scratch, LEDGER_META_IDENTITY,
                 ledger_store_identity(ledger->store));
    }
    if (options->adoption == LEDGER_ADOPT_RESTORED &&
        ledger_forget_words(&ledger->port, err) != ERR_OK)
        return err->code;
    if (ledger->adopts && lmdb_ledger_put_lost_since(ledger, ledger->lost_since_ms, err) != ERR_OK)
        return err->code;
    if (opening->recounts) {
        key = ledger_key_text(LEDGER_META_RECOUNT);
        ledger_batch_add(batch, LEDGER_OP_DELETE, LEDGER_META, ledger_key_slice(&key), SLICE(""));
    }
    if (lmdb_ledger_commit_begin(&ledger->port, &ignored, err) != ERR_OK ||
        lmdb_ledger_commit_poll(&ledger->port, true, &ignored, err) != ERR_OK)
        return err->code;
    ledger_store_claim(ledger->store);
    return ledger_store_mark(ledger->store, err);
}

static enum err_code open_parts(struct lmdb_ledger *ledger, const struct state_directory *directory,
                                const struct lmdb_ledger_options *options, struct err *err)
{
    struct opening opening = {0};
    enum err_code code;

    if (ledger_store_open(directory, options, &ledger->store, err) != ERR_OK ||
        ledger_store_begin_read(ledger->store, err) != ERR_OK)
        return err->code;
    code = load(ledger, options, &opening, err);
    ledger_store_end_read(ledger->store);
    if (code != ERR_OK || !options->write)
        return code;
    if (ledger_committer_open(ledger->store, &ledger->committer, err) != ERR_OK)
        return err->code;
    return write_opening(ledger, options, &opening, err);
}

enum err_code lmdb_ledger_open(const struct state_directory *directory,
                               const struct lmdb_ledger_options *options,
                               struct lmdb_ledger **ledger_out, struct err *err)
{
    struct lmdb_ledger *ledger = mem_new(1, sizeof *ledger);

    assert(!options->write || (options->base_url != NULL && directory->lock_fd != -1));
    if (ledger == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the ledger");
    ledger->port.ops = &lmdb_ledger_ops;
    (void)snprintf(ledger->path, sizeof ledger->path, "%s", directory->path);
    buf_init(&ledger->scratch, LEDGER_VALUE_BYTES_MAX);
    ledger_names_init(&ledger->jobs);
    ledger_names_init(&ledger->connections);
    ledger_names_init(&ledger->proven);
    ledger_counts_init(&ledger->counts);
    if (open_parts(ledger, directory, options, err) != ERR_OK) {
        lmdb_ledger_close(ledger);
        return err->code;
    }
    if (options->write)
        ordering_oracle_watch(ledger, options->spec_name);
    *ledger_out = ledger;
    return ERR_OK;
}

void lmdb_ledger_close(struct lmdb_ledger *ledger)
{
    if (ledger == NULL)
        return;
    ordering_oracle_forget(ledger);
    if (ledger->committer != NULL)
        ledger_committer_close(ledger->committer);
    if (ledger->store != NULL)
        ledger_store_close(ledger->store);
    ledger_counts_deinit(&ledger->counts);
    ledger_names_deinit(&ledger->jobs);
    ledger_names_deinit(&ledger->connections);
    ledger_names_deinit(&ledger->proven);
    buf_deinit(&ledger->scratch);
    mem_free(ledger);
}

struct ledger *lmdb_ledger_port(struct lmdb_ledger *ledger)
{
    return &ledger->port;
}

const char *lmdb_ledger_identity(const struct lmdb_ledger *ledger)
{
    return ledger_store_identity(ledger->store);
}

uint64_t lmdb_ledger_revision(const struct lmdb_ledger *ledger)
{
    return ledger_store_revision(ledger->store);
}

int lmdb_ledger_event_fd(const struct lmdb_ledger *ledger)
{
    return ledger->committer == NULL ? -1 : ledger_committer_event_fd(ledger->committer);
}

const struct ledger_ops lmdb_ledger_ops = {
    .find = lmdb_ledger_find,
    .read_item = lmdb_ledger_read_item,
    .read_request = lmdb_ledger_read_request,
    .read_needs = lmdb_ledger_read_needs,
    .read_result = lmdb_ledger_read_result,
    .read_attempt = lmdb_ledger_read_attempt,
    .next_item = lmdb_ledger_next_item,
    .next_ready = lmdb_ledger_next_ready,
    .next_active = lmdb_ledger_next_active,
    .next_blocked = lmdb_ledger_next_blocked,
    .next_release = lmdb_ledger_next_release,
    .find_group = lmdb_ledger_find_group,
    .counts = lmdb_ledger_counts,
    .job_name = lmdb_ledger_job_name,
    .connection_name = lmdb_ledger_connection_name,
    .proven_operation = lmdb_ledger_proven_operation,
    .read_run = lmdb_ledger_read_run,
    .last_run = lmdb_ledger_last_run,
    .read_connection = lmdb_ledger_read_connection,
    .job_number = lmdb_ledger_job_number,
    .connection_number = lmdb_ledger_connection_number,
    .put_proven_operation = lmdb_ledger_put_proven_operation,
    .add_item = lmdb_ledger_add_item,
    .put_item = lmdb_ledger_put_item,
    .put_request = lmdb_ledger_put_request,
    .put_needs = lmdb_ledger_put_needs,
    .put_group = lmdb_ledger_put_group,
    .put_result = lmdb_ledger_put_result,
    .put_attempt = lmdb_ledger_put_attempt,
    .drop_item = lmdb_ledger_drop_item,
    .put_run = lmdb_ledger_put_run,
    .put_connection = lmdb_ledger_put_connection,
    .read_schedule = lmdb_ledger_read_schedule,
    .slot_before = lmdb_ledger_slot_before,
    .put_schedule = lmdb_ledger_put_schedule,
    .put_slot = lmdb_ledger_put_slot,
    .batch_bytes = lmdb_ledger_batch_bytes,
    .commit_begin = lmdb_ledger_commit_begin,
    .commit_poll = lmdb_ledger_commit_poll,
};
