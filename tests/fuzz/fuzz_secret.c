/* A file with a secret: what is read is the file less one line break, visible ASCII; what is said
 * of one that is refused has no part of it. */
#include <string.h>

#include "file_of_bytes.h"
#include "fuzz.h"
#include "purser/io/secret_value.h"

enum { PART_BYTES = 8 };

static void check_value(const char *value, const uint8_t *bytes, size_t length)
{
    size_t kept = strlen(value);

    LAW(kept > 0 && kept <= SECRET_BYTES_MAX && kept <= length && length - kept <= 2);
    LAW(memcmp(value, bytes, kept) == 0);
    for (const char *at = value; *at != '\0'; at++)
        LAW(*at > ' ' && *at <= '~');
}

static void check_problem(const struct secret_problem *problem, const char *name,
                          const uint8_t *bytes, size_t length)
{
    const char *said = strstr(problem->text, name);

    LAW(problem->text[0] != '\0' && problem->code != NULL && said != NULL);
    /* Words of the message itself are no part of it. */
    for (size_t at = 0; at + PART_BYTES <= length && at < 4 * PART_BYTES; at++)
        if (memmem("' is longer than 4096 bytes must be visible ASCII holds byte that is not", 70,
                   bytes + at, PART_BYTES) == NULL)
            LAW(memmem(said + strlen(name) + 1, strlen(said + strlen(name) + 1), bytes + at,
                       PART_BYTES) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct secret_problem problem;
    char value[SECRET_BYTES_MAX + 1] = "";
    const char *name = file_of_bytes(bytes, length);

    memset(&problem, 0, sizeof problem);
    if (secret_value_read(SECRET_FILE, name, value, &problem))
        check_value(value, bytes, length);
    else
        check_problem(&problem, name, bytes, length);
    LAW_NOTHING_LEFT();
    return 0;
}
