#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "curl_transport_internal.h"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcasecmp(text + length - end_length, end) == 0;
}

/* An address written out; `host` as libcurl gives it, with brackets around IPv6. */
static bool is_literal(const char *host, char *address, size_t size)
{
    uint8_t ip[16];
    size_t length = strlen(host);

    if (host[0] == '[' && length >= 2)
        snprintf(address, size, "%.*s", (int)(length - 2), host + 1);
    else
        snprintf(address, size, "%s", host);
    return inet_pton(AF_INET, address, ip) == 1 || inet_pton(AF_INET6, address, ip) == 1;
}

static bool is_loopback_host(const char *host)
{
    char address[BASE_URL_BYTES_MAX];

    if (is_literal(host, address, sizeof address))
        return peer_is_allowed(PEER_LOOPBACK, address);
    return strcasecmp(host, "localhost") == 0;
}

/* Names that by convention belong to a local network may lead to private addresses. */
static bool is_local_host(const char *host)
{
    static const char *const local_ends[] = {".localhost", ".local", ".internal", ".test",
                                             ".lan",       ".corp",  ".intranet", ".home.arpa"};
    char address[BASE_URL_BYTES_MAX];

    if (is_literal(host, address, sizeof address) || strchr(host, '.') == NULL)
        return true;
    for (size_t i = 0; i < sizeof local_ends / sizeof local_ends[0]; i++) {
        if (ends_with(host, local_ends[i]))
            return true;
    }
    return false;
}

static enum err_code refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_INPUT, "%s", why);
}

/* A URL as libcurl understands it, which is what counts: it is the one that will connect. */
struct url_parts {
    CURLU *handle;
    char *scheme, *host, *port, *path, *user, *password;
};

static void url_parts_free(struct url_parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->path);
    curl_free(parts->user);
    curl_free(parts->password);
    curl_url_cleanup(parts->handle);
}

/* A part that there is no memory for must not look like one that is not there. */
static CURLUcode take_parts(struct url_parts *parts)
{
    const struct {
        CURLUPart part;
        char **text;
        unsigned int flags;
        bool may_lack;
    } wanted[] = {{CURLUPART_SCHEME, &parts->scheme, 0, false},
                  {CURLUPART_HOST, &parts->host, 0, false},
                  {CURLUPART_PORT, &parts->port, CURLU_DEFAULT_PORT, false},
                  {CURLUPART_PATH, &parts->path, 0, false},
                  {CURLUPART_USER, &parts->user, 0, true},
                  {CURLUPART_PASSWORD, &parts->password, 0, true}};

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        CURLUcode code =
            curl_url_get(parts->handle, wanted[i].part, wanted[i].text, wanted[i].flags);

        if (code != CURLUE_OK && (!wanted[i].may_lack || code == CURLUE_OUT_OF_MEMORY))
            return code;
    }
    return CURLUE_OK;
}

/* ERR_INPUT with the text `wrong` when it is no URL. `parts` must be freed in any case. */
static enum err_code url_parts_read(const char *url, const char *wrong, struct url_parts *parts,
                                    struct err *err)
{
    CURLUcode code;

    memset(parts, 0, sizeof *parts);
    if (strlen(url) > URL_BYTES_MAX)
        return refuse(err, wrong);
    parts->handle = curl_url();
    code = parts->handle == NULL ? CURLUE_OUT_OF_MEMORY
                                 : curl_url_set(parts->handle, CURLUPART_URL, url, 0);
    if (code == CURLUE_OK)
        code = take_parts(parts);
    if (code == CURLUE_OUT_OF_MEMORY)
        return err_set(err, ERR_NO_MEMORY, "out of memory for a URL");
    return code == CURLUE_OK ? ERR_OK : refuse(err, wrong);
}

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        *text = (char)tolower((unsigned char)*text);
}

static void write_origin(const struct url_parts *parts, char *origin_out, size_t size)
{
    snprintf(origin_out, size, "%s://%s:%s", parts->scheme, parts->host, parts->port);
    lower(origin_out);
}

static enum err_code check_parts(const struct url_parts *parts, const char *url, struct err *err)
{
    bool plain = strcasecmp(parts->scheme, "http") == 0;

