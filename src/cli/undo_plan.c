#include "purser/cli/undo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/cli/comparison.h"
#include "purser/engine/undo.h"

enum {
    STORAGE_BYTES = BODY_BYTES_MAX + PATH_BYTES_MAX + 64 * 1024,
    ANSWER_BYTES = ANSWER_BYTES_MAX + 64 * 1024,
    SCRATCH_BYTES = 256 * 1024 * 1024,
};

const char *undo_bucket_name(enum undo_bucket bucket)
{
    static const char *const names[] = {
#define X(identifier, name, meaning) [identifier] = name,
        UNDO_BUCKET_LIST(X)
#undef X
    };

    return names[bucket];
}

const char *undo_bucket_meaning(enum undo_bucket bucket)
{
    static const char *const meanings[] = {
#define X(identifier, name, meaning) [identifier] = meaning,
        UNDO_BUCKET_LIST(X)
#undef X
    };

    return meanings[bucket];
}

/* --- sets of items --- */

static enum err_code numbers_add(struct undo_numbers *numbers, struct undo_number number,
                                 struct err *err)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity == 0 ? 1024 : numbers->capacity * 2;
        struct undo_number *larger = mem_resize(numbers->numbers, capacity, sizeof *larger);

        if (larger == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for the numbers of %zu items", capacity);
        numbers->numbers = larger;
        numbers->capacity = capacity;
    }
    numbers->numbers[numbers->count++] = number;
    return ERR_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    const struct undo_number *left = a, *right = b;

    return left->number < right->number ? -1 : left->number > right->number;
}

static void numbers_sort(struct undo_numbers *numbers)
{
    if (numbers->count > 0)
        qsort(numbers->numbers, numbers->count, sizeof *numbers->numbers, compare_numbers);
}

/* NULL when it is not among them. */
static const struct undo_number *numbers_find(const struct undo_numbers *numbers, uint64_t number)
{
    const struct undo_number wanted = {.number = number};

    return numbers->count == 0 ? NULL
                               : bsearch(&wanted, numbers->numbers, numbers->count,
                                         sizeof *numbers->numbers, compare_numbers);
}

/* --- opening --- */

static enum err_code compile_all(struct undo_plan *plan, struct err *err)
{
    struct session *session = plan->session;
    const struct spec *spec = &session->spec;

    for (size_t i = 0; i < spec->job_count; i++) {
        enum err_code code = undo_compile(&session->arena, spec, &spec->jobs[i],
                                          &plan->templates[i], &session->diagnostics);

        if (code == ERR_NO_MEMORY)
            return err_set(err, code, "no memory for the undo of job %s", spec->jobs[i].name);
        if (code != ERR_OK)
            return err_set(err, code, "%s: the undo of job %s is wrong; nothing was sent",
                           spec->file, spec->jobs[i].name);
    }
    return outputs_open(spec, &session->arena, &session->diagnostics, &plan->outputs, err);
}

static uint32_t number_of_job(struct ledger *ledger, const char *name)
{
    const char *known;

    for (uint32_t i = 0; (known = ledger->ops->job_name(ledger, i)) != NULL; i++)
        if (strcmp(known, name) == 0)
            return i;
    return UINT32_MAX;
}

void undo_plan_restart(struct undo_plan *plan)
{
    const struct spec *spec = &plan->session->spec;

    plan->planned.count = 0;
    memset(plan->stands, 0, spec->job_count * sizeof *plan->stands);
    for (size_t i = 0; i < spec->job_count; i++)
        plan->undo_jobs[i] = spec->jobs[i].undo == NULL
                                 ? UINT32_MAX
                                 : number_of_job(plan->session->ledger, spec->jobs[i].undo->name);
}

enum err_code undo_plan_open(struct session *session, uint32_t run, struct undo_plan *plan_out,
                             struct err *err)
{
    size_t count = session->spec.job_count;
    uint32_t last = session->ledger->ops->last_run(session->ledger);
    struct undo_plan *plan = plan_out;

