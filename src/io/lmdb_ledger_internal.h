/* The ledger between its files: open (identity, loading), read, write. */
#ifndef PURSER_IO_LMDB_LEDGER_INTERNAL_H
#define PURSER_IO_LMDB_LEDGER_INTERNAL_H

#include "ledger_committer.h"
#include "ledger_counts.h"
#include "ledger_names.h"
#include "ledger_store.h"
#include "purser/io/lmdb_ledger.h"

/* Largest encoded value: a result with body and outputs, or a request with its body. */
#define LEDGER_VALUE_BYTES_MAX ((size_t)BODY_BYTES_MAX + (size_t)2 * ANSWER_BYTES_MAX + 65536)

struct lmdb_ledger {
    struct ledger port; /* first: the port is the ledger */
    struct ledger_store *store;
    struct ledger_committer *committer; /* NULL = opened for reading */
    struct ledger_names jobs, connections, proven;
    struct ledger_counts counts; /* as of the open batch; writing only */
    uint64_t next_item;          /* as above */
    bool next_item_changed;
    uint32_t last_run;  /* as above */
    struct buf scratch; /* for encoding one value */
    char path[4096];
    bool adopts;           /* this opening makes a copy the ledger of this place */
    int64_t lost_since_ms; /* see lmdb_ledger_lost_since_ms() */
};

#define MACHINE_ID_BYTES 64

/* "" when the machine has none: a ledger is then not tied to it. */
void lmdb_ledger_machine_id(char text_out[MACHINE_ID_BYTES]);

/* A sealed text of the meta database. Within a read. */
enum err_code lmdb_ledger_get_text(struct lmdb_ledger *ledger, const char *name,
                                   struct slice *text_out, struct err *err) ERR_CHECKED;

/* Whether it is a copy, and what was lost of it. Sets `adopts` and `lost_since_ms`. Within a read.
 */
enum err_code lmdb_ledger_check_copy(struct lmdb_ledger *ledger,
                                     const struct lmdb_ledger_options *options,
                                     struct err *err) ERR_CHECKED;

extern const struct ledger_ops lmdb_ledger_ops;

/* Adds the names that the database has and `names` has not, in order. Within a read. */
enum err_code lmdb_ledger_load_names(struct lmdb_ledger *ledger, const char *prefix,
                                     struct ledger_names *names, struct err *err) ERR_CHECKED;

/* A value that is not durable yet, or the stored one; of a deleted one ERR_NOT_FOUND. Within a
 * read. */
enum err_code lmdb_ledger_get_newest(struct lmdb_ledger *ledger, enum ledger_database database,
                                     struct slice key, struct slice *value_out,
                                     struct err *err) ERR_CHECKED;

/* What a damaged value that is not an item's means for the user. */
enum err_code lmdb_ledger_damaged(const struct lmdb_ledger *ledger, const char *what,
                                  struct err *err);

/* The item of a record that may be damaged; it then is in doubt, with what its request still tells.
 * Within a read. */
enum err_code lmdb_ledger_decode_item(struct lmdb_ledger *ledger, uint64_t number,
                                      struct slice bytes, struct item *item_out,
                                      struct err *err) ERR_CHECKED;

/* The ledger, which must be open for writing and not have failed; its scratch is then empty. */
enum err_code lmdb_ledger_begin_write(struct ledger *self, struct lmdb_ledger **ledger_out,
                                      struct err *err) ERR_CHECKED;

/* Puts what was encoded into the scratch into the open batch. */
enum err_code lmdb_ledger_put_scratch(struct lmdb_ledger *ledger, enum ledger_op_kind kind,
                                      enum ledger_database database, struct slice key,
                                      struct err *err) ERR_CHECKED;

/* --- the operations of engine/ledger.h --- */

enum err_code lmdb_ledger_find(struct ledger *self, uint32_t job, uint32_t connection,
                               struct slice key, uint64_t *number_out, struct err *err);
enum err_code lmdb_ledger_read_item(struct ledger *self, uint64_t number, struct item *item_out,
                                    struct err *err);
enum err_code lmdb_ledger_read_request(struct ledger *self, uint64_t number, struct buf *storage,
                                       struct frozen_request *request_out, struct err *err);
enum err_code lmdb_ledger_read_needs(struct ledger *self, uint64_t number, struct buf *storage,
                                     struct needs_record *needs_out, struct err *err);
enum err_code lmdb_ledger_read_result(struct ledger *self, uint64_t number, struct buf *storage,
                                      struct result_record *result_out, struct err *err);
enum err_code lmdb_ledger_read_attempt(struct ledger *self, uint64_t number, uint32_t index,
                                       struct buf *storage, struct attempt_record *attempt_out,
                                       struct err *err);
