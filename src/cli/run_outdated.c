/* What has succeeded, and was made from an answer that is another one by now.
 *
 * The comparison keeps the draft of such a row with its item, because what the item is made from
 * was to be sent again. When the run ends the draft is made into a request once more and compared.
 */
#include <string.h>

#include "purser/cli/decide.h"
#include "purser/cli/run.h"
#include "purser/io/request_renderer.h"

struct search {
    struct run *run;
    struct ledger *ledger;
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

static bool is_kept(const struct search *search, const struct item *item)
{
    const struct spec *spec = &search->run->session->spec;
    const char *name = search->ledger->ops->job_name(search->ledger, item->job);

    for (size_t i = 0; name != NULL && i < spec->job_count; i++)
        if (strcmp(spec->jobs[i].name, name) == 0)
            return spec->jobs[i].when_changed == WHEN_CHANGED_KEEP;
    return true;
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
    if (code == ERR_INPUT || code == ERR_NOT_FOUND || code == ERR_STORAGE)
        return ERR_OK;
    if (code != ERR_OK)
        return code;
    hash = request_hash(request.method, request.path, request.body);
    if (hash.high == item->request_hash.high && hash.low == item->request_hash.low)
        return ERR_OK;
    if (is_kept(search, item))
        search->run->outdated_kept++;
    else
        search->run->outdated++;
    return ERR_OK;
}

static enum err_code look_at(struct search *search, uint64_t number, const struct item *item,
                             struct err *err)
{
    struct needs_record needs;
    bool done;
    enum err_code code =
        search->ledger->ops->read_needs(search->ledger, number, &search->needs, &needs, err);

    if (code == ERR_NOT_FOUND || code == ERR_STORAGE || (code == ERR_OK && needs.draft.length == 0))
        return ERR_OK;
    if (code != ERR_OK)
        return code;
    if (are_parents_done(search, &needs, &done, err) != ERR_OK || !done)
        return err->code;
    if (compare(search, number, item, &needs, err) != ERR_OK)
        return err->code;
    needs.draft = SLICE("");
    if (search->ledger->ops->put_needs(search->ledger, number, &needs, err) != ERR_OK)
        return err->code;
    return search->ledger->ops->batch_bytes(search->ledger) > BATCH_BYTES_MAX / 2
               ? decide_commit(search->ledger, false, err)
               : ERR_OK;
}

enum err_code run_find_outdated(struct run *run, struct err *err)
{
    struct search search = {.run = run, .ledger = run->session->ledger};
    enum err_code code = ERR_OK;
    uint64_t number = 0;
    struct item item;

    if (run->import.may_change == 0 || run->intake == NULL)
        return ERR_OK;
    request_renderer_init(&search.renderer, run->intake);
    buf_init(&search.needs, 2 * BODY_BYTES_MAX);
    buf_init(&search.request, 2 * BODY_BYTES_MAX);
    while (code == ERR_OK) {
        code = search.ledger->ops->next_item(search.ledger, number, &number, &item, err);
        if (code == ERR_OK && item.state == ITEM_SUCCEEDED && item.has_needs)
            code = look_at(&search, number, &item, err);
    }
    if (code == ERR_NOT_FOUND)
        code = decide_commit(search.ledger, true, err);
    buf_deinit(&search.needs);
    buf_deinit(&search.request);
    return code;
}