    *plan = (struct undo_plan){.session = session, .run = run};
    arena_init(&plan->scratch, SCRATCH_BYTES);
    buf_init(&plan->storage, STORAGE_BYTES);
    buf_init(&plan->answer, ANSWER_BYTES);
    buf_init(&plan->needs, STORAGE_BYTES);
    buf_init(&plan->body, BODY_BYTES_MAX);
    if (run == 0 || run > last)
        return err_set(err, ERR_USAGE, "there was no run %u of %s; the last one is %u", run,
                       session->spec.name, last);
    plan->undo_jobs = arena_new(&session->arena, count, sizeof *plan->undo_jobs);
    plan->templates = arena_new(&session->arena, count, sizeof(*plan->templates));
    plan->stands = arena_new(&session->arena, count, sizeof *plan->stands);
    if (plan->undo_jobs == NULL || plan->templates == NULL || plan->stands == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the jobs of the spec");
    if (comparison_numbers(session, false, &plan->connections, &plan->jobs, err) != ERR_OK)
        return err->code;
    undo_plan_restart(plan);
    return compile_all(plan, err);
}

void undo_plan_close(struct undo_plan *plan)
{
    outputs_close(plan->outputs);
    arena_deinit(&plan->scratch);
    buf_deinit(&plan->storage);
    buf_deinit(&plan->answer);
    buf_deinit(&plan->needs);
    buf_deinit(&plan->body);
    mem_free(plan->planned.numbers);
    mem_free(plan->needed.numbers);
}

/* --- what still needs an item --- */

/* Done, or perhaps: its parent may not go before it. */
static bool may_stand(const struct item *item)
{
    return item->state == ITEM_SUCCEEDED || item_state_is_active(item->state) ||
           item->state == ITEM_IN_DOUBT;
}

static enum err_code add_needed(struct undo_plan *plan, uint64_t number, struct err *err)
{
    struct ledger *ledger = plan->session->ledger;
    struct needs_record needs;
    enum err_code code = ledger->ops->read_needs(ledger, number, &plan->needs, &needs, err);

    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    for (size_t i = 0; i < needs.need_count; i++)
        if (needs.needs[i].kind == WAIT_ITEM && !needs.needs[i].ordering &&
            numbers_add(&plan->needed, (struct undo_number){needs.needs[i].target, number}, err) !=
                ERR_OK)
            return err->code;
    return ERR_OK;
}

static bool needs_job(const struct spec_job *job, size_t needed)
{
    for (size_t i = 0; i < job->need_count; i++)
        if (job->needs[i].job == needed)
            return true;
    return false;
}

/* A job without an undo does not hold back what it was made from: its author has said that nothing
 * of it needs to be reversed. */
static enum err_code find_needed(struct undo_plan *plan, size_t job_index, struct err *err)
{
    const struct spec *spec = &plan->session->spec;
    struct ledger *ledger = plan->session->ledger;

    plan->needed.count = 0;
    for (size_t i = 0; i < spec->job_count; i++) {
        uint64_t number = 0;
        struct item item;
        enum err_code code = ERR_OK;

        if (spec->jobs[i].undo == NULL || plan->jobs[i] == UINT32_MAX ||
            !needs_job(&spec->jobs[i], job_index))
            continue;
        while ((code = ledger->ops->next_item(ledger, number, &number, &item, err)) == ERR_OK)
            if (item.job == plan->jobs[i] && may_stand(&item) &&
                numbers_find(&plan->planned, number) == NULL &&
                add_needed(plan, number, err) != ERR_OK)
                return err->code;
        if (code != ERR_NOT_FOUND)
            return code;
    }
    numbers_sort(&plan->needed);
    return ERR_OK;
}

/* Of the jobs that wait for all of this one, one has something that could not be reversed. */
static const char *standing_job(const struct undo_plan *plan, size_t job_index)
{
    const struct spec *spec = &plan->session->spec;

    for (size_t i = 0; i < spec->job_count; i++)
        if (plan->stands[i])
            for (size_t j = 0; j < spec->jobs[i].need_count; j++)
                if (spec->jobs[i].needs[j].alias == NULL && spec->jobs[i].needs[j].job == job_index)
                    return spec->jobs[i].name;
    return NULL;
}

/* --- one item --- */

/* The generation that succeeded in the run; 0 = none did. */
static enum err_code find_success(struct undo_plan *plan, uint64_t number, uint32_t *generation_out,
                                  struct err *err)
{
    struct ledger *ledger = plan->session->ledger;
    struct attempt_record attempt;
    enum err_code code;

