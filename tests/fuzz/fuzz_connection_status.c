/* Any answer gives a state of the table, and texts that can be shown.
 *
 * The first two bytes choose HTTP status (times four) and content type; the rest is the body. */
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "purser/codec/connection_status.h"
#include "purser/core/limits.h"

static void check_text(const char *text, size_t bytes_max)
{
    size_t bad;

    LAW(text != NULL && strlen(text) <= bytes_max && text_is_utf8(text, strlen(text), &bad));
    for (const char *at = text; *at != '\0'; at++)
        LAW((unsigned char)*at >= ' ' && *at != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct connection_status_input input = {.http_status = 200, .content_type = "application/json"};
    struct connection_status status;
    struct arena arena;

    if (length >= 2) {
        input.http_status = bytes[0] * 4;
        input.content_type = bytes[1] % 4 == 0 ? "text/html" : bytes[1] % 4 == 1 ? NULL : "";
        bytes += 2;
        length -= 2;
    }
    input.body = (struct slice){(const char *)bytes, length};
    arena_init(&arena, 64u * 1024 * 1024);
    status = connection_status_read(&arena, &input);
    LAW(status.state < CONNECTION_STATE_COUNT);
    LAW((status.park_reason == NULL) ==
        (status.state == CONNECTION_USABLE || status.state == CONNECTION_UNKNOWN));
    LAW(status.last_sync_ms >= 0);
    check_text(status.link_url, LINK_URL_BYTES_MAX);
    LAW(status.link_url[0] == '\0' || strncasecmp(status.link_url, "https://", 8) == 0);
    check_text(status.detail, ERROR_MESSAGE_BYTES_MAX);
    check_text(status.platform, ERROR_CODE_BYTES_MAX);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
