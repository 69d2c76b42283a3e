#include "purser/cli/decide.h"

#include <assert.h>

#include "purser/io/clock.h"

static struct step step_of(const struct session *session, const struct item *item,
                           enum item_event_kind kind, enum reason reason, int64_t now_ms)
{
    struct item_event event = {.kind = kind,
                               .now_ms = now_ms,
                               .server_now_ms = now_ms,
                               .lost_since_ms = lmdb_ledger_lost_since_ms(session->lmdb),
                               .delay_ms = -1,
                               .reason = reason};
    struct policy policy = {.repeatable = true};

    return lifecycle_step(item, &event, &policy);
}

enum err_code decide_commit(struct ledger *ledger, bool wait, struct err *err)
{
    uint64_t sequence;

    if (ledger->ops->batch_bytes(ledger) > 0 &&
        ledger->ops->commit_begin(ledger, &sequence, err) != ERR_OK)
        return err->code;
    return wait ? ledger->ops->commit_poll(ledger, true, &sequence, err) : ERR_OK;
}

static enum err_code decide_all(struct session *session, const struct where *where,
                                enum item_event_kind kind, struct decide_counts *counts_out,
                                struct err *err)
{
    struct ledger *ledger = session->ledger;
    int64_t now_ms = clock_wall_ms();
    struct listing listing;
    struct item_view view;
    enum err_code code = ERR_OK;

    *counts_out = (struct decide_counts){.may_block = kind == EVENT_RETRY};
    listing_init(&listing, ledger, where);
    while (code == ERR_OK) {
        struct step step;

        code = listing_next(&listing, &view, err);
        if (code != ERR_OK)
            break;
        if (!lifecycle_is_legal(view.item.state, kind)) {
            counts_out->passed++;
            continue;
        }
        step = step_of(session, &view.item, kind, REASON_NONE, now_ms);
        if (step.item.state == view.item.state) { /* a word that changes nothing */
            counts_out->passed++;
            continue;
        }
        if (counts_out->may_block && step.item.state == ITEM_BLOCKED)
            counts_out->blocked++;
        else
            counts_out->done++;
        code = ledger->ops->put_item(ledger, view.number, &view.item, &step.item, err);
        if (code == ERR_OK && ledger->ops->batch_bytes(ledger) > BATCH_BYTES_MAX / 2)
            code = decide_commit(ledger, false, err);
    }
    listing_deinit(&listing);
    return code == ERR_NOT_FOUND ? decide_commit(ledger, true, err) : code;
}

enum err_code decide_put(struct session *session, uint64_t number, const struct item *item,
                         const struct decision *decision, struct err *err)
{
    struct attempt_record word = {.generation = item->generation,
                                  .poll = decision->reason != REASON_NONE,
                                  .started_ms = clock_wall_ms(),
                                  .event = (uint8_t)decision->kind,
                                  .message = decision->message};
    struct ledger *ledger = session->ledger;
    struct step step = step_of(session, item, decision->kind, decision->reason, word.started_ms);

    assert(step.legal);
    word.state = (uint8_t)step.item.state;
    word.reason = step.item.reason;
    if (ledger->ops->put_item(ledger, number, item, &step.item, err) != ERR_OK ||
        ledger->ops->put_attempt(ledger, number, &word, err) != ERR_OK)
        return err->code;
    return decision->result == NULL
               ? ERR_OK
               : ledger->ops->put_result(ledger, number, decision->result, err);
}

enum err_code decide_one(struct session *session, const struct item_view *view,
                         enum item_event_kind kind, struct err *err)
{
    const struct decision word = {.kind = kind, .message = SLICE("a person's word")};

    if (!lifecycle_is_legal(view->item.state, kind))
        return err_set(err, ERR_USAGE, "%s is %s; this word is for items in doubt",
                       session->options->item, item_state_name(view->item.state));
    if (decide_put(session, view->number, &view->item, &word, err) != ERR_OK)
        return err->code;
    return decide_commit(session->ledger, true, err);
}

static void tell(struct session *session, const char *verb, const struct decide_counts *counts,
                 const char *next)
{
    const char *file = session->spec.file, *state = session_state_words(session);

    if (counts->blocked == 0) {
        print_talk("%s: %llu %s, %llu passed over", session->spec.name,
                   (unsigned long long)counts->done, verb, (unsigned long long)counts->passed);
    } else {
        print_talk("%s: %llu %s, %llu blocked, %llu passed over", session->spec.name,
                   (unsigned long long)counts->done, verb, (unsigned long long)counts->blocked,
                   (unsigned long long)counts->passed);
        print_talk(
            "blocked: each is sent when what it waits for is done; purser run looks at that");
    }
    print_talk("next: purser %s %s%s", next, file, state);
}

enum err_code decide_report(struct session *session, const char *verb,
                            const struct decide_counts *counts, const char *next, struct err *err)
{
    struct buf out;
    enum err_code code = ERR_OK;

    if (!session->options->quiet)
        tell(session, verb, counts, next);
    if (session->options->output == OUTPUT_TABLE)
        return ERR_OK;
    buf_init(&out, 4096);
    buf_append_text(&out, "{\"v\":1,\"spec\":");
    text_append_json(&out, slice_of(session->spec.name));
    buf_append_format(&out, ",\"exit_code\":0,\"%s\":%llu", verb, (unsigned long long)counts->done);
    if (counts->may_block)
        buf_append_format(&out, ",\"blocked\":%llu", (unsigned long long)counts->blocked);
    buf_append_format(&out, ",\"passed_over\":%llu}\n", (unsigned long long)counts->passed);
    code = print_out(&out, err);
    buf_deinit(&out);
    return code;
}

enum err_code decide_command(struct session *session, enum item_event_kind kind, const char *verb,
                             const char *next, struct err *err)
{
    struct where where;
    struct decide_counts counts;

    if (where_parse(session->options->where, &where, err) != ERR_OK ||
        session_open_known(session, err) != ERR_OK ||
        decide_all(session, &where, kind, &counts, err) != ERR_OK)
        return err->code;
    return decide_report(session, verb, &counts, next, err);
}