    *generation_out = 0;
    for (uint32_t i = 0;; i++) {
        code = ledger->ops->read_attempt(ledger, number, i, &plan->answer, &attempt, err);
        if (code != ERR_OK)
            return code == ERR_NOT_FOUND ? ERR_OK : code;
        if (attempt.run == plan->run && attempt.state == ITEM_SUCCEEDED)
            *generation_out = attempt.generation;
    }
}

/* True when the item's bucket follows from its own state; *is_of_run_out when it has one. */
static enum err_code judge_itself(struct undo_plan *plan, struct undo_view *view,
                                  bool *is_of_run_out, bool *is_candidate_out, struct err *err)
{
    const struct item *item = &view->item;
    uint32_t generation;

    *is_of_run_out = *is_candidate_out = false;
    if (item->attempt_total == 0 || item->sent_run < plan->run)
        return ERR_OK;
    if (item->state == ITEM_SUCCEEDED && item->sent_run == plan->run) {
        *is_of_run_out = *is_candidate_out = true;
        return ERR_OK;
    }
    if (find_success(plan, view->number, &generation, err) != ERR_OK)
        return err->code;
    *is_of_run_out = true;
    if (item->state == ITEM_CANCELLED && item->sent_run == plan->run &&
        (item->reason == REASON_UNDONE || item->reason == REASON_UNDO_FOUND_NOTHING)) {
        view->bucket = item->reason == REASON_UNDONE ? UNDO_REVERSED : UNDO_FOUND_NOTHING;
    } else if (generation != 0) {
        view->bucket = UNDO_KEPT_CHANGED;
        (void)snprintf(view->detail, sizeof view->detail,
                       item->sent_run > plan->run ? "sent again in run %u" : "made ready anew",
                       item->sent_run);
    } else if (item->sent_run == plan->run && item->state == ITEM_IN_DOUBT) {
        view->bucket = UNDO_IN_DOUBT;
        (void)snprintf(view->detail, sizeof view->detail, "%s", reason_code(item->reason));
    } else if (item->sent_run == plan->run && item_state_is_active(item->state)) {
        view->bucket = UNDO_UNDER_WAY;
    } else {
        *is_of_run_out = false; /* nothing was written */
    }
    return ERR_OK;
}

/* What an earlier call has come to. True when that decides. */
static enum err_code judge_own(struct undo_plan *plan, struct undo_view *view, bool *decides_out,
                               struct err *err)
{
    struct ledger *ledger = plan->session->ledger;
    const struct spec_job *undo = plan->session->spec.jobs[view->job_index].undo;
    char storage[ITEM_KEY_BYTES_MAX + 1];
    enum reason end;
    enum err_code code = ERR_NOT_FOUND;

