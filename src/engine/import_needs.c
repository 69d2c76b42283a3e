#include "import_needs.h"

#include <assert.h>
#include <string.h>

#include "import_private.h"
#include "purser/base/buf.h"

enum { RECORD_BYTES = BODY_BYTES_MAX + 64 * 1024, GROUP_STEPS_MAX = 1000 };

/* -- what is not committed yet ---------------------------------------------------------------- */

static size_t slot_of(const struct importer *importer, uint64_t number)
{
    size_t slot = (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32) % IMPORT_UNSENT_MAX;

    while (importer->unsent[slot] != 0 && importer->unsent[slot] != number)
        slot = (slot + 1) % IMPORT_UNSENT_MAX;
    return slot;
}

static bool is_uncommitted(const struct importer *importer, uint64_t number)
{
    return importer->unsent_count > 0 && importer->unsent[slot_of(importer, number)] == number;
}

static bool is_unsent(const struct importer *importer, uint64_t number)
{
    return is_uncommitted(importer, number) || import_item_is_planned(importer, number);
}

static void mark_unsent(struct importer *importer, uint64_t number, uint64_t before)
{
    size_t slot = slot_of(importer, number);

    assert(importer->unsent_count <= IMPORT_UNSENT_MAX / 2);
    if (importer->unsent[slot] == 0)
        importer->unsent_count++;
    importer->unsent[slot] = number;
    importer->unsent_before[slot] = before;
}

static enum err_code settle(struct importer *importer, struct err *err)
{
    if (importer->dry || importer->ledger == NULL)
        return ERR_OK;
    if (importer->unsent_count > 0)
        memset(importer->unsent, 0, sizeof importer->unsent);
    importer->unsent_count = 0;
    return import_commit(importer, err);
}

enum err_code import_begin_job(struct importer *importer, struct err *err)
{
    return settle(importer, err);
}

enum err_code import_make_room(struct importer *importer, struct err *err)
{
    return importer->unsent_count == IMPORT_UNSENT_MAX / 2 ? settle(importer, err) : ERR_OK;
}

/* -- whether a need is met -------------------------------------------------------------------- */

static enum err_code is_job_over(struct importer *importer, const struct import_need *need,
                                 bool *met_out, struct err *err)
{
    struct item_counts counts;

    assert(need->job_index < SPEC_JOBS_MAX);
    *met_out = !importer->has_work[need->job_index];
    if (!*met_out || importer->ledger == NULL || need->job == UINT32_MAX)
        return ERR_OK;
    if (importer->ledger->ops->counts(importer->ledger, need->job, UINT32_MAX, &counts, err) !=
        ERR_OK)
        return err->code;
    for (int state = 0; state < ITEM_STATE_COUNT; state++)
        if (!item_state_is_over((enum item_state)state) && counts.by_state[state] > 0)
            *met_out = false;
    return ERR_OK;
}

static uint64_t place_of(const struct needs_record *record)
{
    for (size_t i = 0; i < record->need_count; i++)
        if (record->needs[i].ordering)
            return record->needs[i].target;
    return 0;
}

/* The item that stands before `number` in its order; 0 = none. */
static enum err_code find_place(struct importer *importer, uint64_t number, uint64_t *before_out,
                                struct err *err)
{
    struct needs_record record = {0};
    struct buf storage;
    enum err_code code;

    *before_out = 0;
    if (is_uncommitted(importer, number)) {
        *before_out = importer->unsent_before[slot_of(importer, number)];
        return ERR_OK;
    }
    buf_init(&storage, RECORD_BYTES);
    code = importer->ledger->ops->read_needs(importer->ledger, number, &storage, &record, err);
    if (code == ERR_OK)
        *before_out = place_of(&record);
    buf_deinit(&storage);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* Whom an order waits for behind `number`; 0 = nobody. Who was cancelled, skipped or dropped leaves
 * its place to the one before it. What is farther away than this looks, the engine sees. */
static enum err_code find_turn_of(struct importer *importer, uint64_t number, uint64_t *waits_out,
                                  struct err *err)
{
    struct item item;

