#include "purser/codec/zstandard.h"

#include <stdbool.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "purser/base/mem.h"

enum { OUT_BYTES = 128 * 1024 };

struct zstandard_reader {
    ZSTD_DCtx *context;
    struct byte_sink sink;
    bool in_frame;
    bool any; /* bytes have come */
    char out[OUT_BYTES];
};

enum err_code zstandard_reader_open(const struct byte_sink *sink,
                                    struct zstandard_reader **reader_out, struct err *err)
{
    struct zstandard_reader *reader = mem_new(1, sizeof *reader);

    if (reader != NULL)
        reader->context = ZSTD_createDCtx();
    if (reader == NULL || reader->context == NULL) {
        mem_free(reader);
        return err_set(err, ERR_NO_MEMORY, "Zstandard: out of memory");
    }
    reader->sink = *sink;
    *reader_out = reader;
    return ERR_OK;
}

void zstandard_reader_close(struct zstandard_reader *reader)
{
    if (reader == NULL)
        return;
    (void)ZSTD_freeDCtx(reader->context);
    mem_free(reader);
}

/* Of a frame of data, or of one that is passed over. Frames of before 2016 begin with another byte;
 * the library still reads those, but not alike when they come in pieces.
 * Source: RFC 8878, 3.1.1 and 3.1.2. */
static bool can_begin_frame(unsigned char byte)
{
    return byte == 0x28 || (byte & 0xf0) == 0x50;
}

enum err_code zstandard_reader_feed(struct zstandard_reader *reader, const char *bytes,
                                    size_t length, struct err *err)
{
    ZSTD_inBuffer in = {bytes, length, 0};
    ZSTD_outBuffer out;
    size_t hint;

    reader->any = reader->any || length > 0;
    do {
        if (!reader->in_frame && in.pos < in.size && !can_begin_frame((unsigned char)bytes[in.pos]))
            return err_set(err, ERR_INPUT, "damaged, or no Zstandard data: %s",
                           ZSTD_getErrorString(ZSTD_error_prefix_unknown));
        out = (ZSTD_outBuffer){reader->out, OUT_BYTES, 0};
        hint = ZSTD_decompressStream(reader->context, &out, &in);
        if (ZSTD_isError(hint) && ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation)
            return err_set(err, ERR_NO_MEMORY, "Zstandard: out of memory");
        if (ZSTD_isError(hint))
            return err_set(err, ERR_INPUT, "damaged, or no Zstandard data: %s",
                           ZSTD_getErrorName(hint));
        reader->in_frame = hint != 0;
        if (byte_sink_write(&reader->sink, reader->out, out.pos, err) != ERR_OK)
            return err->code;
        /* At 0 all is flushed; a call more would ask for the next frame. */
    } while (in.pos < in.size || (hint != 0 && out.pos == out.size));
    return ERR_OK;
}

enum err_code zstandard_reader_finish(struct zstandard_reader *reader, struct err *err)
{
    if (!reader->any)
        return err_set(err, ERR_INPUT, "empty: no Zstandard data");
    if (reader->in_frame)
        return err_set(err, ERR_INPUT, "cut short: the Zstandard data ends in the middle");
    return ERR_OK;
}
