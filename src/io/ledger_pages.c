#include "ledger_pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#define MAPS_FILE "/proc/self/maps"
#define LINE_BYTES 256 /* the path at the end of a line is of no interest */

/* The numbers of "start-end rw-s offset major:minor inode   path". Source: proc(5). */
enum { START, END, OFFSET, MAJOR, MINOR, INODE, NUMBER_COUNT };

/* False of a mapping that is not shared: pages of it that were written to would be lost. */
static bool parse_line(const char *text, uint64_t numbers_out[NUMBER_COUNT])
{
    static const struct {
        int base;
        char closing;
    } forms[NUMBER_COUNT] = {{16, '-'}, {16, ' '}, {16, ' '}, {16, ':'}, {16, ' '}, {10, ' '}};

    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        char *end;

        numbers_out[i] = strtoull(text, &end, forms[i].base);
        if (*end != forms[i].closing)
            return false;
        text = end + 1;
        if (i != END)
            continue;
        if (strcspn(text, " ") != 4 || text[3] != 's')
            return false;
        text += 5;
    }
    return true;
}

void ledger_pages_release(const struct stat *file)
{
    FILE *maps = fopen(MAPS_FILE, "re");
    char line[LINE_BYTES];
    bool at_start = true;

    if (maps == NULL)
        return;
    while (fgets(line, sizeof line, maps) != NULL) {
        uint64_t numbers[NUMBER_COUNT];

        if (at_start && parse_line(line, numbers) && numbers[INODE] == file->st_ino &&
            makedev((unsigned)numbers[MAJOR], (unsigned)numbers[MINOR]) == file->st_dev)
            (void)madvise((void *)(uintptr_t)numbers[START],
                          (size_t)(numbers[END] - numbers[START]), MADV_DONTNEED);
        at_start = strchr(line, '\n') != NULL;
    }
    fclose(maps);
}