    *decides_out = false;
    if (plan->undo_jobs[view->job_index] != UINT32_MAX)
        code = ledger->ops->find(ledger, plan->undo_jobs[view->job_index], view->item.connection,
                                 undo_key(view->key, view->item.generation, storage),
                                 &view->own_number, err);
    if (code == ERR_OK)
        code = ledger->ops->read_item(ledger, view->own_number, &view->own, err);
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    view->has_own = true;
    if (undo_end_of(ledger, &view->own, undo->method, &end, err) != ERR_OK)
        return err->code;
    *decides_out = true;
    if (end != REASON_NONE) {
        view->bucket = end == REASON_UNDONE ? UNDO_REVERSED : UNDO_FOUND_NOTHING;
    } else if (view->own.state == ITEM_IN_DOUBT || view->own.reason == REASON_ABANDONED) {
        view->bucket = UNDO_OWN_DOUBT;
        if (view->own.state == ITEM_IN_DOUBT)
            (void)snprintf(view->detail, sizeof view->detail, "%s: purser resolve … %s/%s",
                           reason_code(view->own.reason), undo->name, storage);
        else
            (void)snprintf(view->detail, sizeof view->detail, "its undo was abandoned");
    } else if (plan->ended && view->own.state == ITEM_FAILED) {
        view->bucket = UNDO_REFUSED;
        (void)snprintf(view->detail, sizeof view->detail, "%u %s%s", view->own.http_status,
                       view->own.error_code,
                       view->own.http_status == 404 && undo->method == METHOD_DELETE
                           ? ": it is not there, or the platform cannot delete it"
                           : "");
    } else {
        *decides_out = false;
    }
    return ERR_OK;
}

/* The map of ${needs…}: what the items returned that this one has waited for. */
static enum err_code read_needs(struct undo_plan *plan, const struct undo_view *view,
                                struct value *needs_out, struct eval_error *error, struct err *err)
{
    const struct spec *spec = &plan->session->spec;
    const struct spec_job *job = &spec->jobs[view->job_index];
    struct ledger *ledger = plan->session->ledger;
    struct needs_record needs;
    struct slice *names;
    struct value *values;
    enum err_code code = ledger->ops->read_needs(ledger, view->number, &plan->needs, &needs, err);

    *needs_out = (struct value){.kind = VALUE_MAP};
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    names = arena_new(&plan->scratch, needs.need_count + 1, sizeof *names);
    values = arena_new(&plan->scratch, needs.need_count + 1, sizeof *values);
    if (names == NULL || values == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for what an item needs");
    for (size_t i = 0; i < needs.need_count; i++) {
        struct result_record result = {0};
        size_t parent = 0;

        while (parent < job->need_count &&
               (job->needs[parent].alias == NULL ||
                !slice_is(needs.needs[i].name, job->needs[parent].alias)))
            parent++;
        if (parent == job->need_count || needs.needs[i].kind != WAIT_ITEM)
            continue;
        code = ledger->ops->read_result(ledger, needs.needs[i].target, &plan->answer, &result, err);
        if (code == ERR_NOT_FOUND) /* a person's word */
            continue;
        if (code == ERR_DAMAGED) {
            (void)snprintf(error->text, sizeof error->text,
                           "what %s returned is damaged in the ledger", job->needs[parent].alias);
            return ERR_INPUT;
        }
        if (code != ERR_OK)
            return code;
        names[needs_out->map.count] = slice_of(job->needs[parent].alias);
        if (!outputs_read(plan->outputs, job->needs[parent].job, result.body, &plan->scratch,
                          &values[needs_out->map.count], error))
            return ERR_INPUT;
        needs_out->map.count++;
    }
    needs_out->map.names = names;
    needs_out->map.values = values;
    return ERR_OK;
}

static enum err_code no_request(struct undo_view *view, const struct eval_error *error)
{
    view->bucket = UNDO_NO_REQUEST;
    (void)snprintf(view->detail, sizeof view->detail, "%.250s", error->text);
    return ERR_OK;
}

static enum err_code make_request(struct undo_plan *plan, struct undo_view *view, struct err *err)
{
    struct ledger *ledger = plan->session->ledger;
    struct result_record result = {0};
    struct eval_error error = {0};
    struct value returned, needs;
    enum err_code code;

