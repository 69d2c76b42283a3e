#include <string.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "reconcile_private.h"

enum { SLOT_BYTES_MAX = 32 * 1024 * 1024, ANSWER_BYTES = 64 * 1024 * 1024 };

/* --- opening --- */

static enum err_code compile_lookups(struct reconciler *reconciler, struct err *err)
{
    struct session *session = reconciler->session;
    const struct spec *spec = &session->spec;
    enum err_code code = ERR_OK;

    reconciler->lookups = arena_new(&session->arena, spec->job_count, sizeof(*reconciler->lookups));
    reconciler->connections =
        arena_new(&session->arena, spec->connection_count, sizeof *reconciler->connections);
    if (reconciler->lookups == NULL || reconciler->connections == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the look-ups");
    for (size_t i = 0; i < spec->job_count && code != ERR_NO_MEMORY; i++)
        code = lookup_compile(&session->arena, spec, &spec->jobs[i], &reconciler->lookups[i],
                              &session->diagnostics);
    if (code == ERR_NO_MEMORY)
        return err_set(err, code, "no memory for the look-ups");
    if (diagnostics_has_errors(&session->diagnostics))
        return err_set(err, ERR_INPUT, "%llu errors in %s; nothing was asked",
                       (unsigned long long)session->diagnostics.error_count, spec->file);
    return ERR_OK;
}

enum err_code reconciler_open(struct session *session, const struct credentials *credentials,
                              const struct where *where, int signal_fd,
                              struct reconciler **reconciler_out, struct err *err)
{
    struct reconciler *reconciler = mem_new(1, sizeof *reconciler);

    if (reconciler == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to reconcile");
    reconciler->session = session;
    listing_init(&reconciler->listing, session->ledger, where);
    arena_init(&reconciler->scratch, UNIT_ARENA_BYTES_MAX);
    arena_init(&reconciler->answer, ANSWER_BYTES);
    for (size_t i = 0; i < RECONCILE_ITEMS_MAX; i++)
        arena_init(&reconciler->slots[i].arena, SLOT_BYTES_MAX);
    if (compile_lookups(reconciler, err) != ERR_OK ||
        api_client_open(&session->spec, credentials,
                        &(struct api_client_options){.signal_fd = signal_fd,
                                                     .state_path = session->directory.path},
                        &reconciler->client, err) != ERR_OK) {
        reconciler_close(reconciler);
        return err->code;
    }
    *reconciler_out = reconciler;
    return ERR_OK;
}

void reconciler_close(struct reconciler *reconciler)
{
    if (reconciler == NULL)
        return;
    api_client_close(reconciler->client);
    listing_deinit(&reconciler->listing);
    claims_deinit(&reconciler->claims);
    for (size_t i = 0; i < RECONCILE_ITEMS_MAX; i++)
        arena_deinit(&reconciler->slots[i].arena);
    arena_deinit(&reconciler->scratch);
    arena_deinit(&reconciler->answer);
    mem_free(reconciler);
}

bool reconciler_was_refused(const struct reconciler *reconciler)
{
    return reconciler->was_refused;
}

/* --- an item comes in --- */

struct slice reconciler_keep(struct arena *arena, struct slice text, bool *failed)
{
    char *copy = arena_copy_text(arena, text.length == 0 ? "" : text.bytes, text.length);

    *failed = *failed || copy == NULL;
    return (struct slice){copy, text.length};
}

const char *reconciler_keep_text(struct arena *arena, const char *text)
{
    const char *copy = arena_copy_text(arena, text, strlen(text));

    return copy == NULL ? "" : copy;
}

static bool sends_key(const struct spec_job *job, const struct operation *operation)
{
    enum repeat repeat = operation == NULL ? REPEAT_NEVER : operation_repeat(operation);

    if (job != NULL && (job->repeats_naturally || job->trusts_key))
        return job->trusts_key;
    return repeat == REPEAT_BY_KEY || repeat == REPEAT_IF_PROVEN;
}

static void find_in_spec(const struct spec *spec, const struct item_view *view,
                         struct ring_slot *slot)
{
    const struct spec_connection *connection =
        spec_connection_find(spec, slice_of(view->connection));

