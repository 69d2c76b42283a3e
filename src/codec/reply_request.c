/* Is the request that a remote job shows the one that was sent? */
#include <string.h>
#include <strings.h>

#include "reply_body.h"

/* The path of a URL, or of a path with a query; without slashes at its end. */
static struct slice path_of(struct slice url)
{
    const char *scheme = url.length == 0 ? NULL : memmem(url.bytes, url.length, "://", 3);
    size_t length = 0;

    if (scheme != NULL) {
        size_t before = (size_t)(scheme - url.bytes) + 3;

        url.bytes += before;
        url.length -= before;
        while (url.length > 0 && strchr("/?#", url.bytes[0]) == NULL) {
            url.bytes++;
            url.length--;
        }
    }
    while (length < url.length && url.bytes[length] != '?' && url.bytes[length] != '#')
        length++;
    while (length > 0 && url.bytes[length - 1] == '/')
        length--;
    return (struct slice){url.bytes, length};
}

static struct slice take_last_segment(struct slice *path)
{
    size_t start = path->length;
    struct slice segment;

    while (start > 0 && path->bytes[start - 1] != '/')
        start--;
    segment = (struct slice){path->bytes + start, path->length - start};
    path->length = start > 0 ? start - 1 : 0;
    return segment;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* One byte of a segment, with %xx as the byte it stands for. */
static int take_byte(struct slice *text)
{
    int byte = (unsigned char)text->bytes[0];
    size_t length = 1;

    if (byte == '%' && text->length >= 3 && hex_value(text->bytes[1]) >= 0 &&
        hex_value(text->bytes[2]) >= 0) {
        byte = hex_value(text->bytes[1]) * 16 + hex_value(text->bytes[2]);
        length = 3;
    }
    text->bytes += length;
    text->length -= length;
    return byte;
}

/* A "{id}" of a template stands for any segment, and so does the ":id" of a route. */
static bool may_be_same(struct slice ours, struct slice theirs)
{
    if ((ours.length > 0 && ours.bytes[0] == '{') ||
        (theirs.length > 0 && strchr("{:", theirs.bytes[0]) != NULL))
        return true;
    while (ours.length > 0 && theirs.length > 0) {
        if (take_byte(&ours) != take_byte(&theirs))
            return false;
    }
    return ours.length == theirs.length;
}

/* From the end: what stands in front (/versioned, /v2) is the server's own matter. */
static bool paths_differ(struct slice ours, struct slice theirs)
{
    while (ours.length > 0 && theirs.length > 0) {
        struct slice our_segment = take_last_segment(&ours);

        if (!may_be_same(our_segment, take_last_segment(&theirs)))
            return true;
    }
    return false;
}

static bool methods_differ(enum http_method ours, struct slice theirs)
{
    for (int method = 0; method < METHOD_COUNT; method++) {
        const char *name = method_name((enum http_method)method);

        if (theirs.length == strlen(name) && strncasecmp(theirs.bytes, name, theirs.length) == 0)
            return method != (int)ours;
    }
    return false; /* no method that is known: it contradicts nothing */
}

bool reply_request_contradicts(const struct value *request, const struct reply_input *input)
{
    struct slice path = input->path;
    struct slice url = answer_text_member(request, "url");

    if (input->operation == NULL)
        return false;
    if (path.length == 0)
        path = slice_of(input->operation->path);
    return methods_differ(input->operation->method, answer_text_member(request, "method")) ||
           paths_differ(path_of(path), path_of(url));
}
