#include "purser/core/platform.h"

#include <stddef.h>

_Static_assert(PLATFORM_COUNT < 64, "a set is one word");

#define PLATFORM_NAME(name) [PLATFORM_##name] = #name,
static const char *const names[PLATFORM_COUNT] = {PLATFORM_LIST(PLATFORM_NAME)};
#undef PLATFORM_NAME

const char *platform_name(enum platform platform)
{
    return names[platform];
}

bool platform_parse(struct slice name, enum platform *platform_out)
{
    for (int i = 0; i < PLATFORM_COUNT; i++) {
        if (slice_is(name, names[i])) {
            *platform_out = (enum platform)i;
            return true;
        }
    }
    return false;
}

bool platform_may_be_in(uint64_t platforms, const char *name)
{
    enum platform platform;

    if (platforms == PLATFORMS_UNKNOWN || name == NULL ||
        !platform_parse(slice_of(name), &platform))
        return true;
    return (platforms >> platform & 1) != 0;
}
