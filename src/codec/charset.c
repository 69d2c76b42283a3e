#include "purser/codec/charset.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "purser/base/mem.h"

enum { OUT_BYTES = 64 * 1024, HELD_BYTES = 8 };

struct charset_reader {
    enum source_encoding encoding;
    struct byte_sink sink;
    iconv_t converter; /* (iconv_t)-1 = not known yet: the byte order of UTF-16 */
    size_t held_count; /* bytes of a mark or a character that is not complete */
    char held[HELD_BYTES];
    bool started; /* the place of a mark is past */
    bool after_return;
    uint32_t line, column; /* of the next character */
    char out[OUT_BYTES];
};

const char *charset_name(enum source_encoding encoding)
{
    static const char *const names[] = {[ENCODING_UTF_8] = "utf-8",
                                        [ENCODING_LATIN_1] = "latin-1",
                                        [ENCODING_WINDOWS_1252] = "windows-1252",
                                        [ENCODING_UTF_16] = "utf-16"};

    return names[encoding];
}

bool charset_of_mark(const char *bytes, size_t length, enum source_encoding *encoding_out)
{
    bool is_utf_8 = length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
    bool is_utf_16 =
        length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0);

    *encoding_out = is_utf_8 ? ENCODING_UTF_8 : ENCODING_UTF_16;
    return is_utf_8 || is_utf_16;
}

static enum err_code open_converter(struct charset_reader *reader, const char *from,
                                    struct err *err)
{
    reader->converter = iconv_open("UTF-8", from);
    if (reader->converter != (iconv_t)-1)
        return ERR_OK;
    return err_set(err, errno == ENOMEM ? ERR_NO_MEMORY : ERR_SYSTEM,
                   "this system cannot convert %s: %s", from, strerror(errno));
}

enum err_code charset_reader_open(enum source_encoding encoding, const struct byte_sink *sink,
                                  struct charset_reader **reader_out, struct err *err)
{
    static const char *const names[] = {[ENCODING_UTF_8] = "UTF-8",
                                        [ENCODING_LATIN_1] = "ISO-8859-1",
                                        [ENCODING_WINDOWS_1252] = "CP1252"};
    struct charset_reader *reader = mem_new(1, sizeof *reader);

    if (reader == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for decoding");
    reader->encoding = encoding;
    reader->sink = *sink;
    reader->line = reader->column = 1;
    reader->converter = (iconv_t)-1;
    if (encoding != ENCODING_UTF_16 && open_converter(reader, names[encoding], err) != ERR_OK) {
        mem_free(reader);
        return err->code;
    }
    *reader_out = reader;
    return ERR_OK;
}

void charset_reader_close(struct charset_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->converter != (iconv_t)-1)
        (void)iconv_close(reader->converter);
    mem_free(reader);
}

void charset_reader_place(const struct charset_reader *reader, uint32_t *line_out,
                          uint32_t *column_out)
{
    *line_out = reader->line;
    *column_out = reader->column;
}

static void count(struct charset_reader *reader, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool ends = bytes[i] == '\r' || (bytes[i] == '\n' && !reader->after_return);

        if (ends && reader->line < UINT32_MAX)
            reader->line++;
        if (ends || bytes[i] == '\n')
            reader->column = 1;
        else
            reader->column += ((unsigned char)bytes[i] & 0xc0) != 0x80;
        reader->after_return = bytes[i] == '\r';
    }
}

static enum err_code refuse(struct charset_reader *reader, const char *bytes, size_t length,
                            struct err *err)
{
    size_t unit = reader->encoding == ENCODING_UTF_16 && length > 1 ? 2 : 1;

    return err_set(err, ERR_INPUT, "the byte%s 0x%02x%s%.*x %s no %s", unit == 2 ? "s" : "",
                   (unsigned char)bytes[0], unit == 2 ? " 0x" : "", unit == 2 ? 2 : 0,
                   unit == 2 ? (unsigned char)bytes[1] : 0u, unit == 2 ? "are" : "is",
                   charset_name(reader->encoding));
}

/* Converts all of `bytes` but a character at its end that is not complete; that is held. */
static enum err_code convert(struct charset_reader *reader, const char *bytes, size_t length,
                             struct err *err)
{
    while (length > 0) {
        char *in = NULL, *out = reader->out;
        size_t room = OUT_BYTES;
        size_t status;
        int reason;

        memcpy(&in, &bytes,
               sizeof bytes); /* iconv does not write there; its type lacks the const */
        status = iconv(reader->converter, &in, &length, &out, &room);
        reason = errno;
        count(reader, reader->out, OUT_BYTES - room);
        if (byte_sink_write(&reader->sink, reader->out, OUT_BYTES - room, err) != ERR_OK)
            return err->code;
        bytes = in;
        if (status != (size_t)-1 || reason == E2BIG)
            continue;
        if (reason != EINVAL)
            return refuse(reader, bytes, length, err);
        assert(length < HELD_BYTES);
        memcpy(reader->held, bytes, length);
        reader->held_count = length;
        return ERR_OK;
    }
    return ERR_OK;
}

/* `bytes` are the first of the text, enough of them to hold a mark. */
static enum err_code start(struct charset_reader *reader, const char *bytes, size_t length,
                           size_t *mark_length_out, struct err *err)
{
    enum source_encoding marked;
    bool has_mark = charset_of_mark(bytes, length, &marked);

    reader->started = true;
    *mark_length_out = 0;
    if (has_mark && marked != reader->encoding)
        return err_set(err, ERR_INPUT, "it begins with the byte order mark of %s, so it is not %s",
                       charset_name(marked), charset_name(reader->encoding));
    if (has_mark)
        *mark_length_out = marked == ENCODING_UTF_8 ? 3 : 2;
    if (reader->encoding != ENCODING_UTF_16)
        return ERR_OK;
    return open_converter(reader, has_mark && bytes[0] == '\xfe' ? "UTF-16BE" : "UTF-16LE", err);
}

enum err_code charset_reader_feed(struct charset_reader *reader, const char *bytes, size_t length,
                                  struct err *err)
{
    /* A few bytes first, until what was held is a whole character, or a mark can be seen. */
    while (length > 0 && (reader->held_count > 0 || !reader->started)) {
        char held[HELD_BYTES];
        size_t held_count, mark = 0;

        reader->held[reader->held_count++] = *bytes++;
        length--;
        if (!reader->started && reader->held_count < 3)
            continue;
        held_count = reader->held_count;
        memcpy(held, reader->held, held_count);
        reader->held_count = 0;
        if (!reader->started && start(reader, held, held_count, &mark, err) != ERR_OK)
            return err->code;
        if (convert(reader, held + mark, held_count - mark, err) != ERR_OK)
            return err->code;
    }
    return length == 0 ? ERR_OK : convert(reader, bytes, length, err);
}

enum err_code charset_reader_finish(struct charset_reader *reader, struct err *err)
{
    char held[HELD_BYTES];
    size_t held_count = reader->held_count, mark = 0;

    if (!reader->started) {
        memcpy(held, reader->held, held_count);
        reader->held_count = 0;
        if (start(reader, held, held_count, &mark, err) != ERR_OK ||
            convert(reader, held + mark, held_count - mark, err) != ERR_OK)
            return err->code;
    }
    if (reader->held_count > 0)
        return err_set(err, ERR_INPUT, "the text ends in the middle of a character of %s",
                       charset_name(reader->encoding));
    return ERR_OK;
}
