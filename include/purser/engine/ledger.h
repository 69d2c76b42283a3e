/* The durable state, as the engine and the commands see it.
 *
 * Owns: nothing; an interface. Real one: io/lmdb_ledger. Fake: tests/support/sim_ledger.
 * Reads give what is committed. Writes are gathered in one batch and become durable together; a
 * batch is never half there. The index of open items and the counters are kept by put_item from
 * the old and the new value. */
#ifndef PURSER_ENGINE_LEDGER_H
#define PURSER_ENGINE_LEDGER_H

#include "purser/base/err.h"
#include "purser/codec/record.h"
#include "purser/core/item.h"

struct ledger;

/* More generations than an item goes through while its request stays the same: the request
 * remembers only the one that it was frozen for. */
#define DAMAGED_GENERATION_STEP 1000

struct item_counts {
    uint64_t by_state[ITEM_STATE_COUNT];
};

struct ledger_ops {
    /* --- reading --- */

    /* The number of the item with this identity, or ERR_NOT_FOUND (err untouched). */
    enum err_code (*find)(struct ledger *self, uint32_t job, uint32_t connection, struct slice key,
                          uint64_t *number_out, struct err *err) ERR_CHECKED;

    /* The item; a damaged record gives state ITEM_IN_DOUBT, reason REASON_RECORD_DAMAGED, and a
     * generation above all that were used, so that no used key comes back. ERR_NOT_FOUND when there
     * is none. */
    enum err_code (*read_item)(struct ledger *self, uint64_t number, struct item *item_out,
                               struct err *err) ERR_CHECKED;

    /* The frozen request; its slices borrow from `storage`, which is cleared first. ERR_NOT_FOUND
     * when there is none, ERR_DAMAGED when it is damaged: that concerns this record alone, here as
     * in all that follows. */
    enum err_code (*read_request)(struct ledger *self, uint64_t number, struct buf *storage,
                                  struct frozen_request *request_out, struct err *err) ERR_CHECKED;

    /* What the item needs; as read_request. */
    enum err_code (*read_needs)(struct ledger *self, uint64_t number, struct buf *storage,
                                struct needs_record *needs_out, struct err *err) ERR_CHECKED;

    /* The final answer; as read_request. */
    enum err_code (*read_result)(struct ledger *self, uint64_t number, struct buf *storage,
                                 struct result_record *result_out, struct err *err) ERR_CHECKED;

    /* The `index`-th kept attempt, oldest first; ERR_NOT_FOUND past the end. */
    enum err_code (*read_attempt)(struct ledger *self, uint64_t number, uint32_t index,
                                  struct buf *storage, struct attempt_record *attempt_out,
                                  struct err *err) ERR_CHECKED;

    /* The first item of any state with a number > after; ERR_NOT_FOUND when there is none. */
    enum err_code (*next_item)(struct ledger *self, uint64_t after, uint64_t *number_out,
                               struct item *item_out, struct err *err) ERR_CHECKED;

    /* The first ready item of `connection` with a number > after; ERR_NOT_FOUND. */
    enum err_code (*next_ready)(struct ledger *self, uint32_t connection, uint64_t after,
                                uint64_t *number_out, struct item *item_out,
                                struct err *err) ERR_CHECKED;

    /* The first active item (sending or waiting) with a number > after; ERR_NOT_FOUND. */
    enum err_code (*next_active)(struct ledger *self, uint64_t after, uint64_t *number_out,
                                 struct item *item_out, struct err *err) ERR_CHECKED;

    /* The first item that waits for `target` of this kind (0 where the kind has no number), with a
     * number > after; ERR_NOT_FOUND. */
    enum err_code (*next_blocked)(struct ledger *self, enum wait_kind kind, uint64_t target,
                                  uint64_t after, uint64_t *number_out, struct item *item_out,
                                  struct err *err) ERR_CHECKED;