    for (int steps = 0; number != 0 && steps < GROUP_STEPS_MAX; steps++) {
        enum err_code code;

        *waits_out = number;
        if (is_unsent(importer, number))
            return ERR_OK;
        code = importer->ledger->ops->read_item(importer->ledger, number, &item, err);
        if (code != ERR_OK && code != ERR_NOT_FOUND)
            return code;
        if (code == ERR_OK && !item_state_is_over(item.state))
            return ERR_OK;
        if (code == ERR_OK && item.state == ITEM_SUCCEEDED)
            break;
        if (find_place(importer, number, &number, err) != ERR_OK)
            return err->code;
    }
    *waits_out = 0;
    return ERR_OK;
}

/* *waits_for_out is the number that it waits for when it is not met. */
static enum err_code is_met(struct importer *importer, const struct import_row *row,
                            const struct need *need, size_t index, bool *met_out,
                            uint64_t *waits_for_out, struct err *err)
{
    struct item item;

    *met_out = false;
    *waits_for_out = need->target;
    if (need->kind == WAIT_UNKNOWN_ITEM)
        return ERR_OK;
    if (need->kind == WAIT_JOB)
        return is_job_over(importer, &row->needs[index], met_out, err);
    if (need->ordering) {
        if (find_turn_of(importer, need->target, waits_for_out, err) != ERR_OK)
            return err->code;
        *met_out = *waits_for_out == 0;
        return ERR_OK;
    }
    if (import_item_is_planned(importer, need->target))
        return ERR_OK;
    if (ledger_require(importer->ledger->ops->read_item(importer->ledger, need->target, &item, err),
                       "an item that another one needs", err) != ERR_OK)
        return err->code;
    *met_out = item.state == ITEM_SUCCEEDED;
    return ERR_OK;
}

/* -- the record ------------------------------------------------------------------------------- */

static enum err_code resolve(struct importer *importer, const struct import_need *from,
                             struct need *need, struct err *err)
{
    enum err_code code = ERR_NOT_FOUND;

    *need = (struct need){.kind = WAIT_JOB, .target = from->job, .name = from->name};
    if (from->whole_job)
        return ERR_OK;
    if (importer->ledger != NULL && from->job != UINT32_MAX && from->connection != UINT32_MAX)
        code = importer->ledger->ops->find(importer->ledger, from->job, from->connection, from->key,
                                           &need->target, err);
    need->kind = code == ERR_OK ? WAIT_ITEM : WAIT_UNKNOWN_ITEM;
    if (code == ERR_NOT_FOUND)
        need->target = 0;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* From `last` on towards the start of its order. *end_out: `number` = it stands before it, and
 * cannot go behind it, for each would wait for the other; 0 = it does not; else the walk was given
 * up. One that was cancelled counts: a person may try it again. */
static enum err_code look_for(struct importer *importer, uint64_t number, uint64_t last,
                              uint64_t *end_out, struct err *err)
{
    for (int steps = 0; last != 0 && last != number && steps < GROUP_STEPS_MAX; steps++)
        if (find_place(importer, last, &last, err) != ERR_OK)
            return err->code;
    *end_out = last;
    return ERR_OK;
}

static enum err_code last_of(struct importer *importer, const struct import_row *row,
                             struct hash128 group, uint64_t *last_out, struct err *err)
{
    enum err_code code = importer->ledger->ops->find_group(importer->ledger, row->job,
                                                           row->connection, group, last_out, err);

