/* What a row needs, against the ledger as it is: parts of the comparison. */
#ifndef PURSER_ENGINE_IMPORT_NEEDS_H
#define PURSER_ENGINE_IMPORT_NEEDS_H

#include "purser/engine/import.h"

/* Called first for every row, so that there is room for it. */
enum err_code import_make_room(struct importer *importer, struct err *err) ERR_CHECKED;

/* Sets outcome->needs and what is not met of it. outcome->known is set before. */
enum err_code import_resolve_needs(struct importer *importer, const struct import_row *row,
                                   struct import_outcome *outcome, struct err *err) ERR_CHECKED;

/* Into the open batch, beside the item: its needs in the place of what it needed before, its place
 * in its group, and that those it waits for have a dependent. */
enum err_code import_put_needs(struct importer *importer, const struct import_row *row,
                               const struct import_outcome *outcome, uint64_t number,
                               struct err *err) ERR_CHECKED;

#endif
