#include "purser/codec/yaml_duplicates.h"

#include <stdlib.h>
#include <string.h>

#include "purser/base/mem.h"

static int compare_numbers(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* By text, then by place, so that the first of equal ones is the first in the file. */
static int compare_keys(const void *left, const void *right)
{
    const struct yaml_node *a = *(const struct yaml_node *const *)left;
    const struct yaml_node *b = *(const struct yaml_node *const *)right;
    size_t shorter = a->text.length < b->text.length ? a->text.length : b->text.length;
    int order = memcmp(a->text.bytes, b->text.bytes, shorter);

    if (order == 0)
        order = compare_numbers(a->text.length, b->text.length);
    if (order == 0)
        order = compare_numbers(a->place.line, b->place.line);
    if (order == 0)
        order = compare_numbers(a->place.column, b->place.column);
    return order;
}

enum err_code yaml_report_duplicates(const struct yaml_node *map, struct diagnostics *diagnostics,
                                     bool *found_out)
{
    const struct yaml_node **sorted;

    if (map->count < 2)
        return ERR_OK;
    sorted = mem_new(map->count, sizeof(*sorted));
    if (sorted == NULL)
        return ERR_NO_MEMORY;
    memcpy(sorted, map->keys, map->count * sizeof(*sorted));
    qsort(sorted, map->count, sizeof(*sorted), compare_keys);
    for (size_t first = 0, i = 1; i < map->count; i++) {
        if (!slice_equal(sorted[first]->text, sorted[i]->text)) {
            first = i;
            continue;
        }
        *found_out = true;
        diagnostics_add(diagnostics, DIAG_ERROR, sorted[i]->place, "yaml.duplicate_key",
                        "keep one of them", "key '%.*s' is there already, on line %u",
                        (int)sorted[i]->text.length, sorted[i]->text.bytes,
                        sorted[first]->place.line);
    }
    mem_free(sorted);
    return ERR_OK;
}
