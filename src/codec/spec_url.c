#include <string.h>

#include "purser/codec/spec_check.h"

/* The parts of scheme://host[:port][/path]. */
struct url_parts {
    bool https;
    struct slice host; /* with the brackets of an IPv6 address */
    struct slice rest; /* from the port's colon or the path's slash on */
};

/* 127.0.0.0/8 as four numbers: a name such as 127.0.0.1.example.com is none. */
static bool is_loopback_v4(struct slice host)
{
    size_t at = 0;

    for (int part = 0; part < 4; part++) {
        unsigned number = 0;
        size_t start;

        if (part > 0 && (at >= host.length || host.bytes[at++] != '.'))
            return false;
        start = at;
        while (at < host.length && at - start < 3 && text_is_digit(host.bytes[at]))
            number = number * 10 + (unsigned)(host.bytes[at++] - '0');
        if (at == start || number > 255 || (part == 0 && number != 127))
            return false;
    }
    return at == host.length;
}

static bool is_loopback(struct slice host)
{
    return slice_is(host, "localhost") || slice_is(host, "[::1]") || is_loopback_v4(host);
}

static bool host_is_valid(struct slice host)
{
    if (host.length > 2 && host.bytes[0] == '[')
        return host.bytes[host.length - 1] == ']' &&
               strspn(host.bytes + 1, "0123456789abcdefABCDEF:.") == host.length - 2;
    for (size_t i = 0; i < host.length; i++) {
        char byte = host.bytes[i];

        if (!text_is_digit(byte) && !(byte >= 'a' && byte <= 'z') &&
            !(byte >= 'A' && byte <= 'Z') && byte != '.' && byte != '-')
            return false;
    }
    return host.length > 0;
}

static bool port_is_valid(struct slice rest, size_t *path_out)
{
    size_t at = 1;
    unsigned port = 0;

    *path_out = 0;
    if (rest.length == 0 || rest.bytes[0] != ':')
        return true;
    while (at < rest.length && at < 6 && text_is_digit(rest.bytes[at]))
        port = port * 10 + (unsigned)(rest.bytes[at++] - '0');
    *path_out = at;
    return port > 0 && port < 65536 && (at == rest.length || rest.bytes[at] == '/');
}

/* What is wrong with the URL; NULL when nothing is. */
static const char *find_fault(const char *url, struct url_parts *parts)
{
    size_t path;
    const char *start;

    for (const char *at = url; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || strchr("\\\"<>^`{|}", *at) != NULL)
            return "has a character that cannot stand in a URL";
    parts->https = strncmp(url, "https://", 8) == 0;
    if (!parts->https && strncmp(url, "http://", 7) != 0)
        return "is no URL that starts with https://";
    if (strchr(url, '@') != NULL)
        return "must not hold a user name or password";
    if (strchr(url, '?') != NULL || strchr(url, '#') != NULL)
        return "must end with its path, without ? and #";
    start = url + (parts->https ? 8 : 7);
    parts->host.bytes = start;
    parts->host.length = *start == '[' ? strcspn(start, "]/") : strcspn(start, ":/");
    if (start[parts->host.length] == ']')
        parts->host.length++;
    parts->rest = slice_of(start + parts->host.length);
    if (!host_is_valid(parts->host) || !port_is_valid(parts->rest, &path))
        return "has no valid host and port";
    if (strstr(parts->rest.bytes + path, "/../") != NULL ||
        strstr(parts->rest.bytes + path, "//") != NULL)
        return "has a path with // or ..";
    if (!parts->https && !is_loopback(parts->host))
        return "would send credentials without encryption";
    return NULL;
}

bool spec_read_url(struct spec_reader *reader, const struct yaml_node *node, const char *url,
                   const char **base_out)
{
    static const char versioned[] = "/versioned";
    struct url_parts parts;
    size_t length = strlen(url);
    const char *fault;

    while (length > 0 && url[length - 1] == '/')
        length--;
    url = spec_copy(reader, url, length);
    if (url == NULL)
        return false;
    fault = find_fault(url, &parts);
    if (fault != NULL) {
        /* A URL with a password in it is not shown. */
        enum diag_severity severity =
            strchr(url, '@') != NULL ? DIAG_ERROR | DIAG_HIDE_LINE : DIAG_ERROR;

        diagnostics_add(reader->diagnostics, severity, node->place, "spec.url",
                        "https://HOST[:PORT]/versioned; http only to 127.0.0.1, [::1] or localhost",
                        "the base URL %s", fault);
        return false;
    }
    if (length < sizeof versioned - 1 ||
        strncmp(url + length - (sizeof versioned - 1), versioned, sizeof versioned - 1) != 0)
        diagnostics_add(reader->diagnostics, DIAG_WARNING, node->place, "spec.url",
                        "the API is at https://production.rutterapi.com/versioned",
                        "the base URL does not end with /versioned");
    *base_out = url;
    return true;
}