    if (code == ERR_NOT_FOUND)
        *last_out = 0;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* Its row names another group now: behind the last of that, unless that one waits for it, as when
 * two swap their groups. Then it keeps the place that it has. */
static enum err_code join(struct importer *importer, const struct import_row *row,
                          const struct import_outcome *outcome, uint64_t last, uint64_t *before_out,
                          bool *joins_out, struct err *err)
{
    uint64_t last_before = outcome->number, end = 0;

    if (outcome->has_stored &&
        last_of(importer, row, outcome->stored_group, &last_before, err) != ERR_OK)
        return err->code;
    if (last_before != outcome->number && /* somebody may stand behind it */
        look_for(importer, outcome->number, last, &end, err) != ERR_OK)
        return err->code;
    *joins_out = end != outcome->number;
    if (*joins_out)
        *before_out = last;
    return ERR_OK;
}

/* Which item the row comes behind (0 = none), and whether it becomes the last of its group. */
static enum err_code find_turn(struct importer *importer, const struct import_row *row,
                               const struct import_outcome *outcome, uint64_t *before_out,
                               bool *joins_out, struct err *err)
{
    bool moves = !hash128_equal(outcome->stored_group, row->group);
    uint64_t last = 0, end;

    *before_out = outcome->stored_before;
    *joins_out = !outcome->is_known || moves;
    if (importer->ledger == NULL || row->job == UINT32_MAX || row->connection == UINT32_MAX ||
        (!*joins_out && outcome->known.state != ITEM_SUCCEEDED))
        return ERR_OK;
    if (last_of(importer, row, row->group, &last, err) != ERR_OK)
        return err->code;
    if (outcome->is_known && last == outcome->number)
        return ERR_OK;
    if (outcome->is_known && moves)
        return join(importer, row, outcome, last, before_out, joins_out, err);
    if (!*joins_out) { /* it has succeeded: if it is sent again, then behind all others */
        if (look_for(importer, outcome->number, last, &end, err) != ERR_OK)
            return err->code;
        if (end != 0)
            return ERR_OK;
        *joins_out = true;
    }
    *before_out = last;
    return ERR_OK;
}

/* Of all that it waits for but its order. */
static struct hash128 parents_of(const struct needs_record *record)
{
    uint64_t parents[NEEDS_MAX][2];
    size_t count = 0;

    for (size_t i = 0; i < record->need_count; i++) {
        if (record->needs[i].ordering)
            continue;
        parents[count][0] = record->needs[i].kind;
        parents[count++][1] = record->needs[i].target;
    }
    return checksum128((const char *)parents, count * sizeof parents[0]);
}

/* Whether something that the item was made from is sent again. */
static enum err_code find_remade(struct importer *importer, const struct needs_record *record,
                                 bool *remade_out, struct err *err)
{
    *remade_out = false;
    for (size_t i = 0; i < record->need_count && !*remade_out; i++) {
        const struct need *need = &record->needs[i];
        struct item parent;
        enum err_code code;

        if (need->kind != WAIT_ITEM || need->ordering)
            continue;
        code = importer->ledger->ops->read_item(importer->ledger, need->target, &parent, err);
        if (code != ERR_OK && code != ERR_NOT_FOUND)
            return code;
        *remade_out = code == ERR_NOT_FOUND || parent.state != ITEM_SUCCEEDED ||
                      import_item_is_planned(importer, need->target);
    }
    return ERR_OK;
}

static enum err_code read_stored(struct importer *importer, struct import_outcome *outcome,
                                 struct err *err)
{
    struct needs_record record;
    struct buf storage;
    enum err_code code;

    if (!outcome->is_known || !outcome->known.has_needs)
        return ERR_OK;
    buf_init(&storage, RECORD_BYTES);
    code = importer->ledger->ops->read_needs(importer->ledger, outcome->number, &storage, &record,
                                             err);
    if (code == ERR_OK) {
        outcome->has_stored = true;
        outcome->stored_hash = record.draft_hash;
        outcome->stored_parents = parents_of(&record);
        outcome->stored_group = record.group;
        outcome->stored_is_draft = record.draft.length > 0;
        outcome->stored_before = place_of(&record);
        outcome->stored_remakes = outcome->known.corrected && record.remake.length > 0;
        if (outcome->stored_remakes)
            code = find_remade(importer, &record, &outcome->stored_parent_is_remade, err);
    }
    buf_deinit(&storage);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

enum err_code import_resolve_needs(struct importer *importer, const struct import_row *row,
                                   struct import_outcome *outcome, struct err *err)
{
    struct needs_record *record = &outcome->needs;
    uint64_t before;

