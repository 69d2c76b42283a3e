#include "purser/core/platform.h"

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

/* Behind `length` bytes of `text`, as far as there is room; the new length. */
static size_t append(char *text, size_t bytes, size_t length, const char *more)
{
    while (*more != '\0' && length + 1 < bytes)
        text[length++] = *more++;
    text[length] = '\0';
    return length;
}

void platform_list_names(uint64_t platforms, char *text, size_t bytes)
{
    size_t length = append(text, bytes, 0, "");

    for (int i = 0; i < PLATFORM_COUNT; i++) {
        if ((platforms >> i & 1) == 0)
            continue;
        if (length > 0)
            length = append(text, bytes, length, ", ");
        length = append(text, bytes, length, names[i]);
    }
}

bool platform_may_be_in(uint64_t platforms, const char *name)
{
    enum platform platform;

    if (platforms == PLATFORMS_UNKNOWN || name == NULL ||
        !platform_parse(slice_of(name), &platform))
        return true;
    return (platforms >> platform & 1) != 0;
}
