#include "ledger_pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#define MAPS_FILE "/proc/self/maps"
#define LINE_BYTES 256 /* the path at the end of a line is of no interest */

/* One number of a line, up to the character that must close it. */
static bool take_number(char **text, int base, char closing, uint64_t *number_out)
{
    char *end;

    *number_out = strtoull(*text, &end, base);
    if (end == *text || *end != closing)
        return false;
    *text = end + 1;
    return true;
}

/* "start-end rw-s offset major:minor inode   path". Source: proc(5). */
static bool parse_line(char *line, const struct stat *file, uint64_t *start_out, uint64_t *end_out)
{
    uint64_t offset, device_major, device_minor, inode;
    bool is_shared;

    if (!take_number(&line, 16, '-', start_out) || !take_number(&line, 16, ' ', end_out))
        return false;
    is_shared =
        line[0] != '\0' && line[1] != '\0' && line[2] != '\0' && line[3] == 's' && line[4] == ' ';
    if (!is_shared) /* of a private mapping, pages that were written to would be lost */
        return false;
    line += 5;
    return take_number(&line, 16, ' ', &offset) && take_number(&line, 16, ':', &device_major) &&
           take_number(&line, 16, ' ', &device_minor) && take_number(&line, 10, ' ', &inode) &&
           inode == file->st_ino && device_major == major(file->st_dev) &&
           device_minor == minor(file->st_dev);
}

void ledger_pages_release(const struct stat *file)
{
    FILE *maps = fopen(MAPS_FILE, "re");
    char line[LINE_BYTES];
    bool at_start = true;

    if (maps == NULL)
        return;
    while (fgets(line, sizeof line, maps) != NULL) {
        bool was_at_start = at_start;
        uint64_t start, end;
        size_t length = 0;

        while (line[length] != '\0')
            length++;
        at_start = length > 0 && line[length - 1] == '\n';
        if (was_at_start && parse_line(line, file, &start, &end))
            (void)madvise((void *)(uintptr_t)start, (size_t)(end - start), MADV_DONTNEED);
    }
    fclose(maps);
}