    /* The first item whose release is due, with a number > after; ERR_NOT_FOUND. */
    enum err_code (*next_release)(struct ledger *self, uint64_t after, uint64_t *number_out,
                                  struct item *item_out, struct err *err) ERR_CHECKED;

    /* The last item of a group, in which items go one after the other. What the open batch says
     * counts, unlike elsewhere: the rows of a group follow each other. ERR_NOT_FOUND. */
    enum err_code (*find_group)(struct ledger *self, uint32_t job, uint32_t connection,
                                struct hash128 group, uint64_t *number_out,
                                struct err *err) ERR_CHECKED;

    /* Counts by state, of one job (UINT32_MAX: all) on one connection (UINT32_MAX: all). */
    enum err_code (*counts)(struct ledger *self, uint32_t job, uint32_t connection,
                            struct item_counts *counts_out, struct err *err) ERR_CHECKED;

    /* Names by number; NULL when there is none. Borrowed for the life of the ledger. */
    const char *(*job_name)(struct ledger *self, uint32_t job);
    const char *(*connection_name)(struct ledger *self, uint32_t connection);

    /* Operations ("POST /products") that answers have shown to be backed by remote jobs, so that
     * their idempotency key counts; by number from 0, NULL past the end. Borrowed as the names. */
    const char *(*proven_operation)(struct ledger *self, uint32_t number);

    /* Run records; run numbers count from 1. ERR_NOT_FOUND. last_run gives 0 when there is none. */
    enum err_code (*read_run)(struct ledger *self, uint32_t run, struct run_record *run_out,
                              struct err *err) ERR_CHECKED;
    uint32_t (*last_run)(struct ledger *self);
    enum err_code (*read_connection)(struct ledger *self, uint32_t connection, struct buf *storage,
                                     struct connection_record *connection_out,
                                     struct err *err) ERR_CHECKED;

    /* How far the slots of the schedule are accounted for; ERR_NOT_FOUND when nothing is. */
    enum err_code (*read_schedule)(struct ledger *self, struct schedule_record *schedule_out,
                                   struct err *err) ERR_CHECKED;
    /* The last record whose first slot was due before `before_s`, and when that was;
     * ERR_NOT_FOUND. */
    enum err_code (*slot_before)(struct ledger *self, int64_t before_s, int64_t *first_s_out,
                                 struct slot_record *slot_out, struct err *err) ERR_CHECKED;

    /* --- writing: into the open batch; a ledger opened for reading asserts --- */

    /* The number of a name, made when it is new. Numbers count from 0. */
    enum err_code (*job_number)(struct ledger *self, const char *name, uint32_t *number_out,
                                struct err *err) ERR_CHECKED;
    enum err_code (*connection_number)(struct ledger *self, const char *alias, uint32_t *number_out,
                                       struct err *err) ERR_CHECKED;

    /* Adds an operation to the proven ones; nothing when it is there. */
    enum err_code (*put_proven_operation)(struct ledger *self, const char *operation,
                                          struct err *err) ERR_CHECKED;

    /* Adds an item with its request and gives its number (in order of first sight, from 1). The
     * caller has checked with find() that the identity is new, and adds it once. */
    enum err_code (*add_item)(struct ledger *self, const struct item *item,
                              const struct frozen_request *request, uint64_t *number_out,
                              struct err *err) ERR_CHECKED;