    slot->connection =
        connection == NULL ? API_NO_CONNECTION : (uint32_t)(connection - spec->connections);
    slot->spec_job = NULL;
    for (size_t i = 0; i < spec->job_count; i++)
        if (strcmp(spec->jobs[i].name, view->job) == 0)
            slot->spec_job = &spec->jobs[i];
    slot->operation = slot->spec_job != NULL
                          ? slot->spec_job->operation
                          : operation_find(view->request.method, view->request.path);
}

/* Why the item cannot be asked about by a look-up; NULL = it can. */
static const char *make_question(struct reconciler *reconciler, struct ring_slot *slot,
                                 const struct item_view *view)
{
    const struct lookup *lookup =
        reconciler->lookups[slot->spec_job - reconciler->session->spec.jobs];
    const struct lookup_item item = {
        .key = view->request.key, .body = view->request.body, .line = view->request.source_line};
    struct eval_error error = {0};
    bool asked;

    if (slot->connection == API_NO_CONNECTION)
        return "its connection is not in the spec any more";
    asked = lookup_ask(lookup, &item, &slot->arena, &reconciler->scratch, &slot->question, &error);
    arena_clear(&reconciler->scratch);
    if (asked)
        return NULL;
    (void)log_redact(error.text, strlen(error.text));
    return reconciler_keep_text(&slot->arena, error.text);
}

static void prepare_lookup(struct reconciler *reconciler, struct ring_slot *slot,
                           const struct item_view *view)
{
    struct finding *finding = &slot->finding;
    const char *problem;

    if (slot->spec_job == NULL ||
        reconciler->lookups[slot->spec_job - reconciler->session->spec.jobs] == NULL)
        return;
    finding->evidence.lookup = LOOKUP_NOT_NEEDED;
    problem = make_question(reconciler, slot, view);
    if (problem != NULL) {
        finding->evidence.lookup = LOOKUP_IMPOSSIBLE;
        finding->lookup_detail = problem;
        return;
    }
    finding->lookup_path = slot->question.path;
}

/* What the answer to a write of a connection holds is kept nowhere, so it is not asked for. */
static bool may_be_asked_for(const struct ring_slot *slot)
{
    return slot->spec_job == NULL || slot->spec_job->connection_write == CONNECTION_WRITE_NONE;
}

static enum err_code take_in(struct reconciler *reconciler, struct ring_slot *slot,
                             const struct item_view *view, struct err *err)
{
    const struct spec *spec = &reconciler->session->spec;
    struct finding *finding = &slot->finding;
    struct arena arena = slot->arena;
    bool failed = false;

    arena_clear(&arena);
    *slot = (struct ring_slot){.arena = arena, .job_path = view->item.job_path};
    *finding = (struct finding){
        .number = view->number,
        .item = view->item,
        .job = view->job,
        .connection = view->connection,
        .evidence = {.doubt = view->item.reason, .doubt_ms = view->item.finished_ms},
        .job_detail = "",
        .lookup_detail = ""};
    finding->key = reconciler_keep(&slot->arena, view->request.key, &failed);
    slot->path = reconciler_keep(&slot->arena, view->request.path, &failed);
    if (failed)
        return err_set(err, ERR_NO_MEMORY, "no memory for an item in doubt");
    find_in_spec(spec, view, slot);
    if (sends_key(slot->spec_job, slot->operation))
        view_idempotency_key(spec, view, slot->idempotency_key);
    prepare_lookup(reconciler, slot, view);
    slot->step = view->item.remote_job[0] != '\0' && may_be_asked_for(slot) ? STEP_ASK_JOB
                                                                            : STEP_NEEDS_STATUS;
    return ERR_OK;
}

static enum err_code fill(struct reconciler *reconciler, struct err *err)
{
    while (reconciler->count < RECONCILE_ITEMS_MAX && !reconciler->listing_ended) {
        uint32_t at = (reconciler->head + reconciler->count) % RECONCILE_ITEMS_MAX;
        struct item_view view;
        enum err_code code = listing_next(&reconciler->listing, &view, err);

        if (code == ERR_NOT_FOUND)
            reconciler->listing_ended = true;
        else if (code != ERR_OK)
            return code;
        else if (view.item.state == ITEM_IN_DOUBT) {
            if (take_in(reconciler, &reconciler->slots[at], &view, err) != ERR_OK)
                return err->code;
            reconciler->count++;
        }
    }
    return ERR_OK;
}

/* --- findings, in order --- */

static void give_back_head(struct reconciler *reconciler)
{
    if (!reconciler->head_is_lent)
        return;
    reconciler->head_is_lent = false;
    reconciler->head = (reconciler->head + 1) % RECONCILE_ITEMS_MAX;
    reconciler->count--;
}

/* In the order of the listing, so that the same item gets it each time. */
static enum err_code claim(struct reconciler *reconciler, struct ring_slot *slot, struct err *err)
{
    struct finding *finding = &slot->finding;
    bool is_free;

    if (finding->evidence.lookup != LOOKUP_FOUND_ONE || slot->operation->method != METHOD_POST)
        return ERR_OK;
    if (claims_take(&reconciler->claims, reconciler->session, finding->item.connection,
                    finding->ids[0], &is_free, err) != ERR_OK)
        return err->code;
    if (!is_free)
        finding->evidence.lookup = LOOKUP_FOUND_TAKEN;
    return ERR_OK;
}

bool reconciler_is_ready(const struct reconciler *reconciler)
{
    uint32_t next = reconciler->head_is_lent ? 1 : 0;

    return reconciler->count > next &&
           reconciler->slots[(reconciler->head + next) % RECONCILE_ITEMS_MAX].step == STEP_FINISHED;
}

enum err_code reconciler_next(struct reconciler *reconciler, struct finding *finding_out,
                              struct err *err)
{
    struct ring_slot *head;

    give_back_head(reconciler);
    for (;;) {
        if (fill(reconciler, err) != ERR_OK || reconciler_ask(reconciler, err) != ERR_OK)
            return err->code;
        if (reconciler->count == 0)
            return ERR_NOT_FOUND;
        head = &reconciler->slots[reconciler->head];
        if (head->step == STEP_FINISHED)
            break;
        if (reconciler_take_answer(reconciler, err) != ERR_OK)
            return err->code;
    }
    if (claim(reconciler, head, err) != ERR_OK)
        return err->code;
    head->finding.proposal = reconcile_propose(&head->finding.evidence);
    *finding_out = head->finding;
    reconciler->head_is_lent = true;
    return ERR_OK;
}
