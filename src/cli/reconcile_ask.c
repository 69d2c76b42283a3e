#include <assert.h>
#include <string.h>

#include "purser/codec/connection_status.h"
#include "purser/codec/reply.h"
#include "purser/io/clock.h"
#include "reconcile_private.h"

enum { STATUS_TAG = RECONCILE_ITEMS_MAX /* and up, by connection */ };

/* --- asking --- */

static enum err_code ask_job(struct reconciler *reconciler, struct ring_slot *slot, uint32_t tag,
                             struct err *err)
{
    if (slot->step == STEP_ASK_OTHER_ADDRESS)
        slot->job_path = slot->job_path == JOB_PATH_BASE ? JOB_PATH_V2 : JOB_PATH_BASE;
    slot->step = STEP_WAITS_FOR_JOB;
    return api_client_start(reconciler->client,
                            &(struct api_request){.tag = tag,
                                                  .connection = API_NO_CONNECTION,
                                                  .method = METHOD_GET,
                                                  .remote_job = slot->finding.item.remote_job,
                                                  .job_path = slot->job_path},
                            err);
}

static enum err_code ask_status(struct reconciler *reconciler, uint32_t connection, struct err *err)
{
    reconciler->connections[connection].step = STATUS_ASKED;
    return api_client_start(reconciler->client,
                            &(struct api_request){.tag = STATUS_TAG + (uint64_t)connection,
                                                  .connection = connection,
                                                  .method = METHOD_GET,
                                                  .path = SLICE("/connections/status")},
                            err);
}

static void end_lookup(struct ring_slot *slot, enum lookup_evidence evidence, const char *detail)
{
    slot->finding.evidence.lookup = evidence;
    slot->finding.lookup_detail = detail;
    slot->step = STEP_FINISHED;
}

static enum err_code ask_page(struct reconciler *reconciler, struct ring_slot *slot, uint32_t tag,
                              struct err *err)
{
    struct slice path = lookup_page_path(&slot->arena, &slot->question, slot->cursor);

    if (path.length == 0) {
        end_lookup(slot, LOOKUP_IMPOSSIBLE, "the path of the next page is too long");
        return ERR_OK;
    }
    slot->step = STEP_WAITS_FOR_PAGE;
    return api_client_start(
        reconciler->client,
        &(struct api_request){
            .tag = tag, .connection = slot->connection, .method = METHOD_GET, .path = path},
        err);
}

/* The remote job has been asked for, or there is none. */
static enum err_code begin_lookup(struct reconciler *reconciler, struct ring_slot *slot,
                                  struct err *err)
{
    const struct evidence *evidence = &slot->finding.evidence;
    struct connection_sync *connection;

    if (evidence->lookup != LOOKUP_NOT_NEEDED || !reconcile_needs_lookup(evidence->job)) {
        slot->step = STEP_FINISHED;
        return ERR_OK;
    }
    connection = &reconciler->connections[slot->connection];
    if (connection->step == STATUS_KNOWN)
        slot->step = STEP_ASK_PAGE;
    else if (connection->step == STATUS_UNASKED && api_client_has_room(reconciler->client))
        return ask_status(reconciler, slot->connection, err);
    return ERR_OK;
}

static enum err_code advance(struct reconciler *reconciler, uint32_t at, struct err *err)
{
    struct ring_slot *slot = &reconciler->slots[at];

    if (slot->step == STEP_NEEDS_STATUS && begin_lookup(reconciler, slot, err) != ERR_OK)
        return err->code;
    if (!api_client_has_room(reconciler->client))
        return ERR_OK;
    if (slot->step == STEP_ASK_JOB || slot->step == STEP_ASK_OTHER_ADDRESS)
        return ask_job(reconciler, slot, at, err);
    if (slot->step == STEP_ASK_PAGE)
        return ask_page(reconciler, slot, at, err);
    return ERR_OK;
}

