/* Small written worlds: each shows one thing, and its trace is kept as text. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static const struct sim_script scripts[] = {
    {.name = "plain", .about = "two items, nothing goes wrong", .items = 2},
    {.name = "lost_answer",
     .about = "the server acts, the answer is lost, the same key finds the result",
     .items = 1,
     .plans = {PLAN_LOST_AFTER}},
    {.name = "throttled",
     .about = "429 twice: later, under the same key",
     .items = 1,
     .answers = {ANSWER_429, ANSWER_429}},
    {.name = "job_throttled",
     .about = "the platform's limit refuses the job: a new generation",
     .items = 1,
     .results = {RESULT_THROTTLED}},
    {.name = "refused", .about = "a refusal on sight is final", .items = 1, .refused = true},
    {.name = "refused_after_unknown",
     .about = "a refusal after a lost answer proves nothing",
     .items = 1,
     .plans = {PLAN_LOST_AFTER},
     .answers = {ANSWER_PLAIN, ANSWER_REFUSED}},
    {.name = "without_key",
     .about = "an operation without a key is sent once: in doubt",
     .items = 1,
     .unkeyed = true,
     .plans = {PLAN_LOST_BEFORE}},
    {.name = "vanished_job",
     .about = "the server forgets the job: in doubt, never sent again",
     .items = 1,
     .polls = {POLL_MISSING, POLL_MISSING, POLL_MISSING, POLL_MISSING, POLL_MISSING, POLL_MISSING}},
    {.name = "crash_on_wire",
     .about = "killed after the request left: the same key after the restart",
     .items = 1,
     .crash_where = "after a request left",
     .away_ms = 60000},
    {.name = "crash_before_commit",
     .about = "killed before the intent was durable: nothing had left",
     .items = 1,
     .crash_where = "before a commit",
     .away_ms = 60000},
    {.name = "window_passed",
     .about = "killed on the wire and away for a day: the key may be forgotten",
     .items = 1,
     .crash_where = "after a request left",
     .away_ms = 24 * 60 * 60 * 1000},
};

const struct sim_script *sim_script_find(const char *name)
{
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        if (strcmp(scripts[i].name, name) == 0)
            return &scripts[i];
    return NULL;
}

void sim_script_list(void)
{
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        (void)printf("%s\n", scripts[i].name);
}
