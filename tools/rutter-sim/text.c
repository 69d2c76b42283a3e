#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ARENA_BLOCK_BYTES (1024 * 1024)

struct slice slice_of(const char *string)
{
    return (struct slice){string, strlen(string)};
}

bool slice_equal_ignoring_case(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || strncasecmp(a.bytes, b.bytes, a.length) == 0);
}

bool slice_starts_with(struct slice text, struct slice prefix)
{
    return text.length >= prefix.length &&
           (prefix.length == 0 || memcmp(text.bytes, prefix.bytes, prefix.length) == 0);
}

const char *slice_find(struct slice text, struct slice needle)
{
    if (text.length < needle.length || needle.length == 0)
        return NULL;
    return memmem(text.bytes, text.length, needle.bytes, needle.length);
}

bool slice_to_number(struct slice text, uint64_t maximum, uint64_t *number_out)
{
    uint64_t number = 0;

    if (text.length == 0 || text.length > 18)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.bytes[i] - '0');
    }
    if (number > maximum)
        return false;
    *number_out = number;
    return true;
}

void *memory_new(size_t bytes)
{
    return memory_grow(NULL, bytes);
}

void *memory_grow(void *old, size_t bytes)
{
    void *grown = realloc(old, bytes);

    if (grown == NULL) {
        fprintf(stderr, "rutter-sim: out of memory (%zu bytes wanted)\n", bytes);
        exit(1);
    }
    return grown;
}

void text_clear(struct text *text)
{
    text->length = 0;
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

void text_grow(struct text *text, size_t more)
{
    size_t wanted = text->capacity == 0 ? 1024 : text->capacity;

    while (wanted - text->length < more)
        wanted *= 2;
    text->bytes = memory_grow(text->bytes, wanted);
    text->capacity = wanted;
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, slice_of(string));
}

void text_add_number(struct text *text, uint64_t number)
{
    char digits[20];
    size_t start = sizeof digits;

    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add(text, (struct slice){digits + start, sizeof digits - start});
}

static const char hex_digits[] = "0123456789abcdef";

void text_add_hex(struct text *text, const unsigned char *bytes, size_t count)
{
    char *out = text_reserve(text, count * 2);

    for (size_t i = 0; i < count; i++) {
        *out++ = hex_digits[bytes[i] >> 4];
        *out++ = hex_digits[bytes[i] & 15];
    }
    text->length += count * 2;
}

void text_add_escaped(struct text *text, struct slice slice)
{
    for (size_t i = 0; i < slice.length; i++) {
        unsigned char c = (unsigned char)slice.bytes[i];

        if (c == '"' || c == '\\')
            text_addf(text, "\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            text_addf(text, "\\u%04x", c); /* header bytes: one byte, one Latin-1 character */
        else
            text_add(text, (struct slice){slice.bytes + i, 1});
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void text_add_decoded(struct text *text, struct slice slice)
{
    for (size_t i = 0; i < slice.length; i++) {
        char c = slice.bytes[i] == '+' ? ' ' : slice.bytes[i];

        if (c == '%' && i + 2 < slice.length && hex_value(slice.bytes[i + 1]) >= 0 &&
            hex_value(slice.bytes[i + 2]) >= 0) {
            c = (char)(hex_value(slice.bytes[i + 1]) << 4 | hex_value(slice.bytes[i + 2]));
            i += 2;
        }
        text_add(text, (struct slice){&c, 1});
    }
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    text_reserve(text, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

struct slice text_slice(const struct text *text)
{
    return (struct slice){text->bytes, text->length};
}

void *arena_take(struct arena *arena, size_t bytes)
{
    void *taken;

    bytes = (bytes + 7) & ~(size_t)7;
    arena->total_bytes += bytes;
    if (bytes > ARENA_BLOCK_BYTES / 4)
        return memory_new(bytes);
    if (arena->left < bytes) {
        arena->next = memory_new(ARENA_BLOCK_BYTES);
        arena->left = ARENA_BLOCK_BYTES;
    }
    taken = arena->next;
    arena->next += bytes;
    arena->left -= bytes;
    return taken;
}

struct slice arena_copy(struct arena *arena, struct slice slice)
{
    char *copy;

    if (slice.length == 0)
        return (struct slice){NULL, 0};
    copy = arena_take(arena, slice.length);
    memcpy(copy, slice.bytes, slice.length);
    return (struct slice){copy, slice.length};
}

uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b * 0x9e3779b97f4a7c15u);

    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

uint64_t hash_bytes(uint64_t seed, struct slice slice)
{
    uint64_t hash = hash_mix(seed, slice.length + 1);
    size_t i = 0;
    uint64_t word;

    for (; i + 8 <= slice.length; i += 8) {
        memcpy(&word, slice.bytes + i, 8);
        hash = hash_mix(hash, word);
    }
    if (i < slice.length) {
        word = 0;
        memcpy(&word, slice.bytes + i, slice.length - i);
        hash = hash_mix(hash, word);
    }
    return hash;
}

/* The two digits of each byte, made once. */
static char hex_pairs[256][2];

static void put_hex(char *out, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--) {
        memcpy(out + (i - 1) * 2, hex_pairs[value & 255], 2);
        value >>= 8;
    }
}

static void make_hex_pairs(void)
{
    for (size_t i = 0; i < 256; i++) {
        hex_pairs[i][0] = hex_digits[i >> 4];
        hex_pairs[i][1] = hex_digits[i & 15];
    }
}

void uuid_format(char out[UUID_LENGTH], uint64_t high, uint64_t low)
{
    if (hex_pairs[0][0] == 0)
        make_hex_pairs();
    high = (high & ~(uint64_t)0xf000) | 0x4000;
    low = (low & ~((uint64_t)3 << 62)) | ((uint64_t)2 << 62);
    put_hex(out, high >> 32, 4);
    put_hex(out + 9, high >> 16, 2);
    put_hex(out + 14, high, 2);
    put_hex(out + 19, low >> 48, 2);
    put_hex(out + 24, low, 6);
    out[8] = out[13] = out[18] = out[23] = '-';
}

bool uuid_is_valid(struct slice text)
{
    if (text.length != UUID_LENGTH)
        return false;
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        char c = text.bytes[i];
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

        if (is_dash ? c != '-' : !is_hex)
            return false;
    }
    return true;
}
