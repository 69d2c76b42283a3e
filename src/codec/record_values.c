/* The records, each with one line a field in put and in get, in the same order. */
#include "purser/codec/record.h"

#include <assert.h>

#include "purser/core/lifecycle.h"
#include "record_fields.h"

#define ITEM_FIELDS 36

void record_put_item(struct buf *buf, struct slice key, const struct item *item)
{
    struct record_writer writer = record_begin(buf, ITEM_FIELDS);

    record_put_unsigned(&writer, item->state);
    record_put_unsigned(&writer, item->reason);
    record_put_unsigned(&writer, item->job);
    record_put_unsigned(&writer, item->connection);
    record_put_unsigned(&writer, item->generation);
    record_put_unsigned(&writer, item->attempt_count);
    record_put_unsigned(&writer, item->poll_count);
    record_put_unsigned(&writer, item->trouble_count);
    record_put_unsigned(&writer, item->attempt_total);
    record_put_unsigned(&writer, item->seen_run);
    record_put_bool(&writer, item->unknown_send);
    record_put_bool(&writer, item->accepted);
    record_put_unsigned(&writer, item->http_status);
    record_put_unsigned(&writer, item->job_path);
    record_put_signed(&writer, item->intent_ms);
    record_put_signed(&writer, item->intent_boot_ms);
    record_put_unsigned(&writer, item->intent_boot);
    record_put_signed(&writer, item->due_ms);
    record_put_signed(&writer, item->accepted_ms);
    record_put_signed(&writer, item->finished_ms);
    record_put_signed(&writer, item->changed_ms);
    record_put_hash(&writer, item->request_hash);
    record_put_text(&writer, item->remote_job, REMOTE_JOB_BYTES_MAX);
    record_put_text(&writer, item->error_type, ERROR_CODE_BYTES_MAX);
    record_put_text(&writer, item->error_code, ERROR_CODE_BYTES_MAX);
    record_put_unsigned(&writer, item->sent_run);
    record_put_bool(&writer, item->corrected);
    record_put_hash(&writer, item->source_hash);
    record_put_unsigned(&writer, item->waits_on);
    record_put_unsigned(&writer, item->waits_for);
    record_put_bool(&writer, item->has_needs);
    record_put_bool(&writer, item->has_dependents);
    record_put_bool(&writer, item->release_due);
    record_put_signed(&writer, item->lost_since_ms);
    record_end(&writer, RECORD_ITEM, key);
}

bool record_get_item(struct slice key, struct slice bytes, struct item *item_out)
{
    struct record_fields fields;
    struct item item = {0};

    if (!record_split(RECORD_ITEM, key, bytes, ITEM_FIELDS, &fields))
        return false;
    item.state = (enum item_state)record_take_unsigned(&fields, ITEM_STATE_COUNT - 1);
    item.reason = (enum reason)record_take_unsigned(&fields, REASON_COUNT - 1);
    item.job = record_take_u32(&fields);
    item.connection = record_take_u32(&fields);
    item.generation = record_take_u32(&fields);
    item.attempt_count = record_take_u32(&fields);
    item.poll_count = record_take_u32(&fields);
    item.trouble_count = record_take_u32(&fields);
    item.attempt_total = record_take_u32(&fields);
    item.seen_run = record_take_u32(&fields);
    item.unknown_send = record_take_bool(&fields);
    item.accepted = record_take_bool(&fields);
    item.http_status = record_take_u16(&fields);
    item.job_path = (enum job_path)record_take_unsigned(&fields, JOB_PATH_COUNT - 1);
    item.intent_ms = record_take_signed(&fields);
    item.intent_boot_ms = record_take_signed(&fields);
    item.intent_boot = record_take_u32(&fields);
    item.due_ms = record_take_signed(&fields);
    item.accepted_ms = record_take_signed(&fields);
    item.finished_ms = record_take_signed(&fields);
    item.changed_ms = record_take_signed(&fields);
    item.request_hash = record_take_hash(&fields);
    record_take_text(&fields, item.remote_job, REMOTE_JOB_BYTES_MAX);
    record_take_text(&fields, item.error_type, ERROR_CODE_BYTES_MAX);
    record_take_text(&fields, item.error_code, ERROR_CODE_BYTES_MAX);
    item.sent_run = record_take_u32(&fields);
    item.corrected = record_take_bool(&fields);
    item.source_hash = record_take_hash(&fields);
    item.waits_on = (enum wait_kind)record_take_unsigned(&fields, WAIT_KIND_COUNT - 1);
    item.waits_for = record_take_unsigned(&fields, UINT64_MAX);
    item.has_needs = record_take_bool(&fields);
    item.has_dependents = record_take_bool(&fields);
    item.release_due = record_take_bool(&fields);
    item.lost_since_ms = record_take_signed(&fields);
    if (!record_all_taken(&fields))
        return false;
    *item_out = item;
    return true;
}

