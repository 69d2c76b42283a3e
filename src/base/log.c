#include "purser/base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "purser/base/buf.h"
#include "purser/base/mem.h"
#include "purser/base/text.h"

enum { SECRETS_MAX = 65536, SECRET_BYTES_MIN = 4, LINE_BYTES_MAX = 64 * 1024 };

#define REPLACEMENT "[secret]"
#define REPLACEMENT_BYTES (sizeof REPLACEMENT - 1)

struct secret {
    char *bytes;
    size_t length;
};

/* Of the main thread alone: the ledger's second one never logs. */
static struct {
    enum log_level level;
    struct secret *secrets; /* longest first, those of one length by their bytes */
    size_t count, capacity;
    /* One bit for each pair of first bytes, so that most positions of a text cost one look. */
    uint8_t first_pairs[65536 / 8];
} global = {.level = LOG_WARNING};

void log_set_level(enum log_level level)
{
    global.level = level;
}

bool log_enabled(enum log_level level)
{
    return level <= global.level;
}

static size_t pair_of(const char *bytes)
{
    return (size_t)((unsigned char)bytes[0] << 8 | (unsigned char)bytes[1]);
}

static bool grow(void)
{
    size_t capacity = global.capacity == 0 ? 16 : global.capacity * 2;
    struct secret *grown;

    if (global.count < global.capacity)
        return true;
    grown = mem_resize(global.secrets, capacity, sizeof *grown);
    if (grown == NULL)
        return false;
    global.secrets = grown;
    global.capacity = capacity;
    return true;
}

/* How a secret of the list stands to one of `length` bytes: < 0 before it, 0 the same, > 0 behind.
 */
static int compare(const struct secret *secret, const char *bytes, size_t length)
{
    if (secret->length != length)
        return secret->length > length ? -1 : 1;
    return memcmp(secret->bytes, bytes, length);
}

/* The first place from `start` on whose secret does not stand before `bytes`. */
static size_t place_of(size_t start, const char *bytes, size_t length)
{
    size_t end = global.count;

    while (start < end) {
        size_t middle = start + (end - start) / 2;

        if (compare(&global.secrets[middle], bytes, length) < 0)
            start = middle + 1;
        else
            end = middle;
    }
    return start;
}

bool log_add_secret(const char *value, size_t length)
{
    size_t place;
    char *copy;

    if (length < SECRET_BYTES_MIN)
        return true;
    place = place_of(0, value, length);
    if (place < global.count && compare(&global.secrets[place], value, length) == 0)
        return true;
    if (global.count == SECRETS_MAX || !grow())
        return false;
    copy = mem_copy_text(value, length);
    if (copy == NULL)
        return false;
    memmove(global.secrets + place + 1, global.secrets + place,
            (global.count - place) * sizeof global.secrets[0]);
    global.secrets[place] = (struct secret){copy, length};
    global.count++;
    global.first_pairs[pair_of(value) / 8] |= (uint8_t)(1u << pair_of(value) % 8);
    return true;
}

void log_forget(void)
{
    for (size_t i = 0; i < global.count; i++)
        mem_free_secret(global.secrets[i].bytes, global.secrets[i].length);
    mem_free(global.secrets);
    global.secrets = NULL;
    global.count = global.capacity = 0;
    memset(global.first_pairs, 0, sizeof global.first_pairs);
}

/* Behind the last secret that is as long as that at `start`. */
static size_t end_of_length(size_t start)
{
    size_t length = global.secrets[start].length, end = global.count;

    while (start < end) {
        size_t middle = start + (end - start) / 2;

        if (global.secrets[middle].length == length)
            start = middle + 1;
        else
            end = middle;
    }
    return start;
}

/* Length of the longest secret that `text` starts with, 0 when there is none. */
static size_t secret_at(const char *text, size_t length)
{
    if (length < SECRET_BYTES_MIN ||
        (global.first_pairs[pair_of(text) / 8] & 1u << pair_of(text) % 8) == 0)
        return 0;
    for (size_t i = 0; i < global.count;) {
        size_t wanted = global.secrets[i].length, place;

        if (wanted <= length) {
            place = place_of(i, text, wanted);
            if (place < global.count && compare(&global.secrets[place], text, wanted) == 0)
                return wanted;
        }
        i = end_of_length(i);
    }
    return 0;
}

size_t log_redact(char *text, size_t length)
{
    size_t kept = 0, at = 0;

    while (at < length) {
        size_t end = at + secret_at(text + at, length - at);
        size_t shown;

        if (end == at) {
            text[kept++] = text[at++];
            continue;
        }
        /* A secret may begin inside another one: take them together. */
        for (size_t inside = at + 1; inside < end; inside++) {
            size_t inside_end = inside + secret_at(text + inside, length - inside);

            if (inside_end > end)
                end = inside_end;
        }
        shown = end - at < REPLACEMENT_BYTES ? end - at : REPLACEMENT_BYTES;
        memcpy(text + kept, shown == REPLACEMENT_BYTES ? REPLACEMENT : "*******", shown);
        kept += shown;
        at = end;
    }
    if (kept < length)
        text[kept] = '\0';
    return kept;
}

static void append_head(struct buf *line, enum log_level level)
{
    static const char *const names[] = {[LOG_ERROR] = "error",
                                        [LOG_WARNING] = "warning",
                                        [LOG_INFO] = "info",
                                        [LOG_DEBUG] = "debug"};
    char time_text[TEXT_TIME_BYTES];
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    text_from_time_ms((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, time_text);
    buf_append_format(line, "%s %s ", time_text, names[level]);
}

/* One write for a line, so that lines of several processes do not mix. Nothing can be done about a
 * log that cannot be written. */
static void write_line(const struct buf *line)
{
    ssize_t written = write(STDERR_FILENO, line->bytes, line->length);

    (void)written;
}

void log_line(enum log_level level, const char *format, ...)
{
    struct buf line;
    char *text;
    va_list arguments, again;
    int length;

    if (!log_enabled(level))
        return;
    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = length < 0 ? NULL : mem_new((size_t)length + 1, 1);
    buf_init(&line, 4 * LINE_BYTES_MAX);
    if (text != NULL) {
        size_t kept;

        (void)vsnprintf(text, (size_t)length + 1, format, again);
        /* Redacted whole and cut only then: half a secret would not be found. */
        kept = log_redact(text, (size_t)length);
        append_head(&line, level);
        text_append_printable(&line,
                              (struct slice){text, kept < LINE_BYTES_MAX ? kept : LINE_BYTES_MAX});
        buf_append_byte(&line, '\n');
        mem_free_secret(text, (size_t)length + 1);
    }
    va_end(again);
    if (text != NULL && line.failed == ERR_OK)
        write_line(&line);
    buf_deinit(&line);
}