    if (parts->user != NULL || parts->password != NULL)
        return refuse(err, "the base URL must not hold a user name or password");
    if (strchr(url, '?') != NULL)
        return refuse(err, "the base URL must not hold a query ('?')");
    if (strchr(url, '#') != NULL)
        return refuse(err, "the base URL must not hold a fragment ('#')");
    if (!plain && strcasecmp(parts->scheme, "https") != 0)
        return err_set(err, ERR_INPUT, "the base URL must begin with https://, not %.32s://",
                       parts->scheme);
    if (plain && !is_loopback_host(parts->host))
        return err_set(err, ERR_INPUT,
                       "plain http is for a loopback address only; '%.100s' must use https://",
                       parts->host);
    if (strcmp(parts->path, "/") == 0)
        return ERR_OK;
    if (request_path_check(slice_of(parts->path), err) != ERR_OK)
        return err_wrap(err, "base URL");
    return ERR_OK;
}

enum err_code base_url_read(const char *url, struct base_url *base_out, struct err *err)
{
    struct url_parts parts;
    size_t length;

    if (url_parts_read(url, "the base URL is no URL; it looks like https://host/path", &parts,
                       err) != ERR_OK)
        goto done;
    if (check_parts(&parts, url, err) != ERR_OK)
        goto done;
    /* libcurl decodes %7f in a host, and then does not take what it has made of it. */
    if (text_has_control(parts.host)) {
        refuse(err, "the base URL has a control character in its host");
        goto done;
    }
    err->code = ERR_OK;
    base_out->plain = strcasecmp(parts.scheme, "http") == 0;
    base_out->policy = base_out->plain             ? PEER_LOOPBACK
                       : is_local_host(parts.host) ? PEER_ANY
                                                   : PEER_PUBLIC;
    write_origin(&parts, base_out->origin, sizeof base_out->origin);
    length = strlen(parts.path);
    while (length > 0 && parts.path[length - 1] == '/')
        length--;
    if ((size_t)snprintf(base_out->text, sizeof base_out->text, "%s%.*s", base_out->origin,
                         (int)length, parts.path) >= sizeof base_out->text)
        refuse(err, "the base URL is too long");
done:
    url_parts_free(&parts);
    return err->code;
}

enum err_code curl_transport_check_base_url(const char *url, struct err *err)
{
    struct base_url base;

    return base_url_read(url, &base, err);
}

enum err_code curl_transport_origin(const char *url, char *origin_out, size_t size, struct err *err)
{
    struct url_parts parts;

    err->code = ERR_OK;
    if (url_parts_read(url, "no URL", &parts, err) == ERR_OK) {
        if (strlen(parts.scheme) + strlen(parts.host) + strlen(parts.port) + 5 > size)
            refuse(err, "the URL is too long");
        else
            write_origin(&parts, origin_out, size);
    }
    url_parts_free(&parts);
    return err->code;
}

/* "." and "..", also written with %2e, would climb out of the base path. */
static bool is_dots(const char *bytes, size_t length)
{
    size_t dots = 0, at = 0;

    while (at < length) {
        if (bytes[at] == '.')
            at++;
        else if (length - at >= 3 && strncasecmp(bytes + at, "%2e", 3) == 0)
            at += 3;
        else
            return false;
        dots++;
    }
    return dots == 1 || dots == 2;
}

static enum err_code check_segments(struct slice path, struct err *err)
{
    size_t start = 1, end = 0;

    for (; end < path.length && path.bytes[end] != '?'; end++) {
        if (path.bytes[end] != '/' || end == 0)
            continue;
        if (is_dots(path.bytes + start, end - start))
            return refuse(err, "the path must not hold '.' or '..' as a segment");
        start = end + 1;
    }
    if (is_dots(path.bytes + start, end - start))
        return refuse(err, "the path must not hold '.' or '..' as a segment");
    return ERR_OK;
}

enum err_code request_path_check(struct slice path, struct err *err)
{
    if (path.length == 0 || path.bytes[0] != '/' || (path.length > 1 && path.bytes[1] == '/'))
        return refuse(err, "the path must begin with one '/'");
    if (path.length > PATH_BYTES_MAX)
        return err_set(err, ERR_INPUT, "the path is longer than %d bytes", PATH_BYTES_MAX);
    for (size_t i = 0; i < path.length; i++) {
        unsigned char byte = (unsigned char)path.bytes[i];

        if (byte <= ' ' || byte >= 0x7f || strchr("#\\\"<>^`{|}", byte) != NULL)
            return err_set(err, ERR_INPUT,
                           "byte %zu of the path (0x%02x) must be percent-encoded in a URL", i + 1,
                           byte);
    }
    return check_segments(path, err);
}
