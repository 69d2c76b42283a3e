#include "outcome.h"

#include <string.h>

#define RUTTER "API_REQUEST_ERROR"
#define PLATFORM "PLATFORM_ERROR"
#define CONNECTION "CONNECTION_ERROR"

#define REFUSE(name, status, type, code, message, once)                                          \
    {                                                                                            \
        name, STAGE_REFUSE, status, WIRE_NORMAL, CHANGE_NONE, JOB_SUCCEEDS, type, code, message, \
            once, NULL, 0                                                                        \
    }
#define LIMITED(name, status, type, code, message, retry_after)                                  \
    {                                                                                            \
        name, STAGE_REFUSE, status, WIRE_NORMAL, CHANGE_NONE, JOB_SUCCEEDS, type, code, message, \
            true, retry_after, 0                                                                 \
    }
#define GATEWAY(name, status)                                                                    \
    {                                                                                            \
        name, STAGE_REFUSE, status, WIRE_NORMAL, CHANGE_GATEWAY, JOB_SUCCEEDS, NULL, NULL, NULL, \
            true, NULL, 0                                                                        \
    }
#define REDIRECT(name, status)                                                                    \
    {                                                                                             \
        name, STAGE_REFUSE, status, WIRE_NORMAL, CHANGE_REDIRECT, JOB_SUCCEEDS, NULL, NULL, NULL, \
            true, NULL, 0                                                                         \
    }
#define BEFORE(name, wire)                                                                      \
    {                                                                                           \
        name, STAGE_BEFORE, 0, wire, CHANGE_NONE, JOB_SUCCEEDS, NULL, NULL, NULL, true, NULL, 0 \
    }
#define AFTER_WIRE(name, wire, delay)                                                              \
    {                                                                                              \
        name, STAGE_AFTER, 0, wire, CHANGE_NONE, JOB_SUCCEEDS, NULL, NULL, NULL, true, NULL, delay \
    }
#define AFTER(name, change, status)                                                             \
    {                                                                                           \
        name, STAGE_AFTER, status, WIRE_NORMAL, change, JOB_SUCCEEDS, RUTTER, "INTERNAL_ERROR", \
            "The answer to this request went wrong after it was accepted", true, NULL, 0        \
    }
#define BAD_URL(name, pattern)                                                                \
    {                                                                                         \
        name, STAGE_AFTER, 0, WIRE_NORMAL, CHANGE_BAD_URL, JOB_SUCCEEDS, NULL, NULL, pattern, \
            true, NULL, 0                                                                     \
    }
#define JOB(name, turn, status, type, code, message, once)                                        \
    {                                                                                             \
        name, STAGE_JOB, status, WIRE_NORMAL, CHANGE_NONE, turn, type, code, message, once, NULL, \
            0                                                                                     \
    }
#define POLL(name, status, type, code, message, retry_after)                                   \
    {                                                                                          \
        name, STAGE_POLL, status, WIRE_NORMAL, CHANGE_NONE, JOB_SUCCEEDS, type, code, message, \
            true, retry_after, 0                                                               \
    }
#define POLL_WIRE(name, wire, change, delay)                                                 \
    {                                                                                        \
        name, STAGE_POLL, 0, wire, change, JOB_SUCCEEDS, NULL, NULL, NULL, true, NULL, delay \
    }

