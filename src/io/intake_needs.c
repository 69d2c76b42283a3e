/* What rows wait for: the items that they need, and what those have returned. */
#include <stdio.h>
#include <string.h>

#include "intake_private.h"
#include "purser/codec/draft.h"
#include "purser/codec/outputs.h"
#include "purser/engine/engine.h"

static struct place row_place(const struct unit *unit)
{
    return (struct place){.file = unit->file, .line = unit->line, .column = 1};
}

/* The texts of a row that name other items; false after a message. */
static bool text_of(struct intake *intake, const struct unit *unit,
                    const struct text_template *text_template,
                    const struct environment *environment, struct slice *text_out)
{
    struct eval_error error = {0};

    if (text_template_text(text_template, environment, text_out, &error))
        return true;
    intake_tell(intake, unit, DIAG_ERROR, "data.needs", &error);
    return false;
}

static bool render_connection(struct intake *intake, const struct unit *unit,
                              const struct text_template *text_template,
                              const struct environment *environment, struct rendered_need *need)
{
    const struct spec_connection *connection;
    struct slice alias;

    if (!text_of(intake, unit, text_template, environment, &alias))
        return false;
    connection = spec_connection_find(intake->spec, alias);
    if (connection == NULL) {
        diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.needs",
                        "connections: in the spec names those that there are",
                        "need '%s': there is no connection '%.*s'", need->alias, (int)alias.length,
                        alias.bytes);
        return false;
    }
    need->connection_index = (size_t)(connection - intake->spec->connections);
    return true;
}

static bool render_need(struct intake *intake, const struct intake_job *job,
                        const struct unit *unit, const struct environment *environment,
                        const struct rendered_row *row, size_t index)
{
    const struct spec_need *from = &job->job->needs[index];
    const struct need_templates *templates = &job->templates.needs[index];
    struct rendered_need *need = &intake->needs[index];

    *need = (struct rendered_need){
        .alias = from->alias, .job_index = from->job, .connection_index = row->connection_index};
    if (from->alias == NULL)
        return true;
    if (!text_of(intake, unit, templates->key, environment, &need->key) ||
        (templates->connection != NULL &&
         !render_connection(intake, unit, templates->connection, environment, need)))
        return false;
    if (need->key.length > 0 && need->key.length <= ROW_KEY_BYTES_MAX)
        return true;
    diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.needs",
                    "it is the key of an item of that job", "need '%s': the key is %s", need->alias,
                    need->key.length == 0 ? "empty" : "longer than 300 bytes");
    return false;
}

bool intake_render_needs(struct intake *intake, const struct intake_job *job,
                         const struct unit *unit, const struct environment *environment,
                         struct rendered_row *row)
{
    for (size_t i = 0; i < job->job->need_count; i++)
        if (!render_need(intake, job, unit, environment, row, i))
            return false;
    row->needs = intake->needs;
    row->need_count = job->job->need_count;
    if (job->templates.order_by == NULL)
        return true;
    row->has_group = true;
    return text_of(intake, unit, job->templates.order_by, environment, &row->group);
}

/* -- the ledger ------------------------------------------------------------------------------- */

enum err_code intake_set_ledger(struct intake *intake, struct ledger *ledger, struct err *err)
{
    const struct spec *spec = intake->spec;

    intake->knows_ledger = true;
    intake->ledger = ledger;
    if (ledger == NULL)
        return ERR_OK;
    if (intake->job_numbers == NULL)
        intake->job_numbers = arena_new(&intake->templates, spec->job_count, sizeof(uint32_t));
    if (intake->connection_numbers == NULL)
        intake->connection_numbers =
            arena_new(&intake->templates, spec->connection_count, sizeof(uint32_t));
    if (intake->job_numbers == NULL || intake->connection_numbers == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of the spec");
    for (size_t i = 0; i < spec->job_count; i++)
        intake->job_numbers[i] =
            ledger_number_of(ledger, spec->jobs[i].name, ledger->ops->job_name);
    for (size_t i = 0; i < spec->connection_count; i++)
        intake->connection_numbers[i] =
            ledger_number_of(ledger, spec->connections[i].alias, ledger->ops->connection_name);
    return ERR_OK;
}

/* The item that is needed; ERR_NOT_FOUND when the ledger has it not. */
static enum err_code find_parent(struct intake *intake, const struct rendered_need *need,
                                 uint64_t *number_out, struct err *err)
{
    uint32_t job, connection;

    if (intake->ledger == NULL)
        return ERR_NOT_FOUND;
    job = intake->job_numbers[need->job_index];
    connection = intake->connection_numbers[need->connection_index];
    if (job == UINT32_MAX || connection == UINT32_MAX)
        return ERR_NOT_FOUND;
    return intake->ledger->ops->find(intake->ledger, job, connection, need->key, number_out, err);
}

enum err_code intake_read_need(struct intake *intake, size_t job_index, uint64_t number,
                               struct value *value_out, struct eval_error *error_out,
                               struct err *err)
{
    struct result_record result = {0};
    enum err_code code =
        intake->ledger->ops->read_result(intake->ledger, number, &intake->answer, &result, err);

    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    /* A success that a person decided has no answer. */
    if (code == ERR_NOT_FOUND)
        result.body = (struct slice){"", 0};
    if (!outputs_read(intake->outputs, job_index, result.body, &intake->scratch, value_out,
                      error_out))
        return ERR_INPUT;
    return ERR_OK;
}

static enum err_code read_needs(struct intake *intake, const struct rendered_row *row,
                                struct value *needs_out, bool *known_out, struct err *err)
{
    struct slice *names = arena_new(&intake->scratch, row->need_count, sizeof *names);
    struct value *values = arena_new(&intake->scratch, row->need_count, sizeof *values);
    struct eval_error ignored = {0};
    size_t count = 0;

