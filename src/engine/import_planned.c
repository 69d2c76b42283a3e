/* What a walk that writes nothing would have written, as far as later rows ask for it. */
#include <assert.h>

#include "import_needs.h"

/* An item that would be sent again. */
static struct hash128 planned_item(uint64_t number)
{
    uint64_t parts[] = {TALLY_ITEM, number};

    return checksum128(parts, sizeof parts);
}

/* A group that a row would have joined. */
static struct hash128 planned_group(const struct import_row *row)
{
    uint64_t parts[] = {TALLY_GROUP, row->job_index, row->connection_index, row->group.high,
                        row->group.low};

    return checksum128(parts, sizeof parts);
}

static bool is_planned(const struct importer *importer, struct hash128 thing)
{
    return importer->planned != NULL && importer->planned->ops->count(importer->planned, thing) > 0;
}

bool import_item_is_planned(const struct importer *importer, uint64_t number)
{
    return is_planned(importer, planned_item(number));
}

bool import_group_is_planned(const struct importer *importer, const struct import_row *row)
{
    return is_planned(importer, planned_group(row));
}

enum err_code import_plan(struct importer *importer, const struct import_row *row,
                          const struct import_outcome *outcome, struct err *err)
{
    struct tally *planned = importer->planned;
    uint64_t count;

    assert(importer->dry);
    if (planned == NULL || !row->condition)
        return ERR_OK;
    if (outcome->is_known &&
        planned->ops->add(planned, planned_item(outcome->number), &count, err) != ERR_OK)
        return err->code;
    if (outcome->joins_group &&
        planned->ops->add(planned, planned_group(row), &count, err) != ERR_OK)
        return err->code;
    return ERR_OK;
}
