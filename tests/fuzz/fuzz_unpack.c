/* What is unpacked and decoded does not depend on how the bytes were cut into chunks. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/byte_sink.h"
#include "purser/base/checksum.h"
#include "purser/codec/charset.h"
#include "purser/codec/gzip.h"
#include "purser/codec/zstandard.h"

enum { KINDS = 6, BYTES_MAX = 1024 * 1024 };

struct outcome {
    struct buf bytes;
    enum err_code code;
};

/* A few bytes may unpack to gigabytes. */
static enum err_code take(void *context, const char *bytes, size_t length, struct err *err)
{
    struct outcome *outcome = context;

    LAW(length > 0);
    if (outcome->bytes.length + length > BYTES_MAX)
        return err_set(err, ERR_TOO_BIG, "enough");
    buf_append(&outcome->bytes, bytes, length);
    return ERR_OK;
}

#define RUN(module)                                                                                \
    do {                                                                                           \
        for (size_t at = 0; at < length && outcome->code == ERR_OK; at += chunk)                   \
            outcome->code = module##_reader_feed(module, bytes + at,                               \
                                                 length - at < chunk ? length - at : chunk, &err); \
        if (outcome->code == ERR_OK)                                                               \
            outcome->code = module##_reader_finish(module, &err);                                  \
        module##_reader_close(module);                                                             \
    } while (0)

static void run(unsigned kind, const char *bytes, size_t length, size_t chunk,
                struct outcome *outcome)
{
    const struct byte_sink sink = {take, outcome};
    struct gzip_reader *gzip;
    struct zstandard_reader *zstandard;
    struct charset_reader *charset;
    struct err err = {0};

    *outcome = (struct outcome){.code = ERR_OK};
    buf_init(&outcome->bytes, BYTES_MAX);
    if (kind == 0) {
        if (gzip_reader_open(&sink, &gzip, &err) != ERR_OK)
            abort();
        RUN(gzip);
    } else if (kind == 1) {
        if (zstandard_reader_open(&sink, &zstandard, &err) != ERR_OK)
            abort();
        RUN(zstandard);
    } else {
        if (charset_reader_open((enum source_encoding)(kind - 2), &sink, &charset, &err) != ERR_OK)
            abort();
        RUN(charset);
    }
    LAW(outcome->code == ERR_OK || err.text[0] != '\0');
}

/* The first byte says what it is, the second how it is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    struct outcome whole, parts;
    const char *bytes = (const char *)input + 2;
    size_t bad;

    if (length < 3)
        return 0;
    length -= 2;
    run(input[0] % KINDS, bytes, length, length, &whole);
    run(input[0] % KINDS, bytes, length, input[1] % 17 + 1u, &parts);
    LAW(whole.code == parts.code || whole.code == ERR_TOO_BIG || parts.code == ERR_TOO_BIG);
    if (whole.code == ERR_OK)
        LAW(whole.bytes.length == parts.bytes.length &&
            (whole.bytes.length == 0 ||
             memcmp(whole.bytes.bytes, parts.bytes.bytes, whole.bytes.length) == 0));
    /* A NUL is a character of every encoding, and no text for purser. */
    if (whole.code == ERR_OK && input[0] % KINDS >= 2 && whole.bytes.length > 0)
        LAW(text_is_utf8(whole.bytes.bytes, whole.bytes.length, &bad) ||
            whole.bytes.bytes[bad] == '\0');
    buf_deinit(&whole.bytes);
    buf_deinit(&parts.bytes);
    LAW_NOTHING_LEFT();
    return 0;
}
