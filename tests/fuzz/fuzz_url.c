/* A base URL and a path, one line each. libcurl is the second opinion: a base that is accepted has
 * nothing but scheme, host, port and path, and plain http goes to a loopback address alone; with an
 * accepted path behind it, libcurl still goes to the same origin, and to that very path. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "curl_transport_internal.h"
#include "fuzz.h"

enum { LINE_BYTES_MAX = 3000 };

static bool part_is(CURLU *handle, CURLUPart part, unsigned flags, const char *wanted)
{
    char *text = NULL;
    bool same;

    if (curl_url_get(handle, part, &text, flags) != CURLUE_OK || text == NULL)
        same = wanted == NULL;
    else
        same = wanted != NULL && strcmp(text, wanted) == 0;
    curl_free(text);
    return same;
}

static void check_loopback(CURLU *handle)
{
    char *host = NULL, address[64];
    uint8_t ip[16];

    LAW(curl_url_get(handle, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    (void)snprintf(address, sizeof address, "%s", host[0] == '[' ? host + 1 : host);
    address[strcspn(address, "]")] = '\0';
    if (inet_pton(AF_INET, address, ip) == 1)
        LAW(ip[0] == 127);
    else if (inet_pton(AF_INET6, address, ip) == 1)
        LAW(IN6_IS_ADDR_LOOPBACK((struct in6_addr *)ip) ||
            (IN6_IS_ADDR_V4MAPPED((struct in6_addr *)ip) && ip[12] == 127));
    else
        LAW(strcasecmp(host, "localhost") == 0);
    curl_free(host);
}

static void check_base(const struct base_url *base)
{
    CURLU *handle = curl_url();
    char origin[BASE_URL_BYTES_MAX];
    struct err err = {0};

    LAW(handle != NULL && curl_url_set(handle, CURLUPART_URL, base->text, 0) == CURLUE_OK);
    LAW(part_is(handle, CURLUPART_USER, 0, NULL) && part_is(handle, CURLUPART_PASSWORD, 0, NULL));
    LAW(part_is(handle, CURLUPART_QUERY, 0, NULL) && part_is(handle, CURLUPART_FRAGMENT, 0, NULL));
    LAW(part_is(handle, CURLUPART_SCHEME, 0, base->plain ? "http" : "https"));
    LAW(strncmp(base->text, base->origin, strlen(base->origin)) == 0);
    if (base->plain)
        check_loopback(handle);
    /* With the port written out it may be longer than a URL that is asked about. */
    if (strlen(base->text) < BASE_URL_BYTES_MAX / 2) {
        LAW(curl_transport_origin(base->text, origin, sizeof origin, &err) == ERR_OK);
        LAW(strcmp(origin, base->origin) == 0);
    }
    curl_url_cleanup(handle);
}

static void check_path(const struct base_url *base, struct slice path)
{
    CURLU *handle;
    struct err err = {0};
    char url[2 * BASE_URL_BYTES_MAX + PATH_BYTES_MAX], origin[2 * BASE_URL_BYTES_MAX], *got = NULL;
    size_t before = strlen(base->text) - strlen(base->origin), length;

    if (request_path_check(path, &err) != ERR_OK) {
        LAW(err.text[0] != '\0');
        return;
    }
    length = (size_t)snprintf(url, sizeof url, "%s%.*s", base->text, (int)path.length, path.bytes);
    LAW(length < sizeof url);
    handle = curl_url();
    LAW(handle != NULL && curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK);
    LAW(part_is(handle, CURLUPART_USER, 0, NULL) && part_is(handle, CURLUPART_FRAGMENT, 0, NULL));
    LAW(curl_url_get(handle, CURLUPART_PATH, &got, 0) == CURLUE_OK);
    length = (const char *)memchr(path.bytes, '?', path.length) != NULL
                 ? (size_t)((const char *)memchr(path.bytes, '?', path.length) - path.bytes)
                 : path.length;
    LAW(strlen(got) == before + length);
    LAW(strncmp(got, base->text + strlen(base->origin), before) == 0);
    LAW(strncmp(got + before, path.bytes, length) == 0);
    curl_free(got);
    curl_url_cleanup(handle);
    if (strlen(url) < BASE_URL_BYTES_MAX / 2) {
        LAW(curl_transport_origin(url, origin, sizeof origin, &err) == ERR_OK);
        LAW(strcmp(origin, base->origin) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *line = memchr(bytes, '\n', length);
    char text[LINE_BYTES_MAX];
    struct base_url base;
    struct err err = {0};
    size_t url_length = line == NULL ? length : (size_t)(line - bytes);

    if (url_length >= sizeof text || length - url_length > 2 * PATH_BYTES_MAX)
        return 0;
    memcpy(text, bytes, url_length);
    text[url_length] = '\0';
    if (base_url_read(text, &base, &err) != ERR_OK)
        LAW(err.text[0] != '\0');
    else {
        check_base(&base);
        if (line != NULL)
            check_path(&base, (struct slice){(const char *)line + 1, length - url_length - 1});
    }
    LAW_NOTHING_LEFT();
    return 0;
}
