#include "purser/core/key.h"

#include "purser/base/digest.h"

static struct digest_part part_of(struct slice slice)
{
    return (struct digest_part){.bytes = slice.bytes, .length = slice.length};
}

/* Writes the number without leading zeros and returns its length. */
static size_t write_decimal(uint32_t number, char out[10])
{
    char reversed[10];
    size_t length = 0;

    do {
        reversed[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    for (size_t i = 0; i < length; i++)
        out[i] = reversed[length - 1 - i];
    return length;
}

void key_derive(struct slice spec_name, struct slice job, struct slice connection,
                struct slice item_key, uint32_t generation, char key_out[KEY_TEXT_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    char decimal[10];
    uint8_t digest[DIGEST_BYTES];
    size_t length = write_decimal(generation, decimal);
    const struct digest_part parts[] = {
        part_of(SLICE("purser-key-1")),
        part_of(spec_name),
        part_of(job),
        part_of(connection),
        part_of(item_key),
        {decimal, length},
    };
    char *out = key_out;

    digest_parts(parts, sizeof parts / sizeof parts[0], digest);
    /* Version 4 and the variant of RFC 9562, so that a server that checks the form is content. */
    digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x40);
    digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = hex[digest[i] >> 4];
        *out++ = hex[digest[i] & 0x0f];
    }
    *out = '\0';
}