#define REQUEST_FIELDS 9

void record_put_request(struct buf *buf, struct slice key, const struct frozen_request *request)
{
    struct record_writer writer = record_begin(buf, REQUEST_FIELDS);

    record_put_unsigned(&writer, request->job);
    record_put_unsigned(&writer, request->connection);
    record_put_bytes(&writer, request->key, ITEM_KEY_BYTES_MAX);
    record_put_unsigned(&writer, request->method);
    record_put_bytes(&writer, request->path, PATH_BYTES_MAX);
    record_put_bytes(&writer, request->body, BODY_BYTES_MAX);
    record_put_display_text(&writer, request->source_file, SOURCE_FILE_BYTES_MAX);
    record_put_unsigned(&writer, request->source_line);
    record_put_unsigned(&writer, request->generation);
    record_end(&writer, RECORD_REQUEST, key);
}

bool record_get_request(struct slice key, struct slice bytes, struct frozen_request *request_out)
{
    struct record_fields fields;
    struct frozen_request request = {0};

    if (!record_split(RECORD_REQUEST, key, bytes, REQUEST_FIELDS, &fields))
        return false;
    request.job = record_take_u32(&fields);
    request.connection = record_take_u32(&fields);
    request.key = record_take_bytes(&fields, ITEM_KEY_BYTES_MAX);
    request.method = (enum http_method)record_take_unsigned(&fields, METHOD_COUNT - 1);
    request.path = record_take_bytes(&fields, PATH_BYTES_MAX);
    request.body = record_take_bytes(&fields, BODY_BYTES_MAX);
    request.source_file = record_take_bytes(&fields, SOURCE_FILE_BYTES_MAX);
    request.source_line = record_take_u32(&fields);
    request.generation = record_take_u32(&fields);
    if (!record_all_taken(&fields))
        return false;
    *request_out = request;
    return true;
}

#define NEEDS_FIELDS 7      /* and two for each need */
#define NEED_KIND_BITS 4    /* of each need, in one number for all: kind and … */
#define NEED_IS_ORDERING 8u /* … this */

_Static_assert(NEEDS_FIELDS + 2 * NEEDS_MAX <= RECORD_FIELDS_MAX, "the fields of a needs record");
_Static_assert(NEED_KIND_BITS *NEEDS_MAX <= 64, "the kinds of all needs in one number");
_Static_assert(WAIT_KIND_COUNT <= NEED_IS_ORDERING, "a kind and the bit beside it");