static const struct outcome outcomes[] = {
    REFUSE("400", 400, RUTTER, "INVALID_REQUEST", "The request is invalid", false),
    REFUSE("401", 401, CONNECTION, "INVALID_CREDENTIALS", "The credentials are invalid", false),
    REFUSE("403", 403, CONNECTION, "PRODUCT_NOT_ALLOWED",
           "This endpoint is not activated for the account", false),
    REFUSE("404", 404, RUTTER, "NOT_FOUND", "The endpoint is not supported for the platform",
           false),
    REFUSE("405", 405, RUTTER, "METHOD_NOT_ALLOWED", "The method is not supported", false),
    REFUSE("408", 408, RUTTER, "REQUEST_TIMEOUT", "The request took too long to arrive", true),
    REFUSE("409", 409, RUTTER, "IDEMPOTENCY_CONFLICT",
           "The Idempotency-Key was used with a different request", false),
    REFUSE("410", 410, RUTTER, "GONE", "The resource of the path does not exist", false),
    REFUSE("413", 413, RUTTER, "PAYLOAD_TOO_LARGE", "The body is too large", false),
    REFUSE("415", 415, RUTTER, "UNSUPPORTED_MEDIA_TYPE", "The body is not JSON", false),
    REFUSE("422", 422, RUTTER, "UNPROCESSABLE", "The request cannot be processed", false),
    LIMITED("429", 429, RUTTER, "RATE_LIMIT_EXCEEDED", "Too many requests", "1"),
    LIMITED("429-date", 429, RUTTER, "RATE_LIMIT_EXCEEDED", "Too many requests", "date"),
    LIMITED("429-bare", 429, RUTTER, "RATE_LIMIT_EXCEEDED", "Too many requests", NULL),
    LIMITED("429-zero", 429, RUTTER, "RATE_LIMIT_EXCEEDED", "Too many requests", "0"),
    LIMITED("429-garbage", 429, RUTTER, "RATE_LIMIT_EXCEEDED", "Too many requests", "soon"),
    LIMITED("429-huge", 429, RUTTER, "RATE_LIMIT_EXCEEDED", "Too many requests", "1000000000"),
    REFUSE("450", 450, PLATFORM, "PLATFORM_BAD_REQUEST", "The platform rejected the data", false),
    REFUSE("451", 451, PLATFORM, "PLATFORM_UNAUTHORIZED",
           "The platform rejected the connection's credentials", false),
    REFUSE("452", 452, PLATFORM, "PLATFORM_RATE_LIMIT", "The platform is throttling", true),
    REFUSE("500", 500, RUTTER, "INTERNAL_ERROR", "An unforeseen error occurred", false),
    REFUSE("502", 502, RUTTER, "BAD_GATEWAY", "The gateway got no valid answer", true),
    LIMITED("503", 503, RUTTER, "SERVICE_UNAVAILABLE", "The service is unavailable", "1"),
    REFUSE("504", 504, RUTTER, "GATEWAY_TIMEOUT", "The gateway got no answer in time", true),
    REFUSE("550", 550, PLATFORM, "PLATFORM_INTERNAL_ERROR", "The platform failed", false),
    REFUSE("418", 418, RUTTER, "UNKNOWN", "A status nobody documented", false),
    REFUSE("599", 599, RUTTER, "UNKNOWN", "A status nobody documented", true),
    REFUSE("not-ready", 400, CONNECTION, "PRODUCT_NOT_READY",
           "The connection's data is not synced yet", true),
    REFUSE("disabled", 400, CONNECTION, "CONNECTION_DISABLED", "The connection is disabled", true),
    REFUSE("needs-update", 400, CONNECTION, "NEEDS_UPDATE", "The merchant must authenticate again",
           true),
    GATEWAY("html-502", 502),
    GATEWAY("html-503", 503),
    GATEWAY("captive", 200),
    REDIRECT("redirect", 302),
    REDIRECT("redirect-301", 301),
    REDIRECT("redirect-303", 303),
    REDIRECT("redirect-307", 307),
    REDIRECT("redirect-308", 308),

    BEFORE("close-early", WIRE_CLOSE),
    BEFORE("reset-early", WIRE_RESET),
    BEFORE("hang-early", WIRE_HANG),

    AFTER_WIRE("close", WIRE_CLOSE, 0),
    AFTER_WIRE("reset", WIRE_RESET, 0),
    AFTER_WIRE("hang", WIRE_HANG, 0),
    AFTER_WIRE("slow", WIRE_NORMAL, 800),
    AFTER_WIRE("drip", WIRE_DRIP, 0),
    AFTER_WIRE("truncated", WIRE_TRUNCATED, 0),
    AFTER_WIRE("no-length", WIRE_NO_LENGTH, 0),
    AFTER_WIRE("chunks-cut", WIRE_CHUNKS_CUT, 0),
    AFTER_WIRE("reset-body", WIRE_RESET_BODY, 0),
    AFTER_WIRE("two-answers", WIRE_TWICE, 0),
    AFTER_WIRE("early-hints", WIRE_EARLY_HINTS, 0),
    AFTER_WIRE("no-date", WIRE_NO_DATE, 0),
    AFTER_WIRE("bad-date", WIRE_BAD_DATE, 0),
    AFTER_WIRE("trickle", WIRE_TRICKLE, 0),
    AFTER_WIRE("header-flood", WIRE_HEADER_FLOOD, 0),
    AFTER_WIRE("endless-headers", WIRE_ENDLESS_HEADERS, 0),
    AFTER_WIRE("hints-storm", WIRE_HINTS_STORM, 0),
    AFTER_WIRE("endless-hints", WIRE_ENDLESS_HINTS, 0),
    AFTER_WIRE("endless-body", WIRE_ENDLESS_BODY, 0),
    AFTER_WIRE("no-head", WIRE_NO_HEAD, 0),
    AFTER_WIRE("bad-status-line", WIRE_BAD_STATUS_LINE, 0),
    AFTER("garbage", CHANGE_GARBAGE, 0),
    AFTER("garbage-no-job-id", CHANGE_GARBAGE_NO_ID, 0),
    AFTER("empty", CHANGE_EMPTY, 0),
    AFTER("html-200", CHANGE_HTML, 0),
    AFTER("wrong-type", CHANGE_WRONG_TYPE, 0),
    AFTER("duplicate-keys", CHANGE_DUPLICATE_KEYS, 0),
    AFTER("no-job-id", CHANGE_NO_JOB_ID, 0),
    AFTER("accepted-400", CHANGE_STATUS, 400),
    AFTER("accepted-500", CHANGE_STATUS, 500),
    AFTER("accepted-503", CHANGE_STATUS, 503),
    AFTER("accepted-550", CHANGE_STATUS, 550),
    AFTER("lost-502", CHANGE_GATEWAY, 502),
    AFTER("lost-504", CHANGE_GATEWAY, 504),
    AFTER("bare", CHANGE_BARE, 0),
    AFTER("entity", CHANGE_ENTITY, 0),
    AFTER("errors-only", CHANGE_ERRORS_ONLY, 0),
    BAD_URL("foreign-url", "%F%P"),
    BAD_URL("url-userinfo", "%O@%H%P"),
    BAD_URL("url-file", "file:///etc/hostname"),
    BAD_URL("url-port", "%S://%N:9%P"),
    BAD_URL("url-scheme", "%X://%A%P"),
    BAD_URL("url-traversal", "%O/versioned/jobs/../connections"),
    BAD_URL("url-token", "%O%P?access_token=from-the-server"),
    BAD_URL("url-fragment", "%O%P#fragment"),
    BAD_URL("url-crlf", "%O%P\\r\\nX-Injected: 1"),
    BAD_URL("url-relative", "%P"),
    BAD_URL("url-long", "%O/%L%P"),
    AFTER("acted-redirect", CHANGE_REDIRECT, 307),
    AFTER("huge", CHANGE_HUGE, 0),
    AFTER("deep", CHANGE_DEEP, 0),
    AFTER("gzip", CHANGE_GZIP, 0),
    AFTER("no-content", CHANGE_NO_CONTENT, 204),
    AFTER("odd-submit-status", CHANGE_ODD_STATUS, 0),
    AFTER("bad-id", CHANGE_BAD_ID, 0),
    AFTER("second-job", CHANGE_SECOND_JOB, 0),

    JOB("job-400", JOB_FAILS, 400, RUTTER, "INVALID_REQUEST", "The request is invalid", false),
    JOB("job-404", JOB_FAILS, 404, RUTTER, "NOT_FOUND", "The resource was not found", false),
    JOB("job-409", JOB_FAILS, 409, RUTTER, "DUPLICATE_VALUE_CONFLICT", "The value is in use",
        false),
    JOB("job-410", JOB_FAILS, 410, RUTTER, "GONE", "The resource does not exist", false),
    JOB("job-429", JOB_FAILS, 429, RUTTER, "RATE_LIMIT_EXCEEDED", "Too many requests", true),
    JOB("job-450", JOB_FAILS, 450, PLATFORM, "PLATFORM_BAD_REQUEST",
        "The platform rejected the data", false),
    JOB("job-451", JOB_FAILS, 451, PLATFORM, "PLATFORM_UNAUTHORIZED",
        "The platform rejected the connection's credentials", false),
    JOB("job-452", JOB_FAILS, 452, PLATFORM, "PLATFORM_RATE_LIMIT", "The platform is throttling",
        true),
    JOB("job-500", JOB_FAILS, 500, RUTTER, "INTERNAL_ERROR", "An unforeseen error occurred", false),
    JOB("job-503", JOB_FAILS, 503, RUTTER, "SERVICE_UNAVAILABLE", "The service is unavailable",
        false),
    JOB("job-550", JOB_FAILS, 550, PLATFORM, "PLATFORM_INTERNAL_ERROR", "The platform failed",
        false),
    JOB("job-550-acted", JOB_FAILS_ACTED, 550, PLATFORM, "PLATFORM_INTERNAL_ERROR",
        "The platform failed", false),
    JOB("partial", JOB_PARTIAL, 200, NULL, NULL, NULL, false),
    JOB("pending", JOB_NEVER_ENDS, 0, NULL, NULL, NULL, false),
    JOB("lost-job", JOB_LOST, 0, NULL, NULL, NULL, false),
    JOB("vanished", JOB_VANISHES, 0, NULL, NULL, NULL, false),
    JOB("late-job", JOB_LATE_TO_SEE, 0, NULL, NULL, NULL, false),
    JOB("no-body", JOB_NO_BODY, 200, NULL, NULL, NULL, false),
    JOB("no-response", JOB_NO_RESPONSE, 200, NULL, NULL, NULL, false),
    JOB("no-http-status", JOB_NO_HTTP_STATUS, 500, RUTTER, "INTERNAL_ERROR",
        "An unforeseen error occurred", false),
    JOB("inconsistent", JOB_INCONSISTENT, 400, RUTTER, "INVALID_REQUEST", "The request is invalid",
        false),
    JOB("wrong-key", JOB_WRONG_KEY, 200, NULL, NULL, NULL, false),
    JOB("wrong-id", JOB_WRONG_ID, 200, NULL, NULL, NULL, false),
    JOB("odd-status", JOB_ODD_STATUS, 200, NULL, NULL, NULL, false),
    JOB("regress", JOB_REGRESSES, 200, NULL, NULL, NULL, false),
    JOB("flip", JOB_FLIPS, 550, PLATFORM, "PLATFORM_INTERNAL_ERROR", "The platform failed", false),
    JOB("acts-twice", JOB_ACTS_TWICE, 200, NULL, NULL, NULL, false),
    JOB("slow-job", JOB_SLOW, 200, NULL, NULL, NULL, false),

    POLL("poll-401", 401, CONNECTION, "INVALID_CREDENTIALS", "The credentials are invalid", NULL),
    POLL("poll-403", 403, CONNECTION, "PRODUCT_NOT_ALLOWED", "Not allowed", NULL),
    POLL("poll-404", 404, RUTTER, "NOT_FOUND", "No such job", NULL),
    POLL("poll-410", 410, RUTTER, "GONE", "No such job", NULL),
    POLL("poll-429", 429, RUTTER, "RATE_LIMIT_EXCEEDED", "Too many requests", "1"),
    POLL("poll-452", 452, PLATFORM, "PLATFORM_RATE_LIMIT", "The platform is throttling", NULL),
    POLL("poll-500", 500, RUTTER, "INTERNAL_ERROR", "An unforeseen error occurred", NULL),
    POLL("poll-503", 503, RUTTER, "SERVICE_UNAVAILABLE", "The service is unavailable", "1"),
    {"poll-502", STAGE_POLL, 502, WIRE_NORMAL, CHANGE_GATEWAY, JOB_SUCCEEDS, NULL, NULL, NULL, true,
     NULL, 0},
    POLL_WIRE("poll-close", WIRE_CLOSE, CHANGE_NONE, 0),
    POLL_WIRE("poll-reset", WIRE_RESET, CHANGE_NONE, 0),
    POLL_WIRE("poll-hang", WIRE_HANG, CHANGE_NONE, 0),
    POLL_WIRE("poll-slow", WIRE_NORMAL, CHANGE_NONE, 800),
    POLL_WIRE("poll-drip", WIRE_DRIP, CHANGE_NONE, 0),
    POLL_WIRE("poll-truncated", WIRE_TRUNCATED, CHANGE_NONE, 0),
    POLL_WIRE("poll-no-length", WIRE_NO_LENGTH, CHANGE_NONE, 0),
    POLL_WIRE("poll-chunks-cut", WIRE_CHUNKS_CUT, CHANGE_NONE, 0),
    {"poll-redirect", STAGE_POLL, 302, WIRE_NORMAL, CHANGE_REDIRECT, JOB_SUCCEEDS, NULL, NULL, NULL,
     true, NULL, 0},
    {"poll-redirect-307", STAGE_POLL, 307, WIRE_NORMAL, CHANGE_REDIRECT, JOB_SUCCEEDS, NULL, NULL,
     NULL, true, NULL, 0},
    POLL_WIRE("poll-no-date", WIRE_NO_DATE, CHANGE_NONE, 0),
    POLL_WIRE("poll-bad-date", WIRE_BAD_DATE, CHANGE_NONE, 0),
    POLL_WIRE("poll-trickle", WIRE_TRICKLE, CHANGE_NONE, 0),
    POLL_WIRE("poll-header-flood", WIRE_HEADER_FLOOD, CHANGE_NONE, 0),
    POLL_WIRE("poll-endless-headers", WIRE_ENDLESS_HEADERS, CHANGE_NONE, 0),
    POLL_WIRE("poll-hints-storm", WIRE_HINTS_STORM, CHANGE_NONE, 0),
    POLL_WIRE("poll-endless-hints", WIRE_ENDLESS_HINTS, CHANGE_NONE, 0),
    POLL_WIRE("poll-endless-body", WIRE_ENDLESS_BODY, CHANGE_NONE, 0),
    POLL_WIRE("poll-no-head", WIRE_NO_HEAD, CHANGE_NONE, 0),
    POLL_WIRE("poll-bad-status-line", WIRE_BAD_STATUS_LINE, CHANGE_NONE, 0),
    POLL_WIRE("poll-huge", WIRE_NORMAL, CHANGE_HUGE, 0),
    POLL_WIRE("poll-deep", WIRE_NORMAL, CHANGE_DEEP, 0),
    POLL_WIRE("poll-gzip", WIRE_NORMAL, CHANGE_GZIP, 0),
    POLL_WIRE("poll-garbage", WIRE_NORMAL, CHANGE_GARBAGE, 0),
    POLL_WIRE("poll-empty", WIRE_NORMAL, CHANGE_EMPTY, 0),
    POLL_WIRE("poll-html", WIRE_NORMAL, CHANGE_HTML, 0),
    POLL_WIRE("poll-wrong-type", WIRE_NORMAL, CHANGE_WRONG_TYPE, 0),
    POLL_WIRE("poll-duplicate-keys", WIRE_NORMAL, CHANGE_DUPLICATE_KEYS, 0),
    POLL_WIRE("poll-wrapped", WIRE_NORMAL, CHANGE_WRAPPED_JOB, 0),
};