enum err_code reconciler_ask(struct reconciler *reconciler, struct err *err)
{
    for (uint32_t i = 0; i < reconciler->count; i++)
        if (advance(reconciler, (reconciler->head + i) % RECONCILE_ITEMS_MAX, err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

/* --- answers --- */

static enum job_evidence evidence_of_event(const struct item_event *event)
{
    static const struct {
        enum item_event_kind kind;
        enum job_evidence evidence;
    } meanings[] = {{EVENT_DONE, JOB_SUCCEEDED},
                    {EVENT_REFUSED, JOB_FAILED},
                    {EVENT_JOB_THROTTLED, JOB_FAILED},
                    {EVENT_PENDING, JOB_RUNNING},
                    {EVENT_MISSING, JOB_FORGOTTEN}};

    if (event->kind == EVENT_UNCLEAR)
        return event->reason == REASON_PARTIAL_SUCCESS ? JOB_PARTLY_DONE : JOB_UNCLEAR;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].kind == event->kind)
            return meanings[i].evidence;
    return JOB_UNANSWERED;
}

static void take_job(struct reconciler *reconciler, struct ring_slot *slot,
                     const struct api_answer *answer)
{
    struct finding *finding = &slot->finding;
    struct reply_reading reading;

    if (answer->outcome != TRANSFER_ANSWERED) {
        finding->evidence.job = JOB_UNANSWERED;
        finding->job_detail = reconciler_keep_text(&slot->arena, answer->failure);
        slot->step = STEP_NEEDS_STATUS;
        return;
    }
    reading = reply_read(&reconciler->scratch,
                         &(struct reply_input){.phase = PHASE_POLL,
                                               .operation = slot->operation,
                                               .path = slot->path,
                                               .http_status = answer->http_status,
                                               .body = answer->body,
                                               .content_type = answer->content_type,
                                               .job_id = answer->job_id,
                                               .date = answer->date,
                                               .base_origin = api_client_origin(reconciler->client),
                                               .remote_job = finding->item.remote_job,
                                               .idempotency_key = slot->idempotency_key,
                                               .now_ms = clock_wall_ms()});
    finding->evidence.job = evidence_of_event(&reading.event);
    finding->job_detail = reconciler_keep_text(&slot->arena, reading.message);
    reconciler->was_refused = reconciler->was_refused || reading.scope == SCOPE_OF_RUN;
    if (finding->evidence.job == JOB_SUCCEEDED) {
        bool failed = false;

        finding->result = reconciler_keep(&slot->arena, reading.result, &failed);
        finding->http_status = reading.event.http_status;
        if (failed)
            finding->result = (struct slice){0};
    }
    /* Both addresses are documented. */
    slot->step = finding->evidence.job == JOB_FORGOTTEN && slot->job_path == finding->item.job_path
                     ? STEP_ASK_OTHER_ADDRESS
                     : STEP_NEEDS_STATUS;
}

static void take_status(struct reconciler *reconciler, struct connection_sync *connection,
                        const struct api_answer *answer)
{
    int64_t date_ms = reply_date_ms(answer->date);
    struct connection_status status;

    connection->step = STATUS_KNOWN;
    if (answer->outcome != TRANSFER_ANSWERED)
        return;
    status = connection_status_read(
        &reconciler->scratch,
        &(struct connection_status_input){.http_status = answer->http_status,
                                          .body = answer->body,
                                          .content_type = answer->content_type});
    connection->last_sync_ms = status.last_sync_ms;
    connection->server_ahead_ms = date_ms > 0 ? date_ms - clock_wall_ms() : 0;
}

/* Ids and entity of a page go to the slot; false without memory. */
static bool keep_found(struct ring_slot *slot, const struct lookup_page *page)
{
    struct finding *finding = &slot->finding;
    bool failed = false;

    if (finding->found_count == 0 && page->count > 0) {
        finding->result = reconciler_keep(&slot->arena, page->entity, &failed);
        finding->http_status = 200;
        slot->created_ms = page->created_ms;
    }
    for (size_t i = 0; i < page->count && i < LOOKUP_IDS_MAX; i++) {
        size_t at = finding->found_count + i;

        if (at < LOOKUP_IDS_MAX)
            finding->ids[at] = reconciler_keep(&slot->arena, page->ids[i], &failed);
    }
    finding->found_count += page->count;
    return !failed;
}

/* What a write changes was created before it; what it creates was not. */
static enum lookup_evidence evidence_of_one(const struct ring_slot *slot)
{
    bool creates = slot->operation != NULL && slot->operation->method == METHOD_POST;

    return creates && reconcile_is_older(slot->created_ms, slot->finding.item.intent_ms)
               ? LOOKUP_FOUND_OLDER
               : LOOKUP_FOUND_ONE;
}

static void judge_pages(const struct reconciler *reconciler, struct ring_slot *slot)
{
    struct finding *finding = &slot->finding;
    const struct connection_sync *connection = &reconciler->connections[slot->connection];

    if (finding->found_count > 1)
        end_lookup(slot, LOOKUP_FOUND_SEVERAL, "");
    else if (slot->cursor.length > 0 && slot->page_count >= RECONCILE_PAGES_MAX)
        end_lookup(slot, LOOKUP_IMPOSSIBLE, "the list has too many pages; narrow the filter");
    else if (slot->cursor.length > 0)
        slot->step = STEP_ASK_PAGE;
    else
        end_lookup(slot, finding->found_count == 1 ? evidence_of_one(slot) : LOOKUP_FOUND_NOTHING,
                   "");
    finding->evidence.last_sync_ms = connection->last_sync_ms;
    finding->evidence.server_ahead_ms = connection->server_ahead_ms;
}

static void take_page(struct reconciler *reconciler, struct ring_slot *slot,
                      const struct api_answer *answer)
{
    struct lookup_page page;
    bool failed = false;

    if (answer->outcome != TRANSFER_ANSWERED) {
        end_lookup(slot, LOOKUP_UNANSWERED, reconciler_keep_text(&slot->arena, answer->failure));
        return;
    }
    page = lookup_read_page(&reconciler->scratch, &slot->question, answer->http_status,
                            answer->body, answer->content_type);
    reconciler->was_refused = reconciler->was_refused || page.is_refused;
    slot->page_count++;
    if (!page.is_read) {
        end_lookup(slot, page.is_impossible ? LOOKUP_IMPOSSIBLE : LOOKUP_UNANSWERED,
                   reconciler_keep_text(&slot->arena, page.detail));
        return;
    }
    slot->cursor = reconciler_keep(&slot->arena, page.cursor, &failed);
    if (failed || !keep_found(slot, &page)) {
        end_lookup(slot, LOOKUP_UNANSWERED, "no memory for what was found");
        return;
    }
    judge_pages(reconciler, slot);
}

enum err_code reconciler_take_answer(struct reconciler *reconciler, struct err *err)
{
    struct api_answer answer;
    enum err_code code = api_client_next(reconciler->client, &reconciler->answer, &answer, err);

    assert(code != ERR_NOT_FOUND); /* an item that is not finished waits for an answer */
    if (code != ERR_OK)
        return code;
    if (answer.tag >= STATUS_TAG)
        take_status(reconciler, &reconciler->connections[answer.tag - STATUS_TAG], &answer);
    else if (reconciler->slots[answer.tag].step == STEP_WAITS_FOR_JOB)
        take_job(reconciler, &reconciler->slots[answer.tag], &answer);
    else
        take_page(reconciler, &reconciler->slots[answer.tag], &answer);
    arena_clear(&reconciler->answer);
    arena_clear(&reconciler->scratch);
    return ERR_OK;
}
