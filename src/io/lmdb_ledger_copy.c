/* A ledger that is not where it was written: moved, copied, or brought back from a backup. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lmdb_ledger_internal.h"

#define MACHINE_ID_FILE "/etc/machine-id"

void lmdb_ledger_machine_id(char text_out[MACHINE_ID_BYTES])
{
    int fd = open(MACHINE_ID_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd == -1 ? 0 : read(fd, text_out, MACHINE_ID_BYTES - 1);

    if (fd != -1)
        close(fd);
    text_out[length > 0 ? length : 0] = '\0';
    text_out[strcspn(text_out, "\n")] = '\0';
}

static enum err_code load_lost_since(struct lmdb_ledger *ledger, struct err *err)
{
    struct ledger_key key = ledger_key_text(LEDGER_META_LOST_SINCE);
    struct slice value, number;
    enum err_code code =
        ledger_store_get(ledger->store, LEDGER_META, ledger_key_slice(&key), &value, err);

    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    if (!ledger_unseal(ledger_key_slice(&key), value, &number) || number.length != 8)
        return lmdb_ledger_damaged(ledger, "since when it is incomplete", err);
    ledger->lost_since_ms = (int64_t)ledger_load_u64(number.bytes);
    return ERR_OK;
}

/* The last thing that it knows of, by the server's clock: what it does not know came later. */
static enum err_code find_end(struct lmdb_ledger *ledger, int64_t *end_ms_out, struct err *err)
{
    struct ledger_key first = ledger_key_item(0);
    struct slice key, value;
    struct run_record run;
    enum err_code code =
        ledger_store_seek(ledger->store, LEDGER_ITEMS, ledger_key_slice(&first), &key, &value, err);

    *end_ms_out = 0;
    while (code == ERR_OK && key.length == LEDGER_ITEM_KEY_BYTES) {
        struct item item;

        code = lmdb_ledger_decode_item(ledger, ledger_load_u64(key.bytes), value, &item, err);
        if (code != ERR_OK)
            return code;
        if (item.intent_ms > *end_ms_out)
            *end_ms_out = item.intent_ms;
        code = ledger_store_next(ledger->store, LEDGER_ITEMS, &key, &value, err);
    }
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    /* Nothing was sent: by this host's clock, for want of another. */
    if (*end_ms_out == 0) {
        code = ledger_store_last(ledger->store, LEDGER_RUNS, &key, &value, err);
        if (code == ERR_OK && record_get_run(key, value, &run))
            *end_ms_out = run.started_ms;
    }
    if (*end_ms_out <= 0)
        *end_ms_out = LEDGER_LOST_ALL_MS;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* Of two losses the older one counts: what is not known of it is not known still. */
static enum err_code restore(struct lmdb_ledger *ledger, struct err *err)
{
    int64_t end_ms;

    if (find_end(ledger, &end_ms, err) != ERR_OK)
        return err->code;
    ledger->adopts = true;
    if (ledger->lost_since_ms == 0 || end_ms < ledger->lost_since_ms)
        ledger->lost_since_ms = end_ms;
    return ERR_OK;
}

/* One that lies in the place of its own newer self tells of a past, whoever reads it. */
static enum err_code refuse_older(const struct lmdb_ledger *ledger, struct err *err)
{
    return err_set(
        err, ERR_STATE_DIRECTORY,
        "the ledger in %s is a restored backup, older than what was last written here: it does not "
        "know what was sent since\n"
        "hint: put the newest one back; if there is none, purser adopt SPEC --as restored",
        ledger->path);
}

/* Two ledgers of one spec would each send what the other has sent; one that was brought back from a
 * backup does not know what was sent since. The server knows the keys only for some time. */
static enum err_code refuse_copy(const struct lmdb_ledger *ledger, bool is_of_other_machine,
                                 struct err *err)
{
    return err_set(
        err, ERR_STATE_DIRECTORY,
        "the ledger in %s is a copy%s: it does not know what was sent since it was made, "
        "and two in use would send the same writes twice\n"
        "hint: purser adopt SPEC --as moved, if it is the newest and the other one is never used "
        "again; --as restored, if it is an older backup",
        ledger->path, is_of_other_machine ? " from another machine" : " or a restored backup");
}

enum err_code lmdb_ledger_check_copy(struct lmdb_ledger *ledger,
                                     const struct lmdb_ledger_options *options, struct err *err)
{
    const char *identity = ledger_store_identity(ledger->store);
    char machine[MACHINE_ID_BYTES];
    struct slice machine_pin, identity_pin;
    bool other_machine, other_file;

    if (load_lost_since(ledger, err) != ERR_OK)
        return err->code;
    if (options->adoption == LEDGER_ADOPT_RESTORED)
        return restore(ledger, err);
    if (ledger_store_is_older(ledger->store))
        return refuse_older(ledger, err);
    if (lmdb_ledger_get_text(ledger, LEDGER_META_MACHINE, &machine_pin, err) != ERR_OK ||
        lmdb_ledger_get_text(ledger, LEDGER_META_IDENTITY, &identity_pin, err) != ERR_OK)
        return err->code;
    lmdb_ledger_machine_id(machine);
    other_machine = machine[0] != '\0' && machine_pin.length > 0 && !slice_is(machine_pin, machine);
    other_file =
        identity[0] != '\0' && identity_pin.length > 0 && !slice_is(identity_pin, identity);
    if (!other_machine && !other_file)
        return ledger_store_is_overwritten(ledger->store) ? refuse_older(ledger, err) : ERR_OK;
    ledger->adopts = options->write;
    return !options->write || options->adoption == LEDGER_ADOPT_MOVED
               ? ERR_OK
               : refuse_copy(ledger, other_machine, err);
}

bool lmdb_ledger_was_adopted(const struct lmdb_ledger *ledger)
{
    return ledger->adopts;
}

int64_t lmdb_ledger_lost_since_ms(const struct lmdb_ledger *ledger)
{
    return ledger->lost_since_ms;
}

enum err_code lmdb_ledger_put_lost_since(struct lmdb_ledger *ledger, int64_t lost_since_ms,
                                         struct err *err)
{
    struct ledger_key key = ledger_key_text(LEDGER_META_LOST_SINCE);
    struct slice name = ledger_key_slice(&key);
    char number[8];

    ledger->lost_since_ms = lost_since_ms;
    if (lmdb_ledger_begin_write(&ledger->port, &ledger, err) != ERR_OK)
        return err->code;
    ledger_store_u64(number, (uint64_t)lost_since_ms);
    if (lost_since_ms != 0)
        ledger_seal(&ledger->scratch, name, (struct slice){number, sizeof number});
    return lmdb_ledger_put_scratch(ledger, lost_since_ms != 0 ? LEDGER_OP_PUT : LEDGER_OP_DELETE,
                                   LEDGER_META, name, err);
}
