/* The kinds that the decision table is made of. */
#include <assert.h>

#include "purser/codec/reply_table.h"

/* Single statuses; ranges are below. A 501 is no refusal: no 5xx ever proves that nothing was
 * done. Source: docs.rutter.com, "Handling errors"; RFC 9110 and RFC 6585 for the rest. */
static enum status_kind kind_of_one(int http_status)
{
    static const struct {
        int http_status;
        enum status_kind kind;
    } ones[] = {
        {301, STATUS_MOVED},
        {307, STATUS_MOVED},
        {308, STATUS_MOVED},
        {400, STATUS_REFUSAL},
        {401, STATUS_UNAUTHORIZED},
        {403, STATUS_FORBIDDEN},
        {404, STATUS_NOT_FOUND},
        {405, STATUS_REFUSAL},
        {407, STATUS_NETWORK},
        {408, STATUS_TIMEOUT},
        {410, STATUS_NOT_FOUND},
        {411, STATUS_REFUSAL},
        {412, STATUS_REFUSAL},
        {413, STATUS_REFUSAL},
        {414, STATUS_REFUSAL},
        {415, STATUS_REFUSAL},
        {422, STATUS_REFUSAL},
        {425, STATUS_TIMEOUT},
        {429, STATUS_THROTTLED},
        {431, STATUS_REFUSAL},
        {450, STATUS_REFUSAL},
        {451, STATUS_PLATFORM_UNAUTHORIZED},
        {452, STATUS_PLATFORM_THROTTLED},
        {511, STATUS_NETWORK},
        {550, STATUS_PLATFORM_ERROR},
    };

    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
        if (ones[i].http_status == http_status)
            return ones[i].kind;
    }
    return STATUS_KIND_COUNT;
}

enum status_kind reply_status_kind(int http_status, bool keyed)
{
    enum status_kind one = kind_of_one(http_status);

    if (one != STATUS_KIND_COUNT)
        return one;
    if (http_status == 409 && keyed)
        return STATUS_CONFLICT;
    if (http_status < 200 || http_status > 599)
        return STATUS_NONSENSE;
    if (http_status < 300)
        return http_status < 204 ? STATUS_OK : STATUS_ODD_OK;
    if (http_status < 400)
        return STATUS_REDIRECT;
    return http_status < 500 ? STATUS_OTHER_4XX : STATUS_5XX;
}

const char *reply_status_meaning(enum status_kind status)
{
    static const char *const meanings[] = {
#define X(identifier, meaning) [identifier] = meaning,
        REPLY_STATUS_LIST(X)
#undef X
    };

    assert(status < STATUS_KIND_COUNT);
    return meanings[status];
}

const char *reply_body_name(enum body_kind body)
{
    static const char *const names[] = {
#define X(identifier, name, meaning) [identifier] = name,
        REPLY_BODY_LIST(X)
#undef X
    };

    assert(body < BODY_KIND_COUNT);
    return names[body];
}

const char *reply_body_meaning(enum body_kind body)
{
    static const char *const meanings[] = {
#define X(identifier, name, meaning) [identifier] = meaning,
        REPLY_BODY_LIST(X)
#undef X
    };

    assert(body < BODY_KIND_COUNT);
    return meanings[body];
}

bool reply_body_is_of_phase(enum body_kind body, enum reply_phase phase)
{
    assert(body < BODY_KIND_COUNT);
    if (body < BODY_ASYNC)
        return true;
    return (body < BODY_JOB_PENDING) == (phase == PHASE_SEND);
}
