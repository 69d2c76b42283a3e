#ifndef PURSER_TESTS_MEMORY_IN_USE_H
#define PURSER_TESTS_MEMORY_IN_USE_H

#include <stdio.h>

/* Of this process, without what belongs to files; -1 when the system does not tell. */
static inline long anonymous_kilobytes(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[200];
    long kilobytes = -1;

    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "RssAnon: %ld", &kilobytes) == 1)
            break;
    }
    if (status != NULL)
        fclose(status);
    return kilobytes;
}

#endif
