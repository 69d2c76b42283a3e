/* What the ledger keeps of a schedule. */
#include "record_fields.h"

#define SCHEDULE_FIELDS 3

void record_put_schedule(struct buf *buf, struct slice key, const struct schedule_record *schedule)
{
    struct record_writer writer = record_begin(buf, SCHEDULE_FIELDS);

    record_put_signed(&writer, schedule->since_s);
    record_put_signed(&writer, schedule->until_s);
    record_put_signed(&writer, schedule->claimed_s);
    record_end(&writer, RECORD_SCHEDULE, key);
}

bool record_get_schedule(struct slice key, struct slice bytes, struct schedule_record *schedule_out)
{
    struct record_fields fields;
    struct schedule_record schedule = {0};

    if (!record_split(RECORD_SCHEDULE, key, bytes, SCHEDULE_FIELDS, &fields))
        return false;
    schedule.since_s = record_take_signed(&fields);
    schedule.until_s = record_take_signed(&fields);
    schedule.claimed_s = record_take_signed(&fields);
    if (!record_all_taken(&fields))
        return false;
    *schedule_out = schedule;
    return true;
}

#define SLOT_FIELDS 6

void record_put_slot(struct buf *buf, struct slice key, const struct slot_record *slot)
{
    struct record_writer writer = record_begin(buf, SLOT_FIELDS);

    record_put_signed(&writer, slot->last_s);
    record_put_unsigned(&writer, slot->count);
    record_put_unsigned(&writer, slot->fate);
    record_put_unsigned(&writer, slot->run);
    record_put_signed(&writer, slot->exit_status);
    record_put_signed(&writer, slot->noted_ms);
    record_end(&writer, RECORD_SLOT, key);
}

bool record_get_slot(struct slice key, struct slice bytes, struct slot_record *slot_out)
{
    struct record_fields fields;
    struct slot_record slot = {0};
    int64_t exit_status;

    if (!record_split(RECORD_SLOT, key, bytes, SLOT_FIELDS, &fields))
        return false;
    slot.last_s = record_take_signed(&fields);
    slot.count = record_take_unsigned(&fields, UINT64_MAX);
    slot.fate = (enum slot_fate)record_take_unsigned(&fields, SLOT_FATE_COUNT - 1);
    slot.run = record_take_u32(&fields);
    exit_status = record_take_signed(&fields);
    slot.noted_ms = record_take_signed(&fields);
    if (!record_all_taken(&fields) || exit_status < INT32_MIN || exit_status > INT32_MAX)
        return false;
    slot.exit_status = (int32_t)exit_status;
    *slot_out = slot;
    return true;
}
