/* A ledger as power_images sees it: opened by purser's own code, and read to its last byte. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lmdb_ledger_internal.h"
#include "power.h"
#include "purser/base/checksum.h"
#include "purser/core/key.h"

struct looked_at {
    struct state_directory directory;
    struct lmdb_ledger *ledger;
    struct ledger *port;
};

static enum err_code open_it(const char *root, const char *spec_name, struct looked_at *at,
                             struct err *err)
{
    const struct lmdb_ledger_options options = {.spec_name = spec_name};

    if (state_directory_open(root, spec_name, false, &at->directory, err) != ERR_OK)
        return err->code;
    if (lmdb_ledger_open(&at->directory, &options, &at->ledger, err) != ERR_OK) {
        state_directory_close(&at->directory);
        return err->code;
    }
    at->port = lmdb_ledger_port(at->ledger);
    return ERR_OK;
}

struct outcome ledger_begin(const char *root, const char *spec_name)
{
    const struct lmdb_ledger_options options = {
        .spec_name = spec_name, .base_url = "http://127.0.0.1", .write = true};
    struct outcome outcome = {0};
    struct looked_at at;
    struct err err = {0};

    outcome.code = state_directory_open(root, spec_name, true, &at.directory, &err);
    if (outcome.code == ERR_OK) {
        outcome.code = lmdb_ledger_open(&at.directory, &options, &at.ledger, &err);
        if (outcome.code == ERR_OK)
            lmdb_ledger_close(at.ledger);
        state_directory_close(&at.directory);
    }
    (void)snprintf(outcome.text, sizeof outcome.text, "%s", outcome.code == ERR_OK ? "" : err.text);
    return outcome;
}

static void close_it(struct looked_at *at)
{
    lmdb_ledger_close(at->ledger);
    state_directory_close(&at->directory);
}

/* All keys and values. */
static enum err_code digest_of(struct lmdb_ledger *ledger, uint64_t *digest_out, struct err *err)
{
    enum err_code code = ledger_store_begin_read(ledger->store, err);
    uint64_t digest = 0;

    if (code != ERR_OK)
        return code;
    for (enum ledger_database database = 0; database < LEDGER_DATABASE_COUNT; database++) {
        struct slice key, value;

        code = ledger_store_seek(ledger->store, database, SLICE("\0"), &key, &value, err);
        while (code == ERR_OK) {
            uint64_t both[] = {digest, database, checksum64(key.bytes, key.length),
                               checksum64(value.bytes, value.length)};

            digest = checksum64(both, sizeof both);
            code = ledger_store_next(ledger->store, database, &key, &value, err);
        }
        if (code != ERR_NOT_FOUND)
            break;
    }
    ledger_store_end_read(ledger->store);
    *digest_out = digest;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code wrong(struct err *err, uint64_t number, const char *what)
{
    return err_set(err, ERR_STORAGE, "item %" PRIu64 ": %s", number, what);
}

static bool was_started(const struct item *item)
{
    return (item->state != ITEM_BLOCKED && item->state != ITEM_READY) || item->attempt_total > 0;
}

/* The records of one item. */
static enum err_code read_parts(struct ledger *port, uint64_t number, const struct item *item,
                                struct buf *storage, struct err *err)
{
    struct frozen_request request;
    struct result_record result;
    struct needs_record needs;
    struct attempt_record attempt;
    enum err_code code = port->ops->read_request(port, number, storage, &request, err);
    uint64_t found = 0;
    uint32_t index = 0;

    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    if (code == ERR_OK && (port->ops->find(port, request.job, request.connection, request.key,
                                           &found, err) != ERR_OK ||
                           found != number))
        return wrong(err, number, "its name leads elsewhere");
    if (code == ERR_NOT_FOUND && was_started(item))
        return wrong(err, number, "was started without a request");
    code = port->ops->read_result(port, number, storage, &result, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    code = port->ops->read_needs(port, number, storage, &needs, err);
    if (code != ERR_OK && (code != ERR_NOT_FOUND || item->has_needs))
        return wrong(err, number, "its needs are missing or damaged");
    do
        code = port->ops->read_attempt(port, number, index++, storage, &attempt, err);
    while (code == ERR_OK);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code read_all(struct ledger *port, struct buf *storage, struct err *err)
{
    struct item_counts counted = {0}, told;
    uint64_t number = 0;
    struct item item;
    enum err_code code;

    while ((code = port->ops->next_item(port, number, &number, &item, err)) == ERR_OK) {
        if (item.reason == REASON_RECORD_DAMAGED)
            return wrong(err, number, "its record is damaged");
        counted.by_state[item.state]++;
        if (read_parts(port, number, &item, storage, err) != ERR_OK)
            return err->code;
    }
    if (code != ERR_NOT_FOUND ||
        port->ops->counts(port, UINT32_MAX, UINT32_MAX, &told, err) != ERR_OK)
        return err->code;
    if (memcmp(&counted, &told, sizeof told) != 0)
        return err_set(err, ERR_STORAGE, "the counters are not those of the items");
    for (uint32_t run = 1; run <= port->ops->last_run(port); run++) {
        struct run_record record;

        if (port->ops->read_run(port, run, &record, err) != ERR_OK)
            return err_set(err, ERR_STORAGE, "run %u cannot be read", run);
    }
    return ERR_OK;
}

static enum err_code check_sends(struct ledger *port, const struct send *sends, size_t count,
                                 struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct item item;

        if (port->ops->read_item(port, sends[i].item, &item, err) != ERR_OK)
            return wrong(err, sends[i].item, "was sent, and is not there");
        if (item.generation < sends[i].generation ||
            (item.generation == sends[i].generation && !was_started(&item)))
            return wrong(err, sends[i].item, "was sent, and its intent is not there");
    }
    return ERR_OK;
}

struct outcome ledger_look(const char *root, const char *spec_name, const struct send *sends,
                           size_t send_count)
{
    struct outcome outcome = {.code = ERR_OK};
    struct looked_at at;
    struct err err = {0};
    struct buf storage;

    outcome.code = open_it(root, spec_name, &at, &err);
    if (outcome.code == ERR_OK) {
        buf_init(&storage, FILE_BYTES_MAX);
        outcome.revision = lmdb_ledger_revision(at.ledger);
        if (digest_of(at.ledger, &outcome.digest, &err) != ERR_OK ||
            read_all(at.port, &storage, &err) != ERR_OK ||
            check_sends(at.port, sends, send_count, &err) != ERR_OK)
            outcome.code = err.code == ERR_OK || err.code == ERR_NOT_FOUND ? ERR_STORAGE : err.code;
        buf_deinit(&storage);
        close_it(&at);
    }
    (void)snprintf(outcome.text, sizeof outcome.text, "%s", outcome.code == ERR_OK ? "" : err.text);
    return outcome;
}

/* --- what was sent --- */

bool request_writes(const char *request, size_t length)
{
    static const char *const methods[] = {"POST /", "PATCH /", "PUT /", "DELETE /"};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (length > strlen(methods[i]) && memcmp(request, methods[i], strlen(methods[i])) == 0)
            return true;
    return false;
}

/* The idempotency key among the header lines; empty when there is none. */
static struct slice key_of(const char *request, size_t length)
{
    static const char name[] = "\r\nidempotency-key: ";
    size_t size = sizeof name - 1;