    arena_clear(&plan->scratch);
    code = read_needs(plan, view, &needs, &error, err);
    if (code == ERR_INPUT)
        return no_request(view, &error);
    if (code == ERR_OK)
        code = ledger->ops->read_result(ledger, view->number, &plan->answer, &result, err);
    if (code == ERR_NOT_FOUND) /* a person's word: there is no answer */
        code = ERR_OK;
    if (code != ERR_OK)
        return code;
    if (!outputs_read(plan->outputs, view->job_index, result.body, &plan->scratch, &returned,
                      &error) ||
        !undo_render(plan->templates[view->job_index],
                     &(struct undo_item){.key = view->key,
                                         .line = view->frozen.source_line,
                                         .returned = &returned,
                                         .needs = &needs},
                     &plan->scratch, &plan->body, &view->path, &error))
        return plan->body.failed == ERR_NO_MEMORY
                   ? err_set(err, ERR_NO_MEMORY, "no memory for the body of an undo")
                   : no_request(view, &error);
    view->body = (struct slice){buf_text(&plan->body), plan->body.length};
    view->bucket = UNDO_TO_REVERSE;
    return ERR_OK;
}

/* "by variants/V-3 of run 2" */
static enum err_code name_needing(struct undo_plan *plan, uint64_t number, struct undo_view *view,
                                  struct err *err)
{
    struct ledger *ledger = plan->session->ledger;
    struct frozen_request request;
    struct item item;

    if (ledger_require(ledger->ops->read_item(ledger, number, &item, err),
                       "an item that needs another one", err) != ERR_OK ||
        ledger_require(ledger->ops->read_request(ledger, number, &plan->needs, &request, err),
                       "the request of an item", err) != ERR_OK)
        return err->code;
    (void)snprintf(view->detail, sizeof view->detail, "by %s/%.*s of run %u",
                   ledger->ops->job_name(ledger, item.job), (int)request.key.length,
                   request.key.bytes, item.sent_run);
    return ERR_OK;
}

static enum err_code judge(struct undo_plan *plan, struct undo_view *view, bool *is_of_run_out,
                           struct err *err)
{
    struct ledger *ledger = plan->session->ledger;
    bool is_candidate, decides;
    enum err_code code;
    const struct undo_number *needing;
    const char *standing;

    code = judge_itself(plan, view, is_of_run_out, &is_candidate, err);
    if (code != ERR_OK || !*is_of_run_out)
        return code;
    if (ledger_require(
            ledger->ops->read_request(ledger, view->number, &plan->storage, &view->frozen, err),
            "the request of an item", err) != ERR_OK)
        return err->code;
    view->key = view->frozen.key;
    if (!is_candidate)
        return ERR_OK;
    if (plan->templates[view->job_index] == NULL) {
        view->bucket = UNDO_NO_UNDO;
        return ERR_OK;
    }
    code = judge_own(plan, view, &decides, err);
    if (code != ERR_OK || decides)
        return code;
    standing = standing_job(plan, view->job_index);
    needing = numbers_find(&plan->needed, view->number);
    if (standing == NULL && needing == NULL)
        return make_request(plan, view, err);
    view->bucket = UNDO_KEPT_NEEDED;
    if (standing == NULL)
        return name_needing(plan, needing->by, view, err);
    (void)snprintf(view->detail, sizeof view->detail, "by job %s", standing);
    return ERR_OK;
}

enum err_code undo_plan_job(struct undo_plan *plan, size_t job_index, undo_view_fn *fn,
                            void *context, struct err *err)
{
    struct ledger *ledger = plan->session->ledger;
    struct undo_view view = {.number = 0};
    enum err_code code =
        plan->jobs[job_index] == UINT32_MAX ? ERR_NOT_FOUND : find_needed(plan, job_index, err);

    while (code == ERR_OK) {
        bool is_of_run = false;

        view = (struct undo_view){.number = view.number, .job_index = job_index};
        code = ledger->ops->next_item(ledger, view.number, &view.number, &view.item, err);
        if (code != ERR_OK || view.item.job != plan->jobs[job_index])
            continue;
        code = judge(plan, &view, &is_of_run, err);
        if (code != ERR_OK || !is_of_run)
            continue;
        if (view.bucket == UNDO_REVERSED || view.bucket == UNDO_FOUND_NOTHING ||
            (view.bucket == UNDO_TO_REVERSE && !plan->ended))
            code = numbers_add(&plan->planned, (struct undo_number){.number = view.number}, err);
        else if (view.bucket != UNDO_KEPT_CHANGED && view.bucket != UNDO_NO_UNDO)
            plan->stands[job_index] = true;
        if (code == ERR_OK)
            code = fn(context, &view, err);
    }
    numbers_sort(&plan->planned);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}