    *known_out = false;
    if (names == NULL || values == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for what a row needs");
    for (size_t i = 0; i < row->need_count; i++) {
        uint64_t number;
        struct item item;
        enum err_code code;

        if (row->needs[i].alias == NULL) /* a whole job gives nothing */
            continue;
        code = find_parent(intake, &row->needs[i], &number, err);
        if (code == ERR_OK)
            code = intake->ledger->ops->read_item(intake->ledger, number, &item, err);
        if (code == ERR_OK && item.state != ITEM_SUCCEEDED)
            return ERR_OK;
        if (code == ERR_OK)
            code = intake_read_need(intake, row->needs[i].job_index, number, &values[count],
                                    &ignored, err);
        if (code == ERR_NOT_FOUND || code == ERR_INPUT)
            return ERR_OK; /* when it is to be sent it is told */
        if (code != ERR_OK)
            return code;
        names[count++] = slice_of(row->needs[i].alias);
    }
    *needs_out = (struct value){.kind = VALUE_MAP};
    needs_out->map.names = names;
    needs_out->map.values = values;
    needs_out->map.count = count;
    *known_out = true;
    return ERR_OK;
}

/* -- whether what is needed is there ---------------------------------------------------------- */

struct hash128 intake_identity(struct slice key, size_t connection_index)
{
    struct hash128 key_hash = checksum128(key.bytes, key.length);
    uint64_t parts[] = {key_hash.high, key_hash.low, connection_index};

    return checksum128(parts, sizeof parts);
}

static bool is_before(struct hash128 a, struct hash128 b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static bool has_row(struct spill *keys, struct hash128 identity)
{
    uint64_t low = 0, high;
    const struct spill_record *records = spill_records(keys, &high);

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (is_before(records[middle].hash, identity))
            low = middle + 1;
        else if (is_before(identity, records[middle].hash))
            high = middle;
        else
            return true;
    }
    return false;
}

static void tell_absent(struct intake *intake, const struct intake_job *job,
                        const struct unit *unit, const struct rendered_need *need)
{
    const struct spec *spec = intake->spec;

    diagnostics_add(intake->diagnostics, intake->knows_ledger ? DIAG_ERROR : DIAG_WARNING,
                    row_place(unit), "data.unknown_need",
                    intake->knows_ledger ? "add its row, or correct the key"
                                         : "it may be in the ledger; purser plan looks there too",
                    "job %s: it waits for %s/%.*s on %s, which is in no row of today%s",
                    job->job->name, spec->jobs[need->job_index].name, (int)need->key.length,
                    need->key.bytes, spec->connections[need->connection_index].alias,
                    intake->knows_ledger ? " and not in the ledger" : "");
}

/* Finds the item that is needed, unless it is one that leaves the ledger with its row. */
static enum err_code find_lasting(struct intake *intake, const struct rendered_need *need,
                                  struct err *err)
{
    uint64_t number;
    struct item item;
    enum err_code code = find_parent(intake, need, &number, err);

