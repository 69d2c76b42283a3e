#include "purser/engine/ledger.h"

#include <string.h>

uint32_t ledger_number_of(struct ledger *ledger, const char *name,
                          const char *(*name_of)(struct ledger *self, uint32_t number))
{
    const char *known;

    for (uint32_t i = 0; (known = name_of(ledger, i)) != NULL; i++)
        if (strcmp(known, name) == 0)
            return i;
    return UINT32_MAX;
}
