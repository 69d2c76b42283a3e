/* An item with all its members set, and comparing. */
#ifndef PURSER_TESTS_RECORD_FIXTURE_H
#define PURSER_TESTS_RECORD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/base/rng.h"
#include "purser/codec/record.h"
#include "purser/core/lifecycle.h"

static const char key_bytes[8] = {0, 0, 0, 0, 0, 0, 0, 42};
static const struct slice key = {key_bytes, sizeof key_bytes};
static const struct slice other_key = {"\0\0\0\0\0\0\0\53", 8};

static inline struct item sample_item(void)
{
    struct item item = item_new(7, 300, (struct hash128){.high = UINT64_MAX, .low = 1}, 1796000000);

    item.state = ITEM_WAITING;
    item.reason = REASON_CONDITION_FALSE;
    item.generation = UINT32_MAX;
    item.attempt_count = 2;
    item.poll_count = 128;
    item.trouble_count = 65536;
    item.attempt_total = 9;
    item.seen_run = 3;
    item.unknown_send = true;
    item.accepted = true;
    item.http_status = 65535;
    item.job_path = JOB_PATH_V2;
    item.intent_ms = INT64_MAX;
    item.intent_boot_ms = INT64_MIN;
    item.intent_boot = UINT32_MAX;
    item.due_ms = -1;
    item.accepted_ms = INT64_MIN;
    item.finished_ms = -129;
    item.waits_on = WAIT_UNKNOWN_ITEM;
    item.waits_for = UINT64_MAX;
    item.has_needs = true;
    item.release_due = true;
    item.sent_run = 8;
    item.corrected = true;
    item.source_hash = (struct hash128){.high = 2, .low = UINT64_MAX};
    memset(item.remote_job, 'j', REMOTE_JOB_BYTES_MAX);
    memset(item.error_type, 't', ERROR_CODE_BYTES_MAX);
    memcpy(item.error_code, "product_not_ready", sizeof "product_not_ready");
    return item;
}

static inline void assert_items_equal(const struct item *a, const struct item *b)
{
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->job, b->job);
    assert_int_equal(a->connection, b->connection);
    assert_int_equal(a->generation, b->generation);
    assert_int_equal(a->attempt_count, b->attempt_count);
    assert_int_equal(a->poll_count, b->poll_count);
    assert_int_equal(a->trouble_count, b->trouble_count);
    assert_int_equal(a->attempt_total, b->attempt_total);
    assert_int_equal(a->seen_run, b->seen_run);
    assert_int_equal(a->sent_run, b->sent_run);
    assert_int_equal(a->corrected, b->corrected);
    assert_int_equal(a->source_hash.high, b->source_hash.high);
    assert_int_equal(a->source_hash.low, b->source_hash.low);
    assert_int_equal(a->unknown_send, b->unknown_send);
    assert_int_equal(a->accepted, b->accepted);
    assert_int_equal(a->http_status, b->http_status);
    assert_int_equal(a->job_path, b->job_path);
    assert_int_equal(a->waits_on, b->waits_on);
    assert_int_equal(a->waits_for, b->waits_for);
    assert_int_equal(a->has_needs, b->has_needs);
    assert_int_equal(a->has_dependents, b->has_dependents);
    assert_int_equal(a->release_due, b->release_due);
    assert_int_equal(a->intent_ms, b->intent_ms);
    assert_int_equal(a->intent_boot_ms, b->intent_boot_ms);
    assert_int_equal(a->intent_boot, b->intent_boot);
    assert_int_equal(a->due_ms, b->due_ms);
    assert_int_equal(a->accepted_ms, b->accepted_ms);
    assert_int_equal(a->finished_ms, b->finished_ms);
    assert_int_equal(a->changed_ms, b->changed_ms);
    assert_int_equal(a->request_hash.high, b->request_hash.high);
    assert_int_equal(a->request_hash.low, b->request_hash.low);
    assert_string_equal(a->remote_job, b->remote_job);
    assert_string_equal(a->error_type, b->error_type);
    assert_string_equal(a->error_code, b->error_code);
}

static inline void assert_slices_equal(struct slice a, struct slice b)
{
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.bytes, b.bytes, a.length);
}

static inline struct slice bytes_of(const struct buf *buf)
{
    assert_int_equal(buf->failed, ERR_OK);
    return (struct slice){buf->bytes, buf->length};
}

#endif
