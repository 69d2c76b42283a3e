/* A person's word on items: one event for each that matches, in one durable batch after another. */
#ifndef PURSER_CLI_DECIDE_H
#define PURSER_CLI_DECIDE_H

#include "purser/cli/listing.h"
#include "purser/core/lifecycle.h"

/* Applies `kind` to every item that matches and is in a state in which it is legal; others are
 * counted as passed over. The ledger is open for writing. */
enum err_code decide_all(struct session *session, const struct where *where,
                         enum item_event_kind kind, uint64_t *done_out, uint64_t *passed_out,
                         struct err *err) ERR_CHECKED;

/* Applies `kind` to one item. ERR_USAGE when it is not legal in its state. */
enum err_code decide_one(struct session *session, const struct item_view *view,
                         enum item_event_kind kind, struct err *err) ERR_CHECKED;

/* Prints what was done: for people on stderr, with --output json one object on stdout. */
enum err_code decide_report(struct session *session, const char *verb, uint64_t done,
                            uint64_t passed, const char *next, struct err *err) ERR_CHECKED;

#endif