void record_put_needs(struct buf *buf, struct slice key, const struct needs_record *needs)
{
    struct record_writer writer = record_begin(buf, NEEDS_FIELDS + 2 * needs->need_count);
    uint64_t kinds = 0;

    assert(needs->need_count <= NEEDS_MAX);
    for (size_t i = 0; i < needs->need_count; i++)
        kinds |= (needs->needs[i].kind | (needs->needs[i].ordering ? NEED_IS_ORDERING : 0u)) *
                 (UINT64_C(1) << NEED_KIND_BITS * i);
    record_put_hash(&writer, needs->draft_hash);
    record_put_hash(&writer, needs->group);
    record_put_unsigned(&writer, kinds);
    record_put_bytes(&writer, needs->draft, BODY_BYTES_MAX);
    record_put_bytes(&writer, needs->remake, BODY_BYTES_MAX);
    for (size_t i = 0; i < needs->need_count; i++) {
        record_put_unsigned(&writer, needs->needs[i].target);
        record_put_bytes(&writer, needs->needs[i].name, SPEC_NAME_BYTES_MAX);
    }
    record_end(&writer, RECORD_NEEDS, key);
}

bool record_get_needs(struct slice key, struct slice bytes, struct needs_record *needs_out)
{
    struct record_fields fields;
    struct needs_record needs = {0};
    uint64_t kinds;

    if (!record_split(RECORD_NEEDS, key, bytes, RECORD_FIELDS_ANY, &fields) ||
        fields.count < NEEDS_FIELDS || (fields.count - NEEDS_FIELDS) % 2 != 0 ||
        fields.count > NEEDS_FIELDS + 2 * NEEDS_MAX)
        return false;
    needs.need_count = (fields.count - NEEDS_FIELDS) / 2;
    needs.draft_hash = record_take_hash(&fields);
    needs.group = record_take_hash(&fields);
    kinds = record_take_unsigned(&fields, UINT64_MAX);
    needs.draft = record_take_bytes(&fields, BODY_BYTES_MAX);
    needs.remake = record_take_bytes(&fields, BODY_BYTES_MAX);
    for (size_t i = 0; i < needs.need_count; i++) {
        unsigned kind = kinds >> NEED_KIND_BITS * i & (NEED_IS_ORDERING - 1);

        if (kind == WAIT_NONE || kind >= WAIT_KIND_COUNT)
            return false;
        needs.needs[i].kind = (enum wait_kind)kind;
        needs.needs[i].ordering = (kinds >> NEED_KIND_BITS * i & NEED_IS_ORDERING) != 0;
        needs.needs[i].target = record_take_unsigned(&fields, UINT64_MAX);
        needs.needs[i].name = record_take_bytes(&fields, SPEC_NAME_BYTES_MAX);
    }
    if (!record_all_taken(&fields))
        return false;
    *needs_out = needs;
    return true;
}

#define ATTEMPT_FIELDS 15

void record_put_attempt(struct buf *buf, struct slice key, const struct attempt_record *attempt)
{
    struct record_writer writer = record_begin(buf, ATTEMPT_FIELDS);

    record_put_unsigned(&writer, attempt->generation);
    record_put_bool(&writer, attempt->poll);
    record_put_signed(&writer, attempt->started_ms);
    record_put_signed(&writer, attempt->duration_ms);
    record_put_unsigned(&writer, attempt->event);
    record_put_unsigned(&writer, attempt->state);
    record_put_unsigned(&writer, attempt->http_status);
    record_put_unsigned(&writer, attempt->reason);
    record_put_signed(&writer, attempt->next_due_ms);
    record_put_display_text(&writer, attempt->request_id, REQUEST_ID_BYTES_MAX);
    record_put_bytes(&writer, attempt->remote_job, REMOTE_JOB_BYTES_MAX);
    record_put_display_text(&writer, attempt->error_code, ERROR_CODE_BYTES_MAX);
    record_put_display_text(&writer, attempt->message, ERROR_MESSAGE_BYTES_MAX);
    record_put_display_text(&writer, attempt->rule, RULE_NAME_BYTES_MAX);
    record_put_unsigned(&writer, attempt->run);
    record_end(&writer, RECORD_ATTEMPT, key);
}

