/* What `purser help` explains besides the commands. */
#include <string.h>

#include "purser/cli/advice.h"
#include "purser/cli/command.h"
#include "purser/cli/help_expressions.h"
#include "purser/cli/help_sources.h"
#include "purser/cli/message_code.h"
#include "purser/cli/wrapped_text.h"

static void append_exit_statuses(struct buf *out)
{
    buf_append_text(
        out, "0        all done, or nothing to do\n"
             "1        internal or storage failure; the ledger is as it was at the last commit\n"
             "2        usage, spec or input error; nothing was sent\n"
             "3        finished; some items failed, or wait for one that did not succeed\n"
             "4        credentials refused, or a connection must be authorised again\n"
             "5        stopped by max_failures or a canary, or a job whose first items were\n"
             "         all refused\n"
             "6        the ledger is locked by another purser (its pid is named)\n"
             "7        items in doubt remain, or remote jobs that are pending for over a day\n"
             "75       not finished; run the same command again to go on\n"
             "130 143  second Ctrl-C, second SIGTERM; safe, run again to go on\n\n"
             "When several apply, the first of 1, 4, 5, 75, 7, 3.\n");
}

static void append_under(struct buf *out, const char *label, const char *text)
{
    size_t column = strlen(label) + 2;

    buf_append_format(out, "  %s", label);
    wrapped_text_append(out, text, column, column);
}

static void append_in_doubt(struct buf *out)
{
    buf_append_text(
        out, "An item is in doubt when neither \"done\" nor \"not done\" can be proved. It is "
             "not\ntouched again until a person has found out and says so:\n\n"
             "  purser items SPEC --where state=in_doubt      which ones, and the reason\n"
             "  purser explain SPEC JOB/KEY                   what was sent, what came back\n"
             "  purser reconcile SPEC                         asks the API, and proposes\n"
             "  purser reconcile SPEC --apply-found           records what was found done\n"
             "  purser resolve SPEC JOB/KEY --as done         it is on the platform\n"
             "  purser resolve SPEC JOB/KEY --as not-done     it is not: sent again, new key\n"
             "  purser resolve SPEC JOB/KEY --as abandon      leave it; it is never sent again\n\n"
             "Look on the platform itself: what the API lists can be hours old, so that\n"
             "something is not listed proves nothing.\n\n"
             "The reasons:\n");
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        enum reason reason = (enum reason)i;
        struct advice advice = advice_for(reason);

        if (!advice.is_doubt)
            continue;
        buf_append_format(out, "\n%s\n", reason_code(reason));
        append_under(out, "", reason_meaning(reason));
        append_under(out, "look at: ", advice.look_at);
        append_under(out, "then:    ", advice.then);
    }
}

static const struct help_topic topics[] = {
    {"exit-status", "what the exit status says", append_exit_statuses},
    {"codes", "the codes of messages, such as [spec.unknown_key]; each has a help",
     message_code_list},
    {"expressions", "what stands in ${…}: names, operators, filters, with examples",
     help_expressions},
    {"in-doubt", "why an item is in doubt, and what to do", append_in_doubt},
    {"sources", "where rows come from: files, commands, standard input", help_sources},
};

const struct help_topic *help_topic_at(unsigned index)
{
    return index < sizeof topics / sizeof topics[0] ? &topics[index] : NULL;
}

const struct help_topic *help_topic_find(const char *name)
{
    for (unsigned i = 0; help_topic_at(i) != NULL; i++)
        if (strcmp(topics[i].name, name) == 0)
            return &topics[i];
    return NULL;
}
