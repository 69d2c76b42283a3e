#include "purser/cli/recall.h"

#include "purser/cli/session.h"

static enum err_code forgive(enum err_code code, struct err *err)
{
    if (!ledger_has_none(code))
        return code;
    *err = (struct err){0};
    return ERR_OK;
}

enum err_code recall_run(struct ledger *ledger, uint32_t run, bool tells,
                         struct run_record *run_out, bool *found_out, struct err *err)
{
    enum err_code code = ledger->ops->read_run(ledger, run, run_out, err);

    *found_out = code == ERR_OK;
    if (code == ERR_OK)
        return ERR_OK;
    *run_out = (struct run_record){0};
    if (code == ERR_DAMAGED && tells)
        print_talk("warning: the record of run %u is damaged in the ledger and counts for nothing",
                   run);
    return forgive(code, err);
}

enum err_code recall_connection(struct ledger *ledger, uint32_t connection, const char *alias,
                                struct buf *storage, struct connection_record *record_out,
                                struct err *err)
{
    enum err_code code = ledger->ops->read_connection(ledger, connection, storage, record_out, err);

    if (code == ERR_OK)
        return ERR_OK;
    *record_out = (struct connection_record){0};
    if (code == ERR_DAMAGED && alias != NULL)
        print_talk("warning: what was learned of connection %s is damaged in the ledger and counts "
                   "for nothing; the next run learns it anew",
                   alias);
    return forgive(code, err);
}
