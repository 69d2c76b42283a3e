/* Names by number and numbers by name, for jobs and for connections of one ledger. */
#ifndef PURSER_IO_LEDGER_NAMES_H
#define PURSER_IO_LEDGER_NAMES_H

#include "purser/base/err.h"
#include "purser/base/text.h"

struct ledger_names {
    char **names; /* by number; each stays where it is until deinit */
    uint32_t count, capacity;
    uint32_t *slots; /* hash of name → number + 1 */
    uint32_t slot_count;
};

void ledger_names_init(struct ledger_names *names);
void ledger_names_deinit(struct ledger_names *names);

/* Gives `name` the next number. Errors: ERR_NO_MEMORY, ERR_TOO_BIG past LEDGER_NAMES_MAX; nothing
 * has changed then. */
enum err_code ledger_names_add(struct ledger_names *names, struct slice name,
                               struct err *err) ERR_CHECKED;
bool ledger_names_find(const struct ledger_names *names, struct slice name, uint32_t *number_out);
/* NULL when there is none. */
const char *ledger_names_get(const struct ledger_names *names, uint32_t number);

#endif
