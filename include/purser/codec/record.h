/* Ledger values ↔ versioned, checksummed msgpack. Owner of msgpack-c.
 *
 * Layout of every value: 1 byte version, 8 bytes XXH3 of what follows together with the database
 * key (so that a record cannot stand in for another), then one msgpack array. The reader is
 * bounded: nesting ≤ 2, sizes from the header are checked against what is there before anything is
 * allocated. The next version: add its decoder beside the old one, raise RECORD_VERSION, and keep
 * reading the old. */
#ifndef PURSER_CODEC_RECORD_H
#define PURSER_CODEC_RECORD_H

#include "purser/base/buf.h"
#include "purser/core/item.h"
#include "purser/core/operation.h"
#include "purser/core/schedule.h"

#define RECORD_VERSION 1

/* What is sent, byte for byte, and whose it is. Slices borrow from the encoded bytes. */
struct frozen_request {
    uint32_t job, connection; /* numbers in the ledger */
    struct slice key;         /* the item's */
    enum http_method method;
    struct slice path; /* below the base URL, without access_token */
    struct slice body; /* JSON text; empty = no body */
    struct slice source_file;
    uint32_t source_line;
    uint32_t generation; /* that it was frozen for */
};

/* Something that must be so before an item is sent. */
struct need {
    enum wait_kind kind; /* never WAIT_NONE */
    bool ordering;       /* WAIT_ITEM: until it is over, in whatever way; else until it succeeds */
    uint64_t target;     /* as item.waits_for */
    struct slice name;   /* under `needs:`; empty = none, as of an order */
};

/* What an item needs, and from what its request is made when it has it. Slices borrow from the
 * encoded bytes. */
struct needs_record {
    struct hash128 draft_hash; /* of all that the request is made from, what it needs included */
    struct hash128 group;      /* in which it has a place, of its job and connection; zero = none */
    struct need needs[NEEDS_MAX];
    size_t need_count;
    struct slice
        draft; /* JSON text, for the renderer; empty = the request is frozen as it stands */
    struct slice remake; /* the same of a corrected row, whose request is made: what it would be by
                            now is told by this alone, for the row is not in the source */
};

/* One exchange, for `explain`. */
struct attempt_record {
    uint32_t generation;
    bool poll;
    int64_t started_ms;
    int64_t duration_ms;
    uint8_t event; /* enum item_event_kind that the answer became */
    uint8_t state; /* enum item_state after it */
    uint16_t http_status;
    enum reason reason;
    int64_t next_due_ms; /* 0 = none */
    struct slice request_id;
    struct slice remote_job;
    struct slice error_code;
    struct slice
        message;       /* what the server or libcurl said, sanitised, ≤ ERROR_MESSAGE_BYTES_MAX */
    struct slice rule; /* the name of what decided, see reply.h; empty = a person */
    uint32_t run;      /* that made the intent of the generation; 0 = of a person */
};

struct result_record {
    uint16_t http_status;
    struct slice body;    /* the final answer's body as received, ≤ ANSWER_BYTES_MAX */
    struct slice message; /* error message for people, sanitised */
    struct slice request_id;
};

/* One invocation that worked on the ledger. */
struct run_record {
    int64_t started_ms, ended_ms; /* ended 0: still running, or it died */
    int32_t exit_status;
    struct hash128 spec_digest;
    uint64_t added, changed, unchanged, kept, dropped;
    uint64_t sent, polls, throttled, retried;
    int64_t slot_s; /* that it ran for, Unix time; 0 = none */
    /* Whose ${run.id} and ${run.started_at} the sources were read with: its own, or those of the
     * last run that read them. */
    uint32_t read_run;
    int64_t read_ms;
    uint32_t rate_millis; /* of all requests, as refusals have taught it; 0 = was never refused */
};

/* How far the slots of the schedule are accounted for; all in Unix time. */
struct schedule_record {
    int64_t since_s;   /* nothing before is */
    int64_t until_s;   /* all up to here are */
    int64_t claimed_s; /* the slot that is SLOT_CLAIMED; 0 = none */
};

/* Slots in a row that met one fate. It stands under the time of the first. */
struct slot_record {
    int64_t last_s; /* of the last one */
    uint64_t count;
    enum slot_fate fate;
    uint32_t run;        /* CLAIMED, RAN: its last run, 0 = it never began; RUN_WENT_ON: which */
    int32_t exit_status; /* RAN */
    int64_t noted_ms;
};

/* How long things took on average, in the last run that saw them; 0 = none has. */
struct learned_times {
    uint32_t answer_ms; /* a send whose answer was its end */
    uint32_t accept_ms; /* one that was accepted: a remote job … */
    uint32_t finish_ms; /* … which from then on took so long until its end was known */
};

/* What was learned of a connection. */
struct connection_record {
    int64_t parked_since_ms;      /* 0 = not parked */
    uint32_t learned_rate_millis; /* thousandths of a request a second; 0 = nothing learned */
    uint32_t learned_in_flight;
    struct slice parked_reason; /* a stable word of reply.h; empty = not parked */
    struct slice link_url;      /* for the merchant; empty = none known */
    struct slice detail;        /* for people */
    int64_t checked_ms;         /* when the API last told its status; 0 = never asked */
    int64_t last_sync_ms;       /* as it told; 0 = never, or not told */
    struct learned_times times;
};

/* Append one encoded value; `key` is the database key it will stand under, of an attempt only the
 * item number in it: its index is known when it is written. Texts for people are cut to their
 * maximum. buf->failed tells of memory, and (ERR_TOO_BIG) of anything else past its maximum. */
void record_put_item(struct buf *buf, struct slice key, const struct item *item);
void record_put_request(struct buf *buf, struct slice key, const struct frozen_request *request);
void record_put_needs(struct buf *buf, struct slice key, const struct needs_record *needs);
void record_put_attempt(struct buf *buf, struct slice key, const struct attempt_record *attempt);
void record_put_result(struct buf *buf, struct slice key, const struct result_record *result);
void record_put_run(struct buf *buf, struct slice key, const struct run_record *run);
void record_put_connection(struct buf *buf, struct slice key,
                           const struct connection_record *connection);
void record_put_schedule(struct buf *buf, struct slice key, const struct schedule_record *schedule);
void record_put_slot(struct buf *buf, struct slice key, const struct slot_record *slot);

/* Decode; false when the value is damaged, of an unknown version, or belongs to another key. Slices
 * in the output borrow from `bytes`. Nothing is allocated. */
bool record_get_item(struct slice key, struct slice bytes, struct item *item_out);
bool record_get_request(struct slice key, struct slice bytes, struct frozen_request *request_out);
bool record_get_needs(struct slice key, struct slice bytes, struct needs_record *needs_out);
bool record_get_attempt(struct slice key, struct slice bytes, struct attempt_record *attempt_out);
bool record_get_result(struct slice key, struct slice bytes, struct result_record *result_out);
bool record_get_run(struct slice key, struct slice bytes, struct run_record *run_out);
bool record_get_connection(struct slice key, struct slice bytes,
                           struct connection_record *connection_out);
bool record_get_schedule(struct slice key, struct slice bytes,
                         struct schedule_record *schedule_out);
bool record_get_slot(struct slice key, struct slice bytes, struct slot_record *slot_out);

#endif