    for (size_t i = 0; i + size + KEY_TEXT_BYTES - 1 <= length; i++)
        if (strncasecmp(request + i, name, size) == 0)
            return (struct slice){request + i + size, KEY_TEXT_BYTES - 1};
    return SLICE("");
}

/* The request line asks for the path of the frozen request. */
static bool is_path_of(const char *request, size_t length, struct slice path)
{
    const char *end = memchr(request, '\r', length);

    for (const char *at = request; end != NULL && at + path.length < end; at++)
        if (memcmp(at, path.bytes, path.length) == 0 && strchr("? ", at[path.length]) != NULL)
            return true;
    return false;
}

/* An intent of this very request. */
static bool is_intent_of(struct ledger *port, const char *spec_name, const struct item *item,
                         const struct frozen_request *frozen, const char *request, size_t length)
{
    struct slice key = key_of(request, length);
    char derived[KEY_TEXT_BYTES];

    if (item->state != ITEM_SENDING)
        return false;
    if (key.length == 0)
        return is_path_of(request, length, frozen->path);
    key_derive(slice_of(spec_name), slice_of(port->ops->job_name(port, item->job)),
               slice_of(port->ops->connection_name(port, item->connection)), frozen->key,
               item->generation, derived);
    return memcmp(derived, key.bytes, key.length) == 0;
}

bool ledger_find_send(const char *root, const char *spec_name, const char *request, size_t length,
                      struct send *send_out, char why[512])
{
    struct looked_at at;
    struct err err = {0};
    struct buf storage;
    struct item item;
    struct frozen_request frozen;
    bool found = false;

    (void)snprintf(why, 512, "a write leaves whose intent is not durable");
    if (open_it(root, spec_name, &at, &err) != ERR_OK) {
        (void)snprintf(why, 512, "a write leaves while there is no durable ledger: %.400s",
                       err.text);
        return false;
    }
    buf_init(&storage, FILE_BYTES_MAX);
    *send_out = (struct send){0};
    while (!found &&
           at.port->ops->next_item(at.port, send_out->item, &send_out->item, &item, &err) == ERR_OK)
        found = at.port->ops->read_request(at.port, send_out->item, &storage, &frozen, &err) ==
                    ERR_OK &&
                is_intent_of(at.port, spec_name, &item, &frozen, request, length);
    send_out->generation = item.generation;
    buf_deinit(&storage);
    close_it(&at);
    return found;
}
