/* The parts of `purser reconcile`: evidence of items in doubt, and how it is shown. */
#ifndef PURSER_CLI_RECONCILE_H
#define PURSER_CLI_RECONCILE_H

#include "purser/cli/listing.h"
#include "purser/codec/lookup.h"
#include "purser/core/reconcile.h"
#include "purser/io/credentials.h"

/* What was found out about one item. Texts are safe to show and without secrets. */
struct finding {
    uint64_t number;
    struct item item;
    const char *job, *connection;
    struct slice key;
    struct evidence evidence;
    enum proposal proposal;
    const char *job_detail;    /* what the answer about the remote job said; "" = nothing more */
    const char *lookup_detail; /* why the look-up has no answer; "" = nothing more */
    struct slice lookup_path;  /* that was asked for; empty = none was */
    size_t found_count;        /* entities that the look-up found */
    struct slice ids[LOOKUP_IDS_MAX];
    struct slice result;  /* what was written, as the API shows it; JSON text; empty = not known */
    uint16_t http_status; /* of that; 0 = not known */
};

struct reconciler;

/* Asks about the items in doubt that match `where`, at most RECONCILE_ITEMS_MAX at a time, paced by
 * the organisation's rate; nothing is written anywhere. The session has its spec and its ledger.
 * Errors: those of api_client_open(); ERR_INPUT with messages (a look-up of the spec). */
enum err_code reconciler_open(struct session *session, const struct credentials *credentials,
                              const struct where *where, int signal_fd,
                              struct reconciler **reconciler_out, struct err *err) ERR_CHECKED;
void reconciler_close(struct reconciler *reconciler);

/* True when the next finding is there, so that nothing is waited for. */
bool reconciler_is_ready(const struct reconciler *reconciler);

/* The next finding, in the order of the listing; valid until the next call. ERR_NOT_FOUND at the
 * end; errors of the ledger and of api_client_next(), ERR_STOPPED among them. */
enum err_code reconciler_next(struct reconciler *reconciler, struct finding *finding_out,
                              struct err *err) ERR_CHECKED;

/* True when the API refused the credentials that it was asked with. */
bool reconciler_was_refused(const struct reconciler *reconciler);

/* One finding; `is_first` of a listing; `applied`: it has been recorded as done. */
void reconcile_append(struct session *session, const struct finding *finding, bool is_first,
                      bool applied, struct buf *out);
void reconcile_append_begin(enum output_format format, struct buf *out);
void reconcile_append_end(enum output_format format, bool is_empty, struct buf *out);

/* "reconciled: remote job job-1 says success": the grounds of a finding that is applied. */
void reconcile_append_grounds(const struct finding *finding, struct buf *out);

#endif