    /* Replaces the item; `before` is its value until now. */
    enum err_code (*put_item)(struct ledger *self, uint64_t number, const struct item *before,
                              const struct item *item, struct err *err) ERR_CHECKED;
    enum err_code (*put_request)(struct ledger *self, uint64_t number,
                                 const struct frozen_request *request, struct err *err) ERR_CHECKED;
    enum err_code (*put_needs)(struct ledger *self, uint64_t number,
                               const struct needs_record *needs, struct err *err) ERR_CHECKED;
    /* The item is the last of its group from now on. */
    enum err_code (*put_group)(struct ledger *self, uint32_t job, uint32_t connection,
                               struct hash128 group, uint64_t number, struct err *err) ERR_CHECKED;
    enum err_code (*put_result)(struct ledger *self, uint64_t number,
                                const struct result_record *result, struct err *err) ERR_CHECKED;
    /* Appends to the attempts of the item; past ATTEMPTS_KEPT_MAX the last one is replaced. */
    enum err_code (*put_attempt)(struct ledger *self, uint64_t number,
                                 const struct attempt_record *attempt, struct err *err) ERR_CHECKED;
    /* Removes an item that was never sent, with all that belongs to it; but not its needs when it
     * has dependents: what comes behind it in an order takes its place from there. */
    enum err_code (*drop_item)(struct ledger *self, uint64_t number, const struct item *before,
                               struct err *err) ERR_CHECKED;
    enum err_code (*put_run)(struct ledger *self, uint32_t run, const struct run_record *record,
                             struct err *err) ERR_CHECKED;
    enum err_code (*put_connection)(struct ledger *self, uint32_t connection,
                                    const struct connection_record *record,
                                    struct err *err) ERR_CHECKED;
    enum err_code (*put_schedule)(struct ledger *self, const struct schedule_record *schedule,
                                  struct err *err) ERR_CHECKED;
    /* `first_s` ≥ 0. */
    enum err_code (*put_slot)(struct ledger *self, int64_t first_s, const struct slot_record *slot,
                              struct err *err) ERR_CHECKED;

    /* Bytes in the open batch. 0 = nothing to commit. */
    size_t (*batch_bytes)(struct ledger *self);

    /* Closes the open batch and starts making it durable; a new one is open at once. The batch's
     * sequence number (1, 2, …) comes back. Errors: ERR_STORAGE; after any error nothing more may
     * be sent, and every later call fails the same way. */
    enum err_code (*commit_begin)(struct ledger *self, uint64_t *sequence_out,
                                  struct err *err) ERR_CHECKED;

    /* The highest sequence number that is durable. With `wait`, first waits until all are. Errors:
     * ERR_STORAGE, as above. */
    enum err_code (*commit_poll)(struct ledger *self, bool wait, uint64_t *durable_out,
                                 struct err *err) ERR_CHECKED;
};

struct ledger {
    const struct ledger_ops *ops;
};

/* A read gave nothing because there is nothing, or the record is damaged: that concerns the record
 * alone. Any other error is no answer. */
static inline bool ledger_has_none(enum err_code code)
{
    return code == ERR_NOT_FOUND || code == ERR_DAMAGED;
}

/* For what cannot be missing while the ledger is whole: ERR_NOT_FOUND, which says so without a
 * word, becomes ERR_DAMAGED with a text that names `what`. Every other code comes back as it is. */
enum err_code ledger_require(enum err_code code, const char *what, struct err *err) ERR_CHECKED;

/* The number of a job or a connection by its name, without making one; UINT32_MAX when the ledger
 * has it not. `name_of` is one of the ops. */
uint32_t ledger_number_of(struct ledger *ledger, const char *name,
                          const char *(*name_of)(struct ledger *self, uint32_t number));

/* Each item that has not succeeded keeps in its record that what was done with it since
 * `lost_since_ms`, by the server's clock, is not known; of an older loss it keeps that, and after a
 * person's word nothing is lost of it. When no batch is being committed. The last batch is left
 * open, so that what follows from it is committed with it. Errors: ERR_STORAGE, ERR_NO_MEMORY; some
 * may keep it then. */
enum err_code ledger_keep_loss(struct ledger *ledger, int64_t lost_since_ms,
                               struct err *err) ERR_CHECKED;

/* A backup is taken into use: that an item was not done, as a person had said before it was made,
 * says nothing of what was lost since. When no batch is being committed; the last batch is left
 * open. Errors: ERR_STORAGE, ERR_NO_MEMORY; some may be forgotten then. */
enum err_code ledger_forget_words(struct ledger *ledger, struct err *err) ERR_CHECKED;

#endif
