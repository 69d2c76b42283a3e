/* What commands open and close: the spec, its ledger, and how a failure is told. */
#ifndef PURSER_CLI_SESSION_H
#define PURSER_CLI_SESSION_H

#include "purser/base/arena.h"
#include "purser/base/diag.h"
#include "purser/cli/options.h"
#include "purser/codec/spec.h"
#include "purser/io/lmdb_ledger.h"

struct session {
    const struct options *options;
    struct arena arena;
    struct diagnostics diagnostics;
    char *spec_bytes;
    struct arena document_arena; /* of spec.document */
    char *document_bytes;
    struct spec spec;
    bool spec_loaded;
    const struct zone *zone; /* of the loaded spec's schedule; UTC when it has none */
    bool directory_open;
    char state_words[4200];
    struct state_directory directory;
    enum ledger_adoption adoption; /* for session_open_ledger(); set by the caller, as … */
    bool reads_all;                /* … this: every item will be read */
    struct lmdb_ledger *lmdb;
    struct ledger *ledger; /* NULL = not open */
};

void session_init(struct session *session, const struct options *options);
void session_deinit(struct session *session);

/* What a command does in its session. *exit_status_out is 0 when it begins; an error is told by the
 * caller, and gives the exit status. */
typedef enum err_code session_command(struct session *session, int *exit_status_out,
                                      struct err *err);

/* A whole command: reads the options of the kinds `allowed` (ALLOW_…), and calls `run` in a session
 * of them. Returns its exit status, or that of options which ask for help or are wrong. */
int session_run(int argc, char **argv, unsigned allowed, session_command *run);

/* The same after the options are known. */
int session_run_with(const struct options *options, session_command *run);

/* Reads and checks the spec named by the options. Messages stay in the diagnostics. */
enum err_code session_load_spec(struct session *session, struct err *err) ERR_CHECKED;

/* Reads the spec and opens its ledger for reading. */
enum err_code session_open(struct session *session, struct err *err) ERR_CHECKED;

/* The same for a word on what was sent: as session_open_known_ledger(). */
enum err_code session_open_known(struct session *session, struct err *err) ERR_CHECKED;

/* Reads the document that api.openapi of the loaded spec names, if it names one and --validate does
 * not say off. */
enum err_code session_load_document(struct session *session, struct err *err) ERR_CHECKED;

/* Frees it; it is not needed once the rows are compared. */
void session_drop_document(struct session *session);

/* Opens the ledger of the loaded spec. ERR_NOT_FOUND when reading and there is none yet. */
enum err_code session_open_ledger(struct session *session, bool write, struct err *err) ERR_CHECKED;

/* The same for writing, but makes none: what changes items that were sent has nothing to do without
 * one. ERR_NOT_FOUND. */
enum err_code session_open_known_ledger(struct session *session, struct err *err) ERR_CHECKED;

/* Closes the ledger again; nothing when none is open. */
void session_close_ledger(struct session *session);

/* Prints diagnostics and error for people on stderr and, with --output json, one object on stdout;
 * returns the exit status. */
int session_fail(struct session *session, const struct err *err);
/* The same with an exit status of the caller's, which it returns. */
int session_fail_as(struct session *session, const struct err *err, int exit_status);

/* Of a restored backup whose loss no run has made up for: says so. With an open ledger. */
void session_tell_loss(const struct session *session);

/* Prints the warnings of a spec that is right. */
void session_warn(struct session *session);

/* " --state DIR" when the user gave one, so that a command that is proposed can be pasted; else "".
 */
const char *session_state_words(struct session *session);

/* Writes all of `buf` to stdout. ERR_OUTPUT when that fails (a closed pipe, a full disk). */
enum err_code print_out(const struct buf *buf, struct err *err) ERR_CHECKED;

/* The same, secrets redacted: of what may hold what somebody else has written. */
enum err_code print_redacted(struct buf *buf, struct err *err) ERR_CHECKED;

/* A line of talk on stderr, secrets redacted. */
void print_talk(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
