/* Which rows of today a command is about: --only and --where. */
#ifndef PURSER_CLI_SELECTION_H
#define PURSER_CLI_SELECTION_H

#include "purser/cli/listing.h"
#include "purser/engine/import.h"
#include "purser/io/intake.h"

struct selection {
    const bool *left_out; /* jobs, by index in the spec; NULL = none */
    struct where where;   /* of rows */
};

/* From the options of the session, for its loaded spec; what it borrows is theirs. Errors:
 * ERR_USAGE (no such job, a wrong --where), ERR_NO_MEMORY. */
enum err_code selection_make(struct session *session, struct selection *selection_out,
                             struct err *err) ERR_CHECKED;

/* Every row of every job. */
bool selection_is_all(const struct selection *selection);

bool selection_takes(const struct selection *selection, const struct spec *spec,
                     const struct rendered_row *row, const struct import_outcome *outcome);

/* Tells of jobs that are left out, are needed by one that is not, and are not done. Errors:
 * ERR_USAGE (one that waits for a whole job of which the ledger has no item: it would not wait),
 * ERR_STORAGE. */
enum err_code selection_tell_needs(const struct selection *selection, struct session *session,
                                   struct err *err) ERR_CHECKED;

#endif
