/* A ledger whose n-th call fails, in front of a real one. */
#ifndef PURSER_TESTS_FAILING_LEDGER_H
#define PURSER_TESTS_FAILING_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "purser/engine/ledger.h"

static struct {
    struct ledger port; /* what the tested code gets */
    struct ledger *real;
    enum err_code code; /* of the call that fails */
    uint64_t calls;
    const char *name; /* of the call that failed */
    uint64_t failing; /* its number from 1; 0 = none fails */
} failing;

static bool call_fails(const char *name, struct err *err)
{
    if (++failing.calls != failing.failing)
        return false;
    failing.name = name;
    err_set(err, failing.code, "the ledger does not want");
    return true;
}

#define FAILING_CALL(name, parameters, ...)                                                 \
    static enum err_code failing_##name parameters                                          \
    {                                                                                       \
        (void)self;                                                                         \
        return call_fails(#name, err) ? failing.code                                        \
                                      : failing.real->ops->name(failing.real, __VA_ARGS__); \
    }

FAILING_CALL(find,
             (struct ledger * self, uint32_t job, uint32_t connection, struct slice key,
              uint64_t *number_out, struct err *err),
             job, connection, key, number_out, err)
FAILING_CALL(read_item,
             (struct ledger * self, uint64_t number, struct item *item_out, struct err *err),
             number, item_out, err)
FAILING_CALL(read_request,
             (struct ledger * self, uint64_t number, struct buf *storage,
              struct frozen_request *request_out, struct err *err),
             number, storage, request_out, err)
FAILING_CALL(read_needs,
             (struct ledger * self, uint64_t number, struct buf *storage,
              struct needs_record *needs_out, struct err *err),
             number, storage, needs_out, err)
FAILING_CALL(read_result,
             (struct ledger * self, uint64_t number, struct buf *storage,
              struct result_record *result_out, struct err *err),
             number, storage, result_out, err)
FAILING_CALL(read_attempt,
             (struct ledger * self, uint64_t number, uint32_t index, struct buf *storage,
              struct attempt_record *attempt_out, struct err *err),
             number, index, storage, attempt_out, err)
FAILING_CALL(next_item,
             (struct ledger * self, uint64_t after, uint64_t *number_out, struct item *item_out,
              struct err *err),
             after, number_out, item_out, err)
FAILING_CALL(next_ready,
             (struct ledger * self, uint32_t connection, uint64_t after, uint64_t *number_out,
              struct item *item_out, struct err *err),
             connection, after, number_out, item_out, err)
FAILING_CALL(next_active,
             (struct ledger * self, uint64_t after, uint64_t *number_out, struct item *item_out,
              struct err *err),
             after, number_out, item_out, err)
FAILING_CALL(next_blocked,
             (struct ledger * self, enum wait_kind kind, uint64_t target, uint64_t after,
              uint64_t *number_out, struct item *item_out, struct err *err),
             kind, target, after, number_out, item_out, err)
FAILING_CALL(next_release,
             (struct ledger * self, uint64_t after, uint64_t *number_out, struct item *item_out,
              struct err *err),
             after, number_out, item_out, err)
FAILING_CALL(find_group,
             (struct ledger * self, uint32_t job, uint32_t connection, struct hash128 group,
              uint64_t *number_out, struct err *err),
             job, connection, group, number_out, err)
FAILING_CALL(counts,
             (struct ledger * self, uint32_t job, uint32_t connection,
              struct item_counts *counts_out, struct err *err),
             job, connection, counts_out, err)
FAILING_CALL(read_run,
             (struct ledger * self, uint32_t run, struct run_record *run_out, struct err *err), run,
             run_out, err)
FAILING_CALL(read_connection,
             (struct ledger * self, uint32_t connection, struct buf *storage,
              struct connection_record *connection_out, struct err *err),
             connection, storage, connection_out, err)
FAILING_CALL(read_schedule,
             (struct ledger * self, struct schedule_record *schedule_out, struct err *err),
             schedule_out, err)
FAILING_CALL(slot_before,
             (struct ledger * self, int64_t before_s, int64_t *first_s_out,
              struct slot_record *slot_out, struct err *err),
             before_s, first_s_out, slot_out, err)
FAILING_CALL(job_number,
             (struct ledger * self, const char *name, uint32_t *number_out, struct err *err), name,
             number_out, err)
FAILING_CALL(connection_number,
             (struct ledger * self, const char *alias, uint32_t *number_out, struct err *err),
             alias, number_out, err)
FAILING_CALL(add_item,
             (struct ledger * self, const struct item *item, const struct frozen_request *request,
              uint64_t *number_out, struct err *err),
             item, request, number_out, err)
FAILING_CALL(put_item,
             (struct ledger * self, uint64_t number, const struct item *before,
              const struct item *item, struct err *err),
             number, before, item, err)
FAILING_CALL(put_request,
             (struct ledger * self, uint64_t number, const struct frozen_request *request,
              struct err *err),
             number, request, err)
FAILING_CALL(put_needs,
             (struct ledger * self, uint64_t number, const struct needs_record *needs,
              struct err *err),
             number, needs, err)
FAILING_CALL(put_group,
             (struct ledger * self, uint32_t job, uint32_t connection, struct hash128 group,
              uint64_t number, struct err *err),
             job, connection, group, number, err)
FAILING_CALL(put_result,
             (struct ledger * self, uint64_t number, const struct result_record *result,
              struct err *err),
             number, result, err)
FAILING_CALL(put_attempt,
             (struct ledger * self, uint64_t number, const struct attempt_record *attempt,
              struct err *err),
             number, attempt, err)
FAILING_CALL(drop_item,
             (struct ledger * self, uint64_t number, const struct item *before, struct err *err),
             number, before, err)
FAILING_CALL(put_run,
             (struct ledger * self, uint32_t run, const struct run_record *record, struct err *err),
             run, record, err)
FAILING_CALL(put_schedule,
             (struct ledger * self, const struct schedule_record *schedule, struct err *err),
             schedule, err)
FAILING_CALL(put_slot,
             (struct ledger * self, int64_t first_s, const struct slot_record *slot,
              struct err *err),
             first_s, slot, err)
FAILING_CALL(commit_begin, (struct ledger * self, uint64_t *sequence_out, struct err *err),
             sequence_out, err)
FAILING_CALL(commit_poll, (struct ledger * self, bool wait, uint64_t *durable_out, struct err *err),
             wait, durable_out, err)

static const char *passing_job_name(struct ledger *self, uint32_t job)
{
    (void)self;
    return failing.real->ops->job_name(failing.real, job);
}

static const char *passing_connection_name(struct ledger *self, uint32_t connection)
{
    (void)self;
    return failing.real->ops->connection_name(failing.real, connection);
}

static uint32_t passing_last_run(struct ledger *self)
{
    (void)self;
    return failing.real->ops->last_run(failing.real);
}

static size_t passing_batch_bytes(struct ledger *self)
{
    (void)self;
    return failing.real->ops->batch_bytes(failing.real);
}

/* In front of `real`: call `number` (from 1; 0 = none) fails with `code`. */
static struct ledger *fail_call(struct ledger *real, uint64_t number, enum err_code code)
{
    static const struct ledger_ops ops = {
        .find = failing_find,
        .read_item = failing_read_item,
        .read_request = failing_read_request,
        .read_needs = failing_read_needs,
        .read_result = failing_read_result,
        .read_attempt = failing_read_attempt,
        .next_item = failing_next_item,
        .next_ready = failing_next_ready,
        .next_active = failing_next_active,
        .next_blocked = failing_next_blocked,
        .next_release = failing_next_release,
        .find_group = failing_find_group,
        .counts = failing_counts,
        .job_name = passing_job_name,
        .connection_name = passing_connection_name,
        .read_run = failing_read_run,
        .last_run = passing_last_run,
        .read_connection = failing_read_connection,
        .read_schedule = failing_read_schedule,
        .slot_before = failing_slot_before,
        .job_number = failing_job_number,
        .connection_number = failing_connection_number,
        .add_item = failing_add_item,
        .put_item = failing_put_item,
        .put_request = failing_put_request,
        .put_needs = failing_put_needs,
        .put_group = failing_put_group,
        .put_result = failing_put_result,
        .put_attempt = failing_put_attempt,
        .drop_item = failing_drop_item,
        .put_run = failing_put_run,
        .put_schedule = failing_put_schedule,
        .put_slot = failing_put_slot,
        .batch_bytes = passing_batch_bytes,
        .commit_begin = failing_commit_begin,
        .commit_poll = failing_commit_poll,
    };

    failing.port.ops = &ops;
    failing.real = real;
    failing.code = code;
    failing.calls = 0;
    failing.failing = number;
    return &failing.port;
}

#endif
