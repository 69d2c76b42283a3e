/* A person's word on items: one event for each that matches, in one durable batch after another. */
#ifndef PURSER_CLI_DECIDE_H
#define PURSER_CLI_DECIDE_H

#include "purser/cli/listing.h"
#include "purser/core/lifecycle.h"

/* What a command of a session does: applies `kind` to every item that matches --where and is in a
 * state in which it is legal; others are counted as passed over. `verb` names what was done to
 * them, `next` the command to propose. */
enum err_code decide_command(struct session *session, enum item_event_kind kind, const char *verb,
                             const char *next, struct err *err) ERR_CHECKED;

/* What is decided of one item in doubt, and on what grounds. */
struct decision {
    enum item_event_kind kind;
    enum reason reason;                 /* REASON_NONE = that of a person's word */
    struct slice message;               /* stands beside the item's attempts */
    const struct result_record *result; /* NULL = none is kept */
};

/* Puts the decision, which must be legal in the item's state, into the open batch. */
enum err_code decide_put(struct session *session, uint64_t number, const struct item *item,
                         const struct decision *decision, struct err *err) ERR_CHECKED;

/* Closes the open batch if there is something in it; with `wait` it is durable afterwards. */
enum err_code decide_commit(struct ledger *ledger, bool wait, struct err *err) ERR_CHECKED;

/* Applies `kind` to one item. ERR_USAGE when it is not legal in its state. */
enum err_code decide_one(struct session *session, const struct item_view *view,
                         enum item_event_kind kind, struct err *err) ERR_CHECKED;

/* Items by what the word has done to them. */
struct decide_counts {
    uint64_t done;
    bool may_block;   /* the word may leave an item blocked, … */
    uint64_t blocked; /* … and these are, beside those that are done */
    uint64_t passed;
};

/* Prints what was done: for people on stderr, with --output json one object on stdout. */
enum err_code decide_report(struct session *session, const char *verb,
                            const struct decide_counts *counts, const char *next,
                            struct err *err) ERR_CHECKED;

#endif