bool record_get_attempt(struct slice key, struct slice bytes, struct attempt_record *attempt_out)
{
    struct record_fields fields;
    struct attempt_record attempt = {0};

    if (!record_split(RECORD_ATTEMPT, key, bytes, ATTEMPT_FIELDS, &fields))
        return false;
    attempt.generation = record_take_u32(&fields);
    attempt.poll = record_take_bool(&fields);
    attempt.started_ms = record_take_signed(&fields);
    attempt.duration_ms = record_take_signed(&fields);
    attempt.event = (uint8_t)record_take_unsigned(&fields, ITEM_EVENT_COUNT - 1);
    attempt.state = (uint8_t)record_take_unsigned(&fields, ITEM_STATE_COUNT - 1);
    attempt.http_status = record_take_u16(&fields);
    attempt.reason = (enum reason)record_take_unsigned(&fields, REASON_COUNT - 1);
    attempt.next_due_ms = record_take_signed(&fields);
    attempt.request_id = record_take_bytes(&fields, REQUEST_ID_BYTES_MAX);
    attempt.remote_job = record_take_bytes(&fields, REMOTE_JOB_BYTES_MAX);
    attempt.error_code = record_take_bytes(&fields, ERROR_CODE_BYTES_MAX);
    attempt.message = record_take_bytes(&fields, ERROR_MESSAGE_BYTES_MAX);
    attempt.rule = record_take_bytes(&fields, RULE_NAME_BYTES_MAX);
    attempt.run = record_take_u32(&fields);
    if (!record_all_taken(&fields))
        return false;
    *attempt_out = attempt;
    return true;
}

#define RESULT_FIELDS 4

void record_put_result(struct buf *buf, struct slice key, const struct result_record *result)
{
    struct record_writer writer = record_begin(buf, RESULT_FIELDS);

    record_put_unsigned(&writer, result->http_status);
    record_put_bytes(&writer, result->body, ANSWER_BYTES_MAX);
    record_put_display_text(&writer, result->message, ERROR_MESSAGE_BYTES_MAX);
    record_put_display_text(&writer, result->request_id, REQUEST_ID_BYTES_MAX);
    record_end(&writer, RECORD_RESULT, key);
}

bool record_get_result(struct slice key, struct slice bytes, struct result_record *result_out)
{
    struct record_fields fields;
    struct result_record result = {0};

    if (!record_split(RECORD_RESULT, key, bytes, RESULT_FIELDS, &fields))
        return false;
    result.http_status = record_take_u16(&fields);
    result.body = record_take_bytes(&fields, ANSWER_BYTES_MAX);
    result.message = record_take_bytes(&fields, ERROR_MESSAGE_BYTES_MAX);
    result.request_id = record_take_bytes(&fields, REQUEST_ID_BYTES_MAX);
    if (!record_all_taken(&fields))
        return false;
    *result_out = result;
    return true;
}

#define RUN_FIELDS 18

void record_put_run(struct buf *buf, struct slice key, const struct run_record *run)
{
    struct record_writer writer = record_begin(buf, RUN_FIELDS);

    record_put_signed(&writer, run->started_ms);
    record_put_signed(&writer, run->ended_ms);
    record_put_signed(&writer, run->exit_status);
    record_put_hash(&writer, run->spec_digest);
    record_put_unsigned(&writer, run->added);
    record_put_unsigned(&writer, run->changed);
    record_put_unsigned(&writer, run->unchanged);
    record_put_unsigned(&writer, run->kept);
    record_put_unsigned(&writer, run->dropped);
    record_put_unsigned(&writer, run->sent);
    record_put_unsigned(&writer, run->polls);
    record_put_unsigned(&writer, run->throttled);
    record_put_unsigned(&writer, run->retried);
    record_put_signed(&writer, run->slot_s);
    record_put_unsigned(&writer, run->read_run);
    record_put_signed(&writer, run->read_ms);
    record_put_unsigned(&writer, run->rate_millis);
    record_end(&writer, RECORD_RUN, key);
}

