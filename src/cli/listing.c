#include "purser/cli/listing.h"

#include <stdio.h>
#include <string.h>

#include "purser/core/key.h"

enum { VIEW_BYTES_MAX = BODY_BYTES_MAX + PATH_BYTES_MAX + 8192 };

void listing_init(struct listing *listing, struct ledger *ledger, const struct where *where)
{
    *listing = (struct listing){.ledger = ledger};
    if (where != NULL)
        listing->where = *where;
    buf_init(&listing->storage, VIEW_BYTES_MAX);
}

void listing_deinit(struct listing *listing)
{
    buf_deinit(&listing->storage);
}

static const char *or_unknown(const char *name)
{
    return name == NULL ? "?" : name;
}

/* An item whose request cannot be read is shown all the same, without its key. */
static enum err_code complete(struct ledger *ledger, struct buf *storage, struct item_view *view,
                              struct err *err)
{
    enum err_code code;

    view->job = or_unknown(ledger->ops->job_name(ledger, view->item.job));
    view->connection = or_unknown(ledger->ops->connection_name(ledger, view->item.connection));
    view->request = (struct frozen_request){.key = SLICE("?")};
    code = ledger->ops->read_request(ledger, view->number, storage, &view->request, err);
    view->is_unreadable = ledger_has_none(code);
    return view->is_unreadable ? ERR_OK : code;
}

enum err_code listing_next(struct listing *listing, struct item_view *view_out, struct err *err)
{
    struct ledger *ledger = listing->ledger;

    for (;;) {
        enum err_code code =
            ledger->ops->next_item(ledger, listing->after, &view_out->number, &view_out->item, err);

        if (code == ERR_OK)
            code = complete(ledger, &listing->storage, view_out, err);
        if (code != ERR_OK)
            return code;
        listing->after = view_out->number;
        if (where_matches(&listing->where, view_out))
            return ERR_OK;
    }
}

static enum err_code find_job(struct ledger *ledger, struct slice name, uint32_t *number_out,
                              struct err *err)
{
    const char *known;

    for (uint32_t i = 0; (known = ledger->ops->job_name(ledger, i)) != NULL; i++) {
        if (slice_is(name, known)) {
            *number_out = i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_NOT_FOUND, "the ledger has no job '%.*s'", (int)name.length,
                   name.bytes);
}

enum err_code listing_find(struct ledger *ledger, const char *name, const char *connection,
                           struct buf *storage, struct item_view *view_out, struct err *err)
{
    const char *slash = strchr(name, '/'), *alias;
    struct slice key;
    uint32_t job, found_count = 0;
    enum err_code code;

    if (slash == NULL)
        return err_set(err, ERR_USAGE, "'%.100s' is not JOB/KEY", name);
    if (find_job(ledger, (struct slice){name, (size_t)(slash - name)}, &job, err) != ERR_OK)
        return err->code;
    key = slice_of(slash + 1);
    for (uint32_t i = 0; (alias = ledger->ops->connection_name(ledger, i)) != NULL; i++) {
        uint64_t number;

        if (connection != NULL && strcmp(connection, alias) != 0)
            continue;
        code = ledger->ops->find(ledger, job, i, key, &number, err);
        if (code == ERR_NOT_FOUND)
            continue;
        if (code != ERR_OK)
            return code;
        view_out->number = number;
        found_count++;
    }
    if (found_count == 0)
        return err_set(err, ERR_NOT_FOUND, "the ledger has no item '%.200s'", name);
    if (found_count > 1)
        return err_set(err, ERR_USAGE,
                       "'%.200s' stands on %u connections\nhint: --connection ALIAS says which",
                       name, found_count);
    code = ledger->ops->read_item(ledger, view_out->number, &view_out->item, err);
    return code == ERR_OK ? complete(ledger, storage, view_out, err) : code;
}

enum err_code view_result(struct ledger *ledger, const struct item_view *view, struct buf *storage,
                          struct result_record *result_out, struct err *err)
{
    enum err_code code = ledger->ops->read_result(ledger, view->number, storage, result_out, err);

    if (code != ERR_OK && !ledger_has_none(code))
        return code;
    if (code != ERR_OK)
        *result_out = (struct result_record){0};
    if (code == ERR_DAMAGED)
        result_out->message = SLICE("what became of it is damaged in the ledger");
    if (view->is_unreadable)
        result_out->message =
            SLICE("its request is damaged in the ledger, so that its key is not known");
    return ERR_OK;
}

void view_idempotency_key(const struct spec *spec, const struct item_view *view, char key_out[37])
{
    key_out[0] = '\0';
    if (view->is_unreadable)
        return;
    key_derive(slice_of(spec->name), slice_of(view->job), slice_of(view->connection),
               view->request.key, view->item.generation, key_out);
}
