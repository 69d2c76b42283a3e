/* Aborts when a byte of a write would leave before its intent is durable.
 *
 * Only with PURSER_ORDERING_ORACLE, in builds that no user runs; without it nothing is left here.
 * Every byte for the API goes through curl_transport, which asks when it hands a request to
 * libcurl. The engine and the batches that are under way are not asked: what counts is what a
 * read of LMDB finds, and that is what was committed, its sync included. A write, first or again,
 * of a row, a correction or an undo, leaves only as an item that stands there as being sent, with
 * this generation and these bytes. Polls, look-ups and other GETs have no effect and need no
 * intent; nor does the write of `probe`, which has no ledger. Once the lock of the one writer was
 * removed another purser may move the items: nothing is judged, and the next commit ends the run.
 */
#ifndef PURSER_IO_ORDERING_ORACLE_H
#define PURSER_IO_ORDERING_ORACLE_H

#include "purser/engine/transport.h"

struct lmdb_ledger;

#ifdef PURSER_ORDERING_ORACLE

/* From now on writes need an intent in this ledger, until it is forgotten. `spec_name` is
 * copied. */
void ordering_oracle_watch(struct lmdb_ledger *ledger, const char *spec_name);
/* Nothing when another one is watched. */
void ordering_oracle_forget(const struct lmdb_ledger *ledger);
/* Not within a read of the ledger. */
void ordering_oracle_leaves(const struct transfer_request *request);

#else

static inline void ordering_oracle_watch(struct lmdb_ledger *ledger, const char *spec_name)
{
    (void)ledger;
    (void)spec_name;
}

static inline void ordering_oracle_forget(const struct lmdb_ledger *ledger)
{
    (void)ledger;
}

static inline void ordering_oracle_leaves(const struct transfer_request *request)
{
    (void)request;
}

#endif

#endif
