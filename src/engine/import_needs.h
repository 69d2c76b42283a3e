/* What a row needs, against the ledger as it is: parts of the comparison. */
#ifndef PURSER_ENGINE_IMPORT_NEEDS_H
#define PURSER_ENGINE_IMPORT_NEEDS_H

#include "purser/engine/import.h"

/* Called first for every row, so that there is room for it. */
enum err_code import_make_room(struct importer *importer, struct err *err) ERR_CHECKED;

/* Sets outcome->needs and what is not met of it. outcome->known is set before. */
enum err_code import_resolve_needs(struct importer *importer, const struct import_row *row,
                                   struct import_outcome *outcome, struct err *err) ERR_CHECKED;

/* When dry: the row would be sent, and later rows may have to wait for it. */
enum err_code import_plan(struct importer *importer, const struct import_row *row,
                          const struct import_outcome *outcome, struct err *err) ERR_CHECKED;
/* An earlier row would have this item sent again; would have joined the group of `row`. */
bool import_item_is_planned(const struct importer *importer, uint64_t number);
bool import_group_is_planned(const struct importer *importer, const struct import_row *row);

/* Into the open batch, beside the item: its needs in the place of what it needed before, its place
 * in its group, and that those it waits for have a dependent. */
enum err_code import_put_needs(struct importer *importer, const struct import_row *row,
                               const struct import_outcome *outcome, uint64_t number,
                               struct err *err) ERR_CHECKED;

/* The needs of an item that is over, with the draft of its row: what it would be made of now. */
enum err_code import_put_draft(struct importer *importer, const struct import_outcome *outcome,
                               struct slice draft, struct err *err) ERR_CHECKED;

#endif