bool record_get_run(struct slice key, struct slice bytes, struct run_record *run_out)
{
    struct record_fields fields;
    struct run_record run = {0};
    int64_t exit_status;

    if (!record_split(RECORD_RUN, key, bytes, RUN_FIELDS, &fields))
        return false;
    run.started_ms = record_take_signed(&fields);
    run.ended_ms = record_take_signed(&fields);
    exit_status = record_take_signed(&fields);
    run.spec_digest = record_take_hash(&fields);
    run.added = record_take_unsigned(&fields, UINT64_MAX);
    run.changed = record_take_unsigned(&fields, UINT64_MAX);
    run.unchanged = record_take_unsigned(&fields, UINT64_MAX);
    run.kept = record_take_unsigned(&fields, UINT64_MAX);
    run.dropped = record_take_unsigned(&fields, UINT64_MAX);
    run.sent = record_take_unsigned(&fields, UINT64_MAX);
    run.polls = record_take_unsigned(&fields, UINT64_MAX);
    run.throttled = record_take_unsigned(&fields, UINT64_MAX);
    run.retried = record_take_unsigned(&fields, UINT64_MAX);
    run.slot_s = record_take_signed(&fields);
    run.read_run = (uint32_t)record_take_unsigned(&fields, UINT32_MAX);
    run.read_ms = record_take_signed(&fields);
    run.rate_millis = record_take_u32(&fields);
    if (!record_all_taken(&fields) || exit_status < INT32_MIN || exit_status > INT32_MAX)
        return false;
    run.exit_status = (int32_t)exit_status;
    *run_out = run;
    return true;
}

#define CONNECTION_FIELDS 11

void record_put_connection(struct buf *buf, struct slice key,
                           const struct connection_record *connection)
{
    struct record_writer writer = record_begin(buf, CONNECTION_FIELDS);

    record_put_signed(&writer, connection->parked_since_ms);
    record_put_unsigned(&writer, connection->learned_rate_millis);
    record_put_unsigned(&writer, connection->learned_in_flight);
    record_put_display_text(&writer, connection->parked_reason, ERROR_MESSAGE_BYTES_MAX);
    record_put_bytes(&writer, connection->link_url, LINK_URL_BYTES_MAX);
    record_put_display_text(&writer, connection->detail, ERROR_MESSAGE_BYTES_MAX);
    record_put_signed(&writer, connection->checked_ms);
    record_put_signed(&writer, connection->last_sync_ms);
    record_put_unsigned(&writer, connection->times.answer_ms);
    record_put_unsigned(&writer, connection->times.accept_ms);
    record_put_unsigned(&writer, connection->times.finish_ms);
    record_end(&writer, RECORD_CONNECTION, key);
}

bool record_get_connection(struct slice key, struct slice bytes,
                           struct connection_record *connection_out)
{
    struct record_fields fields;
    struct connection_record connection = {0};

    if (!record_split(RECORD_CONNECTION, key, bytes, CONNECTION_FIELDS, &fields))
        return false;
    connection.parked_since_ms = record_take_signed(&fields);
    connection.learned_rate_millis = record_take_u32(&fields);
    connection.learned_in_flight = record_take_u32(&fields);
    connection.parked_reason = record_take_bytes(&fields, ERROR_MESSAGE_BYTES_MAX);
    connection.link_url = record_take_bytes(&fields, LINK_URL_BYTES_MAX);
    connection.detail = record_take_bytes(&fields, ERROR_MESSAGE_BYTES_MAX);
    connection.checked_ms = record_take_signed(&fields);
    connection.last_sync_ms = record_take_signed(&fields);
    connection.times.answer_ms = record_take_u32(&fields);
    connection.times.accept_ms = record_take_u32(&fields);
    connection.times.finish_ms = record_take_u32(&fields);
    if (!record_all_taken(&fields))
        return false;
    *connection_out = connection;
    return true;
}
