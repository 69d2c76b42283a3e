#include <string.h>

#include "purser/cli/outdated.h"
#include "purser/cli/run.h"

static bool is_kept(const struct run *run, const struct item *item)
{
    const struct spec *spec = &run->session->spec;
    struct ledger *ledger = run->session->ledger;
    const char *name = ledger->ops->job_name(ledger, item->job);

    for (size_t i = 0; name != NULL && i < spec->job_count; i++)
        if (strcmp(spec->jobs[i].name, name) == 0)
            return spec->jobs[i].when_changed == WHEN_CHANGED_KEEP;
    return true;
}

static void found(void *context, const struct item *item)
{
    struct run *run = context;

    if (is_kept(run, item))
        run->outdated_kept++;
    else if (item->corrected)
        run->outdated_corrected++;
    else
        run->outdated++;
}

enum err_code run_find_outdated(struct run *run, struct err *err)
{
    if (run->import.may_change + run->import.made_corrections == 0 || run->intake == NULL)
        return ERR_OK;
    return outdated_find(run->session->ledger, run->intake, true, found, run, err);
}