    if (read_stored(importer, outcome, err) != ERR_OK)
        return err->code;
    *record = (struct needs_record){.draft_hash = row->draft_hash,
                                    .draft = row->draft,
                                    .remake = row->remake,
                                    .group = row->group};
    assert(row->need_count < NEEDS_MAX);
    for (size_t i = 0; i < row->need_count; i++) {
        if (resolve(importer, &row->needs[i], &record->needs[i], err) != ERR_OK)
            return err->code;
        outcome->parent_is_remade |= record->needs[i].kind == WAIT_ITEM &&
                                     import_item_is_planned(importer, record->needs[i].target);
    }
    record->need_count = row->need_count;
    outcome->waits_for_others = !outcome->has_stored ||
                                !hash128_equal(outcome->stored_group, row->group) ||
                                !hash128_equal(outcome->stored_parents, parents_of(record));
    if (row->has_group) {
        if (find_turn(importer, row, outcome, &before, &outcome->joins_group, err) != ERR_OK)
            return err->code;
        if (before != 0)
            record->needs[record->need_count++] =
                (struct need){.kind = WAIT_ITEM, .ordering = true, .target = before};
    }
    for (size_t i = 0; i < record->need_count; i++) {
        uint64_t waits_for;
        bool met;

        if (is_met(importer, row, &record->needs[i], i, &met, &waits_for, err) != ERR_OK)
            return err->code;
        if (met)
            continue;
        outcome->waits_on = record->needs[i].kind;
        outcome->waits_for = waits_for;
        return ERR_OK;
    }
    /* Behind a row of today, whose item has no number yet. */
    if (outcome->joins_group && import_group_is_planned(importer, row))
        outcome->waits_on = WAIT_ITEM;
    return ERR_OK;
}

static enum err_code tell_parent(struct importer *importer, uint64_t number, struct err *err)
{
    const struct ledger_ops *ops = importer->ledger->ops;
    struct item before, after;

    if (ledger_require(ops->read_item(importer->ledger, number, &before, err),
                       "an item that another one needs", err) != ERR_OK)
        return err->code;
    if (before.has_dependents)
        return ERR_OK;
    after = before;
    after.has_dependents = true;
    return ops->put_item(importer->ledger, number, &before, &after, err);
}

enum err_code import_put_needs(struct importer *importer, const struct import_row *row,
                               const struct import_outcome *outcome, uint64_t number,
                               struct err *err)
{
    const struct ledger_ops *ops = importer->ledger->ops;
    const struct needs_record *record = &outcome->needs;

    if (!import_has_needs(row) && !outcome->has_stored)
        return ERR_OK;
    if (ops->put_needs(importer->ledger, number, record, err) != ERR_OK)
        return err->code;
    /* Those of a group know it from the start. */
    for (size_t i = 0; i < record->need_count; i++)
        if (record->needs[i].kind == WAIT_ITEM && !record->needs[i].ordering &&
            tell_parent(importer, record->needs[i].target, err) != ERR_OK)
            return err->code;
    if (outcome->joins_group && ops->put_group(importer->ledger, row->job, row->connection,
                                               row->group, number, err) != ERR_OK)
        return err->code;
    if (row->has_group)
        mark_unsent(importer, number, place_of(record));
    return ERR_OK;
}

enum err_code import_put_draft(struct importer *importer, const struct import_outcome *outcome,
                               struct slice draft, struct err *err)
{
    const struct ledger_ops *ops = importer->ledger->ops;
    struct needs_record record;
    struct buf storage;
    enum err_code code;

    buf_init(&storage, RECORD_BYTES);
    code = ops->read_needs(importer->ledger, outcome->number, &storage, &record, err);
    if (code == ERR_OK) {
        record.draft = draft;
        code = ops->put_needs(importer->ledger, outcome->number, &record, err);
    }
    buf_deinit(&storage);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}
