/* Answers lines "ZONE<tab>FROM<tab>COUNT<tab>EXPRESSION" of standard input with the next slots
 * after FROM: "TIME:s" where its time was skipped, "TIME:d" where it comes twice, else "TIME"; or
 * with "error OFFSET". For test_slots.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "purser/io/time_zone.h"

static int answer(char *line)
{
    char *from = strchr(line, '\t'), *count, *text;
    const struct zone *zone;
    struct cron_error problem;
    struct arena arena;
    struct cron cron;
    struct err err = {0};
    int64_t at;

    if (from == NULL || (count = strchr(from + 1, '\t')) == NULL ||
        (text = strchr(count + 1, '\t')) == NULL)
        return -1;
    *from++ = *count++ = *text++ = '\0';
    arena_init(&arena, 8u * 1024 * 1024);
    at = strtoll(from, NULL, 10);
    if (time_zone_open(&arena, line, &zone, &err) != ERR_OK)
        printf("no zone: %s\n", err.text);
    else if (!cron_parse(slice_of(text), &cron, &problem))
        printf("error %zu\n", problem.offset);
    else {
        for (long left = strtol(count, NULL, 10); left > 0; left--) {
            struct schedule_slot slot = schedule_next(&cron, zone, at);

            printf("%lld%s ", (long long)slot.due_s,
                   slot.is_skipped   ? ":s"
                   : slot.is_doubled ? ":d"
                                     : "");
            at = slot.due_s;
        }
        printf("\n");
    }
    arena_deinit(&arena);
    return 0;
}

int main(void)
{
    char line[4096];

    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (answer(line) != 0)
            return 2;
    }
    return 0;
}
