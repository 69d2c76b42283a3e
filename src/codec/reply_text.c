/* The small texts of an answer: job ids, dates, Retry-After. */
#include <string.h>

#include "purser/base/calendar.h"
#include "purser/codec/reply.h"

bool reply_job_id_is_valid(struct slice id)
{
    if (id.length == 0 || id.length > REMOTE_JOB_BYTES_MAX || slice_is(id, ".") ||
        slice_is(id, ".."))
        return false;
    for (size_t i = 0; i < id.length; i++) {
        char byte = id.bytes[i];

        if (!((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
              (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("._:-", byte) != NULL)))
            return false;
    }
    return true;
}

/* `count` decimal digits at `text`; -1 when there is anything else. */
static int digits(const char *text, int count)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

static int index_of(const char *names, const char *name)
{
    for (int i = 0; names[i * 3] != '\0'; i++) {
        if (memcmp(names + i * 3, name, 3) == 0)
            return i;
    }
    return -1;
}

/* Source: RFC 9110, section 5.6.7. */
int64_t reply_date_ms(const char *date)
{
    static const char form[] = "Www, dd Mmm yyyy hh:mm:ss GMT";
    struct calendar_date day;
    int weekday, hour, minute, second;
    int64_t days;

    if (date == NULL || strlen(date) != sizeof form - 1)
        return -1;
    for (size_t i = 0; i < sizeof form - 1; i++) {
        if (strchr(" ,:GT", form[i]) != NULL && date[i] != form[i])
            return -1;
    }
    weekday = index_of("ThuFriSatSunMonTueWed", date);
    day = (struct calendar_date){.year = digits(date + 12, 4),
                                 .month =
                                     index_of("JanFebMarAprMayJunJulAugSepOctNovDec", date + 8) + 1,
                                 .day = digits(date + 5, 2)};
    hour = digits(date + 17, 2);
    minute = digits(date + 20, 2);
    second = digits(date + 23, 2);
    if (date[27] != 'M' || weekday < 0 || day.year < 1970 || !calendar_is_valid(day) || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return -1;
    days = calendar_to_days(day);
    if (days % 7 != weekday)
        return -1;
    return ((days * 24 + hour) * 60 + minute) * 60000 + (int64_t)second * 1000;
}

static int64_t clamp_pause(int64_t pause_ms)
{
    if (pause_ms < 0)
        return 0;
    return pause_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : pause_ms;
}

int64_t reply_retry_after_ms(const char *retry_after, const char *date, int64_t now_ms)
{
    int64_t until_ms, from_ms;

    if (retry_after == NULL || retry_after[0] == '\0')
        return -1;
    if (retry_after[strspn(retry_after, "0123456789")] == '\0') {
        uint64_t seconds;

        /* More than fits is surely more than the maximum. */
        if (!text_to_u64(slice_of(retry_after), &seconds) || seconds > RETRY_AFTER_MAX_MS / 1000)
            return RETRY_AFTER_MAX_MS;
        return (int64_t)seconds * 1000;
    }
    until_ms = reply_date_ms(retry_after);
    if (until_ms == -1)
        return -1;
    from_ms = reply_date_ms(date);
    return clamp_pause(until_ms - (from_ms != -1 ? from_ms : now_ms));
}
