#include "purser/cli/outdated.h"

#include "purser/cli/decide.h"
#include "purser/engine/engine.h"
#include "purser/io/request_renderer.h"

struct search {
    struct ledger *ledger;
    bool write;
    outdated_fn *found;
    void *context;
    struct request_renderer renderer;
    struct buf needs, request;
};

/* Where not, the draft waits with the parent. */
static enum err_code are_parents_done(struct search *search, const struct needs_record *needs,
                                      bool *done_out, struct err *err)
{
    *done_out = true;
    for (size_t i = 0; i < needs->need_count && *done_out; i++) {
        struct item parent;
        enum err_code code;

        if (needs->needs[i].kind != WAIT_ITEM || needs->needs[i].ordering)
            continue;
        code = search->ledger->ops->read_item(search->ledger, needs->needs[i].target, &parent, err);
        if (code != ERR_OK && code != ERR_NOT_FOUND)
            return code;
        *done_out = code == ERR_OK && parent.state == ITEM_SUCCEEDED;
    }
    return ERR_OK;
}

/* A draft of which no request can be made, or none is wanted, changes nothing in the next run; what
 * is damaged in the ledger, that run says. */
static enum err_code compare(struct search *search, uint64_t number, const struct item *item,
                             const struct needs_record *needs, struct err *err)
{
    struct renderer *renderer = &search->renderer.port;
    char problem[ERROR_MESSAGE_BYTES_MAX] = "";
    struct frozen_request request;
    struct hash128 hash;
    enum err_code code =
        search->ledger->ops->read_request(search->ledger, number, &search->request, &request, err);

    if (code == ERR_OK)
        code = renderer->ops->render(renderer, number, item, needs, &request, problem,
                                     sizeof problem, err);
    if (code == ERR_INPUT || ledger_has_none(code))
        return ERR_OK;
    if (code != ERR_OK)
        return code;
    hash = request_hash(request.method, request.path, request.body);
    if (hash128_equal(hash, item->request_hash))
        return ERR_OK;
    search->found(search->context, item);
    return ERR_OK;
}

static enum err_code look_at(struct search *search, uint64_t number, const struct item *item,
                             struct err *err)
{
    struct needs_record needs;
    bool done = false, stays;
    enum err_code code =
        search->ledger->ops->read_needs(search->ledger, number, &search->needs, &needs, err);

    if (ledger_has_none(code))
        return ERR_OK;
    if (code != ERR_OK)
        return code;
    stays = item->corrected && needs.draft.length == 0;
    if (stays)
        needs.draft = needs.remake;
    if (needs.draft.length == 0)
        return ERR_OK;
    code = are_parents_done(search, &needs, &done, err);
    if (code == ERR_OK && done)
        code = compare(search, number, item, &needs, err);
    if (code != ERR_OK || !done || stays || !search->write)
        return code;
    needs.draft = SLICE("");
    if (search->ledger->ops->put_needs(search->ledger, number, &needs, err) != ERR_OK)
        return err->code;
    return search->ledger->ops->batch_bytes(search->ledger) > BATCH_BYTES_MAX / 2
               ? decide_commit(search->ledger, false, err)
               : ERR_OK;
}

enum err_code outdated_find(struct ledger *ledger, struct intake *intake, bool write,
                            outdated_fn *found, void *context, struct err *err)
{
    struct search search = {.ledger = ledger, .write = write, .found = found, .context = context};
    enum err_code code = ERR_OK;
    uint64_t number = 0;
    struct item item;

    request_renderer_init(&search.renderer, intake);
    buf_init(&search.needs, 2 * BODY_BYTES_MAX);
    buf_init(&search.request, 2 * BODY_BYTES_MAX);
    while (code == ERR_OK) {
        code = ledger->ops->next_item(ledger, number, &number, &item, err);
        if (code == ERR_OK && item.state == ITEM_SUCCEEDED && item.has_needs)
            code = look_at(&search, number, &item, err);
    }
    if (code == ERR_NOT_FOUND)
        code = write ? decide_commit(ledger, true, err) : ERR_OK;
    buf_deinit(&search.needs);
    buf_deinit(&search.request);
    return code;
}
