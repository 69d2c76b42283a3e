#include "purser/codec/gzip.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "purser/base/mem.h"

enum { OUT_BYTES = 64 * 1024, WINDOW_BITS_GZIP = 15 + 16 };

struct gzip_reader {
    z_stream stream;
    struct byte_sink sink;
    bool in_member; /* the trailer of the last one has not come yet */
    bool any;       /* a member has ended */
    bool padded;    /* zeros have come behind one */
    unsigned char out[OUT_BYTES];
};

static voidpf take_memory(voidpf opaque, uInt count, uInt size)
{
    (void)opaque;
    return mem_new(count, size);
}

static void give_memory(voidpf opaque, voidpf block)
{
    (void)opaque;
    mem_free(block);
}

enum err_code gzip_reader_open(const struct byte_sink *sink, struct gzip_reader **reader_out,
                               struct err *err)
{
    struct gzip_reader *reader = mem_new(1, sizeof *reader);

    if (reader == NULL)
        return err_set(err, ERR_NO_MEMORY, "gzip: out of memory");
    reader->sink = *sink;
    reader->stream.zalloc = take_memory;
    reader->stream.zfree = give_memory;
    if (inflateInit2(&reader->stream, WINDOW_BITS_GZIP) != Z_OK) {
        mem_free(reader);
        return err_set(err, ERR_NO_MEMORY, "gzip: out of memory");
    }
    *reader_out = reader;
    return ERR_OK;
}

void gzip_reader_close(struct gzip_reader *reader)
{
    if (reader == NULL)
        return;
    (void)inflateEnd(&reader->stream);
    mem_free(reader);
}

/* Between members: zeros are padding, anything else is the next member. */
static bool pass_padding(struct gzip_reader *reader)
{
    z_stream *stream = &reader->stream;

    while (reader->any && stream->avail_in > 0 && *stream->next_in == 0) {
        reader->padded = true;
        stream->next_in++;
        stream->avail_in--;
    }
    return stream->avail_in > 0;
}

static enum err_code inflate_once(struct gzip_reader *reader, struct err *err)
{
    z_stream *stream = &reader->stream;
    int status;

    stream->next_out = reader->out;
    stream->avail_out = OUT_BYTES;
    status = inflate(stream, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR)
        return err_set(err, ERR_NO_MEMORY, "gzip: out of memory");
    /* Z_BUF_ERROR: it can go no further with what it was given. */
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        return err_set(err, ERR_INPUT, "%s: %s",
                       reader->any ? "damaged gzip data, or more behind its end"
                                   : "damaged, or no gzip data",
                       stream->msg == NULL ? "invalid data" : stream->msg);
    if (byte_sink_write(&reader->sink, (const char *)reader->out, OUT_BYTES - stream->avail_out,
                        err) != ERR_OK)
        return err->code;
    if (status == Z_STREAM_END) {
        reader->in_member = false;
        reader->any = true;
        (void)inflateReset(stream);
    }
    return ERR_OK;
}

enum err_code gzip_reader_feed(struct gzip_reader *reader, const char *bytes, size_t length,
                               struct err *err)
{
    z_stream *stream = &reader->stream;

    while (length > 0) {
        uInt part = length < 1u << 30 ? (uInt)length : 1u << 30;

        /* zlib does not write there; its type lacks the const. */
        memcpy(&stream->next_in, &bytes, sizeof bytes);
        stream->avail_in = part;
        do {
            if (!reader->in_member && !pass_padding(reader))
                break;
            if (reader->padded)
                return err_set(err, ERR_INPUT, "damaged gzip data: more behind its padding");
            reader->in_member = true;
            if (inflate_once(reader, err) != ERR_OK)
                return err->code;
        } while (stream->avail_in > 0 || stream->avail_out == 0);
        bytes += part;
        length -= part;
    }
    return ERR_OK;
}

enum err_code gzip_reader_finish(struct gzip_reader *reader, struct err *err)
{
    if (reader->in_member)
        return err_set(err, ERR_INPUT, "cut short: the gzip data ends in the middle");
    if (!reader->any)
        return err_set(err, ERR_INPUT, "empty: no gzip data");
    return ERR_OK;
}