    if (code == ERR_OK)
        code = intake->ledger->ops->read_item(intake->ledger, number, &item, err);
    if (code == ERR_OK && (item.state == ITEM_READY || item.state == ITEM_BLOCKED) &&
        item.attempt_total == 0 && !item.corrected)
        return ERR_NOT_FOUND;
    return code;
}

enum err_code intake_check_needs(struct intake *intake, const struct intake_job *job,
                                 const struct unit *unit, const struct rendered_row *row,
                                 bool *there_out, struct err *err)
{
    *there_out = true;
    for (size_t i = 0; i < row->need_count; i++) {
        const struct rendered_need *need = &row->needs[i];
        const struct intake_job *parent = &intake->jobs[need->job_index];
        enum err_code code;

        /* Of a job with wrong rows it is not known which items it has. */
        if (need->alias == NULL || parent->keys == NULL || parent->is_wrong ||
            has_row(parent->keys, intake_identity(need->key, need->connection_index)))
            continue;
        code = find_lasting(intake, need, err);
        if (code == ERR_OK)
            continue;
        if (code != ERR_NOT_FOUND)
            return code;
        tell_absent(intake, job, unit, need);
        *there_out = *there_out && !intake->knows_ledger;
    }
    return ERR_OK;
}

/* -- drafts ----------------------------------------------------------------------------------- */

/* What tells whether a row that waits has become another one: its request, in which what is needed
 * is unknown, whom it waits for, and all of the row and of ${run…} where they cannot be parted from
 * that. */
static void set_draft_hash(struct intake *intake, const struct intake_job *job,
                           const struct unit *unit, struct rendered_row *row)
{
    const struct spec *spec = intake->spec;
    struct hash128 hash = request_hash(job->job->method, row->path, row->body);
    struct buf *text = &intake->draft;

    buf_clear(text);
    buf_append(text, (const char *)&hash, sizeof hash);
    buf_append_format(text, "%d%d ", row->condition_unknown, row->has_group);
    buf_append(text, row->group.bytes, row->group.length);
    for (size_t i = 0; i < row->need_count; i++) {
        const struct rendered_need *need = &row->needs[i];

        buf_append_format(text, " %s %s %s %zu ", need->alias == NULL ? "" : need->alias,
                          spec->jobs[need->job_index].name,
                          spec->connections[need->connection_index].alias, need->key.length);
        buf_append(text, need->key.bytes, need->key.length);
    }
    if (job->templates.mixes_needs)
        value_append_json(text, job->templates.group_by != NULL ? &unit->rows : &unit->row);
    if (job->templates.mixes_needs && job->templates.uses_run)
        value_append_json(text, &intake->run);
    row->draft_hash = checksum128(buf_text(text), text->length);
}

static struct slice draft_of(struct intake *intake, const struct intake_job *job,
                             const struct unit *unit)
{
    struct draft draft = {.row = unit->row,
                          .rows = unit->rows,
                          .has_rows = job->templates.group_by != NULL,
                          .index = unit->index,
                          .line = unit->line,
                          .file = slice_of(unit->file)};

    if (job->templates.uses_run)
        draft.run = intake->run;
    buf_clear(&intake->draft);
    draft_append(&draft, &intake->draft);
    return (struct slice){buf_text(&intake->draft), intake->draft.length};
}

static void set_draft(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                      struct rendered_row *row)
{
    row->is_draft = true;
    row->draft = draft_of(intake, job, unit);
    row->known_path = row->path;
    row->known_body = row->body;
    row->path = row->body = (struct slice){"", 0};
}

/* With what is needed as it is known now. What cannot be made of it is told when the item's turn
 * comes, and of that item alone. */
static bool render_known(struct intake *intake, const struct intake_job *job,
                         const struct unit *unit, struct environment *environment,
                         struct rendered_row *row, struct value *needs)
{
    struct diagnostics unheard, *heard = intake->diagnostics;
    bool rendered;

    diagnostics_init(&unheard);
    intake->diagnostics = &unheard;
    environment->needs = needs;
    rendered = intake_render_condition(intake, job, unit, environment, row) &&
               (!row->condition || intake_render_request(intake, job, unit, environment, row));
    intake->diagnostics = heard;
    diagnostics_deinit(&unheard);
    return rendered;
}

enum err_code intake_finish_row(struct intake *intake, const struct intake_job *job,
                                const struct unit *unit, struct environment *environment,
                                struct rendered_row *row, bool *right_out, struct err *err)
{
    struct value needs;
    bool known = false;

    if (row->need_count == 0 && !row->has_group)
        return ERR_OK;
    set_draft_hash(intake, job, unit, row);
    row->uses_needs = job->templates.uses_needs && row->need_count > 0;
    if (row->uses_needs) {
        if (intake->is_checked && read_needs(intake, row, &needs, &known, err) != ERR_OK)
            return err->code;
        if (!known) {
            set_draft(intake, job, unit, row);
        } else if (!render_known(intake, job, unit, environment, row, &needs)) {
            /* The body of the first rendering is gone with the second one. */
            row->condition = true;
            row->path = row->body = (struct slice){"", 0};
            set_draft(intake, job, unit, row);
        } else if (!row->condition) {
            row->path = row->body = (struct slice){"", 0};
        } else if (intake->strips) { /* a corrected row */
            row->remake = draft_of(intake, job, unit);
        }
    }
    if (intake->draft.failed == ERR_NO_MEMORY)
        return err_set(err, ERR_NO_MEMORY, "no memory for a row that waits");
    if (intake->draft.failed == ERR_OK)
        return ERR_OK;
    diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.needs", NULL,
                    "job %s: this row waits for another item, and is larger than %u MiB",
                    job->job->name, BODY_BYTES_MAX / (1024 * 1024));
    *right_out = false;
    return ERR_OK;
}
