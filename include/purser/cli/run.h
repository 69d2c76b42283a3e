/* The parts of `purser run`. */
#ifndef PURSER_CLI_RUN_H
#define PURSER_CLI_RUN_H

#include "purser/cli/session.h"
#include "purser/engine/engine.h"
#include "purser/engine/import.h"
#include "purser/io/credentials.h"
#include "purser/io/intake.h"

struct plan_file;

/* One run, from the comparison to the summary. */
struct run {
    struct session *session;
    struct credentials *credentials;
    const struct plan_file *plan; /* run --plan; NULL = none */
    uint32_t number;
    int64_t started_wall_ms, started_boot_ms;
    bool only_seen; /* start only ready items whose seen_run is this run */
    int signal_fd;
    struct intake *intake; /* makes requests of items that have waited; NULL = there are none */
    int64_t slot_s;        /* --slot, or that of the run whose rows these are; 0 = none */
    uint32_t read_run;     /* whose ${run…} the sources were read with; 0 = this one's */
    int64_t read_ms;       /* with read_run: when that began */
    bool holds_claim;      /* the slot is claimed in the ledger: this run is its run */
    bool was_stopped;      /* by a first signal: it did not come to an end by itself */
    int stop_signal;       /* of a second Ctrl-C or SIGTERM; 0 = none */
    struct import_counts import;
    struct engine_progress progress; /* as the engine left it */
    char parked[4096];               /* lines for people about parked connections */
    const char *parked_json;         /* the same as members of a list, all of them; NULL = none */
    struct item_counts counts;       /* of the ledger at the end */
    bool compared_all;               /* every row of every source was compared */
    uint64_t outdated;               /* succeeded, with an answer that has changed since … */
    uint64_t outdated_corrected; /* … of a corrected row, which only its source can change … */
    uint64_t outdated_kept;      /* … and these are kept as they are, by when_changed */
};

/* Drives the engine until it has ended or a second signal came. Errors: ERR_STORAGE, ERR_NO_MEMORY,
 * ERR_SYSTEM, ERR_INPUT (base URL). */
enum err_code run_engine(struct run *run, struct err *err) ERR_CHECKED;

/* The exit status of a run: 0, 4, 5, 75, 7 or 3. */
int run_exit_status(const struct engine_progress *progress, const struct item_counts *counts);

/* Puts the record of the run, durably; `exit_status` < 0 = it goes on. Errors: ERR_STORAGE. */
enum err_code run_put_record(struct run *run, int exit_status, struct err *err) ERR_CHECKED;

/* After the engine: counts, record and summary. Gives the exit status; what went wrong is told. */
int run_finish(struct run *run, struct err *err);

/* Instead of run_finish() after an error: tells it. A second signal that came while the first one,
 * the error, was obeyed gives the exit status, as it does while the engine works. */
int run_fail(struct run *run, const struct err *err);

/* Sets the three counts above: compares what the comparison could not, because what
 * it was made from was sent again. Errors: ERR_STORAGE, ERR_NO_MEMORY. */
enum err_code run_find_outdated(struct run *run, struct err *err) ERR_CHECKED;

/* Prints the summary for people (stderr) and, with --output json, the object (stdout). */
enum err_code run_print_summary(const struct run *run, int exit_status,
                                struct err *err) ERR_CHECKED;

struct progress_line;

/* A bar on a terminal, at most ten times a second; elsewhere a line every ten seconds; nothing when
 * quiet. */
struct progress_line *progress_line_new(const struct run *run, uint64_t total);
void progress_line_show(struct progress_line *line, const struct engine_progress *progress,
                        uint64_t done_before, int64_t boot_ms);
void progress_line_free(struct progress_line *line);

#endif
