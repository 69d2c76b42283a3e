#include "ledger_names.h"

#include <string.h>

#include "purser/base/checksum.h"
#include "purser/base/mem.h"
#include "purser/core/limits.h"

void ledger_names_init(struct ledger_names *names)
{
    *names = (struct ledger_names){0};
}

void ledger_names_deinit(struct ledger_names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        mem_free(names->names[i]);
    mem_free(names->names);
    mem_free(names->slots);
    ledger_names_init(names);
}

static uint32_t *find_slot(const struct ledger_names *names, struct slice name)
{
    uint32_t mask = names->slot_count - 1;

    for (uint32_t at = (uint32_t)checksum64(name.bytes, name.length) & mask;;
         at = (at + 1) & mask) {
        uint32_t *slot = &names->slots[at];

        if (*slot == 0 || slice_is(name, names->names[*slot - 1]))
            return slot;
    }
}

static bool grow(struct ledger_names *names)
{
    uint32_t capacity = names->capacity == 0 ? 16 : names->capacity * 2;
    char **grown = mem_resize(names->names, capacity, sizeof grown[0]);
    uint32_t *slots;

    if (grown == NULL)
        return false;
    names->names = grown;
    slots = mem_new((size_t)capacity * 2, sizeof slots[0]);
    if (slots == NULL)
        return false;
    mem_free(names->slots);
    names->slots = slots;
    names->slot_count = capacity * 2;
    names->capacity = capacity;
    for (uint32_t i = 0; i < names->count; i++)
        *find_slot(names, slice_of(names->names[i])) = i + 1;
    return true;
}

enum err_code ledger_names_add(struct ledger_names *names, struct slice name, struct err *err)
{
    char *copy;

    if (names->count >= LEDGER_NAMES_MAX)
        return err_set(err, ERR_TOO_BIG, "a ledger holds at most %u names of jobs or connections",
                       LEDGER_NAMES_MAX);
    copy = mem_copy_text(name.bytes, name.length);
    if (copy == NULL || (names->count == names->capacity && !grow(names))) {
        mem_free(copy);
        return err_set(err, ERR_NO_MEMORY, "no memory for a name");
    }
    names->names[names->count++] = copy;
    *find_slot(names, slice_of(copy)) = names->count;
    return ERR_OK;
}

bool ledger_names_find(const struct ledger_names *names, struct slice name, uint32_t *number_out)
{
    uint32_t slot = names->slot_count == 0 ? 0 : *find_slot(names, name);

    if (slot == 0)
        return false;
    *number_out = slot - 1;
    return true;
}

const char *ledger_names_get(const struct ledger_names *names, uint32_t number)
{
    return number < names->count ? names->names[number] : NULL;
}