enum err_code lmdb_ledger_next_item(struct ledger *self, uint64_t after, uint64_t *number_out,
                                    struct item *item_out, struct err *err);
enum err_code lmdb_ledger_next_ready(struct ledger *self, uint32_t connection, uint64_t after,
                                     uint64_t *number_out, struct item *item_out, struct err *err);
enum err_code lmdb_ledger_next_active(struct ledger *self, uint64_t after, uint64_t *number_out,
                                      struct item *item_out, struct err *err);
enum err_code lmdb_ledger_next_blocked(struct ledger *self, enum wait_kind kind, uint64_t target,
                                       uint64_t after, uint64_t *number_out, struct item *item_out,
                                       struct err *err);
enum err_code lmdb_ledger_next_release(struct ledger *self, uint64_t after, uint64_t *number_out,
                                       struct item *item_out, struct err *err);
enum err_code lmdb_ledger_find_group(struct ledger *self, uint32_t job, uint32_t connection,
                                     struct hash128 group, uint64_t *number_out, struct err *err);
enum err_code lmdb_ledger_counts(struct ledger *self, uint32_t job, uint32_t connection,
                                 struct item_counts *counts_out, struct err *err);
const char *lmdb_ledger_job_name(struct ledger *self, uint32_t job);
const char *lmdb_ledger_connection_name(struct ledger *self, uint32_t connection);
const char *lmdb_ledger_proven_operation(struct ledger *self, uint32_t number);
enum err_code lmdb_ledger_read_run(struct ledger *self, uint32_t run, struct run_record *run_out,
                                   struct err *err);
uint32_t lmdb_ledger_last_run(struct ledger *self);
enum err_code lmdb_ledger_read_connection(struct ledger *self, uint32_t connection,
                                          struct buf *storage,
                                          struct connection_record *connection_out,
                                          struct err *err);
enum err_code lmdb_ledger_job_number(struct ledger *self, const char *name, uint32_t *number_out,
                                     struct err *err);
enum err_code lmdb_ledger_connection_number(struct ledger *self, const char *alias,
                                            uint32_t *number_out, struct err *err);
enum err_code lmdb_ledger_put_proven_operation(struct ledger *self, const char *operation,
                                               struct err *err);
enum err_code lmdb_ledger_add_item(struct ledger *self, const struct item *item,
                                   const struct frozen_request *request, uint64_t *number_out,
                                   struct err *err);
enum err_code lmdb_ledger_put_item(struct ledger *self, uint64_t number, const struct item *before,
                                   const struct item *item, struct err *err);
enum err_code lmdb_ledger_put_request(struct ledger *self, uint64_t number,
                                      const struct frozen_request *request, struct err *err);
enum err_code lmdb_ledger_put_needs(struct ledger *self, uint64_t number,
                                    const struct needs_record *needs, struct err *err);
enum err_code lmdb_ledger_put_group(struct ledger *self, uint32_t job, uint32_t connection,
                                    struct hash128 group, uint64_t number, struct err *err);
enum err_code lmdb_ledger_put_result(struct ledger *self, uint64_t number,
                                     const struct result_record *result, struct err *err);
enum err_code lmdb_ledger_put_attempt(struct ledger *self, uint64_t number,
                                      const struct attempt_record *attempt, struct err *err);
enum err_code lmdb_ledger_drop_item(struct ledger *self, uint64_t number, const struct item *before,
                                    struct err *err);
enum err_code lmdb_ledger_put_run(struct ledger *self, uint32_t run,
                                  const struct run_record *record, struct err *err);
enum err_code lmdb_ledger_put_connection(struct ledger *self, uint32_t connection,
                                         const struct connection_record *record, struct err *err);
enum err_code lmdb_ledger_read_schedule(struct ledger *self, struct schedule_record *schedule_out,
                                        struct err *err);
enum err_code lmdb_ledger_slot_before(struct ledger *self, int64_t before_s, int64_t *first_s_out,
                                      struct slot_record *slot_out, struct err *err);
enum err_code lmdb_ledger_put_schedule(struct ledger *self, const struct schedule_record *schedule,
                                       struct err *err);
enum err_code lmdb_ledger_put_slot(struct ledger *self, int64_t first_s,
                                   const struct slot_record *slot, struct err *err);
size_t lmdb_ledger_batch_bytes(struct ledger *self);
enum err_code lmdb_ledger_commit_begin(struct ledger *self, uint64_t *sequence_out,
                                       struct err *err);
enum err_code lmdb_ledger_commit_poll(struct ledger *self, bool wait, uint64_t *durable_out,
                                      struct err *err);

#endif
