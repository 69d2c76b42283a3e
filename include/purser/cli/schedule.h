/* The parts of `purser schedule`. */
#ifndef PURSER_CLI_SCHEDULE_H
#define PURSER_CLI_SCHEDULE_H

#include "purser/cli/run.h"

int schedule_next_command(int argc, char **argv);
int schedule_tick_command(int argc, char **argv);
int schedule_log_command(int argc, char **argv);
int schedule_install_command(int argc, char **argv);
int schedule_uninstall_command(int argc, char **argv);

extern const char help_schedule_next[], help_schedule_tick[], help_schedule_log[],
    help_schedule_install[], help_schedule_uninstall[];

/* ERR_INPUT when the loaded spec has no schedule. */
enum err_code schedule_require(const struct session *session, struct err *err) ERR_CHECKED;

/* " (02:30 does not exist on that day)": what daylight saving does to the slot; "" = nothing. */
const char *schedule_note(const struct schedule_slot *slot, char *text, size_t bytes);

/* --- accounts: what the ledger says of slots --- */

struct settled {
    bool began;           /* this was the first look: slots count from now on */
    int64_t slot_s;       /* is claimed and is to run; 0 = none */
    bool goes_on;         /* it was claimed before, and its run had not come to an end */
    bool clock_was_ahead; /* what was accounted for lies in the future: it goes on from now */
};

/* Accounts for all slots of the loaded spec up to `now_s` and claims the one that is to run, in one
 * durable step. Nothing more is accounted for while a slot is claimed. The ledger is open for
 * writing. What is decided is told unless `tell` is NULL. */
enum err_code schedule_settle(struct session *session, int64_t now_s,
                              void (*tell)(struct session *session,
                                           const struct schedule_range *range),
                              struct settled *settled_out, struct err *err) ERR_CHECKED;

/* As above, but only says what it would do: nothing is written, and the ledger need not be there.
 */
enum err_code schedule_foresee(struct session *session, int64_t now_s,
                               void (*tell)(struct session *session,
                                            const struct schedule_range *range),
                               struct settled *settled_out, struct err *err) ERR_CHECKED;

/* The slot's run ended with `exit_status` before it could say so itself; nothing when the slot is
 * not claimed. Durable. */
enum err_code schedule_close(struct session *session, int64_t slot_s, int exit_status,
                             struct err *err) ERR_CHECKED;

/* For `purser status`: a line for people, or a member of the JSON object. Nothing without a
 * schedule. Errors: those of the ledger. */
enum err_code schedule_append_status(struct session *session, struct buf *out, bool json,
                                     struct err *err) ERR_CHECKED;

/* --- a run and its slot --- */

/* Puts the slot of --slot into the loaded spec; nothing without one. ERR_INPUT when the spec has a
 * schedule and it is none of its slots. */
enum err_code run_slot_set(struct session *session, struct err *err) ERR_CHECKED;

/* For what goes on with the rows that the last run has read: puts its slot into the loaded spec, if
 * --slot says none, and gives its record. Before the first run: one that begins now. */
enum err_code run_slot_of_last(struct session *session, struct run_record *last_out,
                               struct err *err) ERR_CHECKED;

/* As above, and this run is recorded as one that read no source. */
enum err_code run_slot_inherit(struct run *run, struct err *err) ERR_CHECKED;

/* Looks the slot up in the ledger, which is open for writing. *is_over_out: --scheduled, and the
 * slot's run has come to an end. */
enum err_code run_slot_begin(struct run *run, bool *is_over_out, struct err *err) ERR_CHECKED;

/* Puts into the open batch that the run of a claimed slot has begun (`exit_status` < 0) or ended.
 */
enum err_code run_slot_put(struct run *run, int exit_status, struct err *err) ERR_CHECKED;

#endif