#define OUTCOME_COUNT (sizeof outcomes / sizeof outcomes[0])

const struct outcome *outcome_find(struct slice name)
{
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        if (slice_equal(name, slice_of(outcomes[i].name)))
            return &outcomes[i];
    return NULL;
}

const struct outcome *outcome_at(size_t index)
{
    return index < OUTCOME_COUNT ? &outcomes[index] : NULL;
}

size_t outcome_index(const struct outcome *outcome)
{
    return (size_t)(outcome - outcomes);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static void magic_add(struct magic *magic, struct slice name, struct slice times)
{
    const struct outcome *outcome = outcome_find(name);
    uint64_t number;

    if (outcome == NULL || magic->count == MAGIC_MAX)
        return;
    if (!slice_to_number(times, UINT32_MAX, &number))
        number = outcome->once ? 1 : 0;
    magic->entries[magic->count].outcome = outcome;
    magic->entries[magic->count].times = (uint32_t)number;
    magic->count++;
}

/* The name and count behind a "sim:"; returns where the text goes on. */
static const char *magic_read(const char *name, const char *end, struct magic *magic)
{
    const char *p = name;
    const char *times;
    size_t name_length;

    while (p < end && is_name_byte(*p))
        p++;
    name_length = (size_t)(p - name);
    times = p;
    if (p < end && *p == '*')
        for (times = ++p; p < end && *p >= '0' && *p <= '9'; p++)
            ;
    magic_add(magic, (struct slice){name, name_length}, (struct slice){times, (size_t)(p - times)});
    return p;
}

void magic_find(struct slice text, struct magic *magic)
{
    const char *p = text.bytes;
    const char *end = slice_end(text);
    const char *colon;

    /* Looks for the colon first: memchr is several times as fast as memmem on a short needle. */
    while (p < end && (colon = memchr(p, ':', (size_t)(end - p))) != NULL) {
        if (colon - text.bytes >= 3 && memcmp(colon - 3, "sim", 3) == 0)
            p = magic_read(colon + 1, end, magic);
        else
            p = colon + 1;
    }
}

static const char *const profile_names[] = {
    [PROFILE_CLEAN] = "clean", [PROFILE_REALISTIC] = "realistic", [PROFILE_HOSTILE] = "hostile"};

bool profile_from_text(struct slice text, enum profile *profile_out)
{
    for (enum profile profile = PROFILE_CLEAN; profile <= PROFILE_HOSTILE; profile++) {
        if (slice_equal(text, slice_of(profile_names[profile]))) {
            *profile_out = profile;
            return true;
        }
    }
    return false;
}

const char *profile_name(enum profile profile)
{
    return profile_names[profile];
}

/* Chances in ten thousandths. */
struct chance {
    const char *name;
    uint16_t realistic;
    uint16_t hostile;
};

static const struct chance send_chances[] = {
    {"429", 100, 150},
    {"429-date", 0, 50},
    {"452", 200, 300},
    {"500", 20, 100},
    {"502", 15, 80},
    {"503", 15, 80},
    {"504", 0, 50},
    {"408", 0, 20},
    {"html-502", 0, 80},
    {"close-early", 0, 100},
    {"reset-early", 0, 60},
    {"close", 50, 120},
    {"reset", 0, 80},
    {"slow", 30, 40},
    {"drip", 0, 40},
    {"truncated", 0, 80},
    {"no-length", 0, 40},
    {"reset-body", 0, 60},
    {"two-answers", 0, 30},
    {"early-hints", 0, 40},
    {"garbage", 0, 60},
    {"garbage-no-job-id", 0, 60},
    {"empty", 0, 40},
    {"wrong-type", 0, 40},
    {"duplicate-keys", 0, 40},
    {"no-job-id", 0, 60},
    {"accepted-500", 0, 80},
    {"accepted-503", 0, 60},
    {"lost-502", 0, 80},
    {"lost-504", 0, 60},
    {"bare", 300, 800},
    {"foreign-url", 0, 60},
    {"entity", 0, 0},
    {"odd-submit-status", 0, 60},
    {"chunks-cut", 0, 40},
    {"no-date", 0, 30},
    {"bad-date", 0, 30},
    {"gzip", 0, 30},
    {"header-flood", 0, 10},
    {"hints-storm", 0, 10},
    {"url-userinfo", 0, 20},
    {"url-token", 0, 20},
};

static const struct chance job_chances[] = {
    {"job-452", 0, 150}, {"late-job", 0, 200}, {"odd-status", 0, 100},
    {"regress", 0, 100}, {"no-body", 0, 50},   {"slow-job", 0, 100},
};

static const struct chance poll_chances[] = {
    {"poll-429", 30, 100},          {"poll-452", 0, 60},
    {"poll-500", 20, 80},           {"poll-502", 10, 60},
    {"poll-503", 10, 60},           {"poll-close", 20, 80},
    {"poll-reset", 0, 60},          {"poll-slow", 10, 30},
    {"poll-drip", 0, 30},           {"poll-truncated", 0, 60},
    {"poll-no-length", 0, 40},      {"poll-garbage", 0, 50},
    {"poll-empty", 0, 30},          {"poll-html", 0, 40},
    {"poll-wrong-type", 0, 30},     {"poll-404", 0, 60},
    {"poll-duplicate-keys", 0, 30}, {"poll-wrapped", 300, 800},
    {"poll-chunks-cut", 0, 30},     {"poll-gzip", 0, 20},
    {"poll-no-date", 0, 20},        {"poll-bad-date", 0, 20},
    {"poll-header-flood", 0, 10},
};

static const struct outcome *draw_from(const struct chance *chances, size_t count,
                                       enum profile profile, uint64_t draw)
{
    uint64_t left = draw % 10000;

    if (profile == PROFILE_CLEAN)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        uint64_t chance = profile == PROFILE_HOSTILE ? chances[i].hostile : chances[i].realistic;

        if (left < chance)
            return outcome_find(slice_of(chances[i].name));
        left -= chance;
    }
    return NULL;
}

#define DRAW(chances) draw_from(chances, sizeof chances / sizeof chances[0], profile, draw)

const struct outcome *profile_draw_send(enum profile profile, uint64_t draw)
{
    return DRAW(send_chances);
}

const struct outcome *profile_draw_job(enum profile profile, uint64_t draw)
{
    return DRAW(job_chances);
}

const struct outcome *profile_draw_poll(enum profile profile, uint64_t draw)
{
    return DRAW(poll_chances);
}
