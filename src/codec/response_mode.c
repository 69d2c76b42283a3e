#include "purser/codec/response_mode.h"

#include <stddef.h>

const char *response_mode_member(const struct operation *operation, enum response_mode mode)
{
    static const char *const members[] = {
        [RESPONSE_ASYNC] = "\"response_mode\":\"async\"",
        [RESPONSE_PREFER_SYNC] = "\"response_mode\":\"prefer_sync\"",
        [RESPONSE_SYNC] = NULL,
    };

    return operation->mode_place == MODE_IN_BODY ? members[mode] : NULL;
}

const char *response_mode_query(const struct operation *operation, enum response_mode mode)
{
    static const char *const queries[] = {
        [RESPONSE_ASYNC] = "?response_mode=async",
        [RESPONSE_PREFER_SYNC] = "?response_mode=prefer_sync",
        [RESPONSE_SYNC] = "",
    };

    return operation->mode_place == MODE_IN_QUERY ? queries[mode] : "";
}
