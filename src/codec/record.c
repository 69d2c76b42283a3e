#include "record_fields.h"

#include <assert.h>
#include <msgpack.h>
#include <string.h>

#define HEADER_BYTES 9 /* version, checksum */

/* --- what stands in front of every record --- */

static void store_u64(unsigned char *bytes, uint64_t number)
{
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (56 - 8 * i));
}

static void make_header(enum record_kind kind, struct slice key, struct slice payload,
                        unsigned char header_out[HEADER_BYTES])
{
    unsigned char parts[2 + 8 + 8];

    parts[0] = RECORD_VERSION;
    parts[1] = (unsigned char)kind;
    store_u64(parts + 2, checksum64(key.bytes, key.length));
    store_u64(parts + 10, checksum64(payload.bytes, payload.length));
    header_out[0] = RECORD_VERSION;
    store_u64(header_out + 1, checksum64(parts, sizeof parts));
}

/* --- encoding --- */

static int write_bytes(void *data, const char *bytes, size_t length)
{
    buf_append(data, bytes, length);
    return 0; /* buf->failed is sticky and looked at once, by the caller */
}

static msgpack_packer packer_of(struct record_writer *writer)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, writer->buf, write_bytes);
    return packer;
}

struct record_writer record_begin(struct buf *buf, size_t field_count)
{
    static const unsigned char room[HEADER_BYTES] = {0};
    struct record_writer writer = {.buf = buf, .start = buf->length};
    msgpack_packer packer = packer_of(&writer);

    assert(field_count <= RECORD_FIELDS_MAX);
    buf_append(buf, room, sizeof room);
    msgpack_pack_array(&packer, field_count);
    return writer;
}

void record_end(struct record_writer *writer, enum record_kind kind, struct slice key)
{
    struct buf *buf = writer->buf;
    struct slice payload;
    unsigned char header[HEADER_BYTES];

    if (buf->failed != ERR_OK)
        return;
    payload = (struct slice){buf->bytes + writer->start + HEADER_BYTES,
                             buf->length - writer->start - HEADER_BYTES};
    make_header(kind, key, payload, header);
    memcpy(buf->bytes + writer->start, header, sizeof header);
}

void record_put_unsigned(struct record_writer *writer, uint64_t number)
{
    msgpack_packer packer = packer_of(writer);

    msgpack_pack_uint64(&packer, number);
}

void record_put_signed(struct record_writer *writer, int64_t number)
{
    msgpack_packer packer = packer_of(writer);

    msgpack_pack_int64(&packer, number);
}

void record_put_bool(struct record_writer *writer, bool value)
{
    msgpack_packer packer = packer_of(writer);

    if (value)
        msgpack_pack_true(&packer);
    else
        msgpack_pack_false(&packer);
}

void record_put_bytes(struct record_writer *writer, struct slice bytes, size_t max_bytes)
{
    msgpack_packer packer = packer_of(writer);

    if (bytes.length > max_bytes && writer->buf->failed == ERR_OK)
        writer->buf->failed = ERR_TOO_BIG;
    msgpack_pack_bin(&packer, bytes.length);
    msgpack_pack_bin_body(&packer, bytes.bytes, bytes.length);
}

void record_put_display_text(struct record_writer *writer, struct slice text, size_t max_bytes)
{
    if (text.length > max_bytes) {
        text.length = max_bytes;
        while (text.length > 0 && ((unsigned char)text.bytes[text.length] & 0xc0) == 0x80)
            text.length--;
    }
    record_put_bytes(writer, text, max_bytes);
}

void record_put_text(struct record_writer *writer, const char *text, size_t max_bytes)
{
    record_put_bytes(writer, (struct slice){text, strnlen(text, max_bytes)}, max_bytes);
}

void record_put_hash(struct record_writer *writer, struct hash128 hash)
{
    record_put_unsigned(writer, hash.high);
    record_put_unsigned(writer, hash.low);
}

/* --- decoding ---
 *
 * msgpack-c's unpacker to objects takes the element count of an array header at its word and
 * reserves gigabytes for five bytes. Its parser is also offered as a template without storage;
 * that is used here, with callbacks that keep the fields of one flat array in a fixed table. */

static int add_field(struct record_fields *fields, struct record_field field, int *object)
{
    *object = 0;
    if (!fields->in_array || fields->count >= fields->declared)
        return -1;
    fields->table[fields->count++] = field;
    return 0;
}

static int add_unsigned(struct record_fields *fields, uint64_t number, int *object)
{
    return add_field(fields, (struct record_field){.kind = RECORD_FIELD_UNSIGNED, .number = number},
                     object);
}

static int add_signed(struct record_fields *fields, int64_t number, int *object)
{
    enum record_field_kind kind = number < 0 ? RECORD_FIELD_NEGATIVE : RECORD_FIELD_UNSIGNED;

    return add_field(fields, (struct record_field){.kind = kind, .number = (uint64_t)number},
                     object);
}

static int add_bytes(struct record_fields *fields, const char *bytes, size_t length, int *object)
{
    struct slice slice = {length > 0 ? bytes : "", length};

    return add_field(fields, (struct record_field){.kind = RECORD_FIELD_BYTES, .bytes = slice},
                     object);
}

static int begin_array(struct record_fields *fields, size_t count)
{
    if (fields->in_array || count > RECORD_FIELDS_MAX)
        return -1;
    fields->in_array = true;
    fields->declared = count;
    return 0;
}

#define msgpack_unpack_struct(name) struct record_unpack##name
#define msgpack_unpack_func(type, name) static inline type record_unpack##name
#define msgpack_unpack_callback(name) on##name
#define msgpack_unpack_object int
#define msgpack_unpack_user struct record_fields *

/* The kinds of value that a record never holds. */
#define ON_REFUSED(name, type)                                                         \
    static inline int on##name(struct record_fields **fields, type value, int *object) \
    {                                                                                  \
        (void)fields, (void)value, (void)object;                                       \
        return -1;                                                                     \
    }
ON_REFUSED(_float, float)
ON_REFUSED(_double, double)
ON_REFUSED(_map, unsigned)

#define ON_NUMBER(name, type, function)                                                \
    static inline int on##name(struct record_fields **fields, type value, int *object) \
    {                                                                                  \
        return function(*fields, value, object);                                       \
    }
ON_NUMBER(_uint8, uint8_t, add_unsigned)
ON_NUMBER(_uint16, uint16_t, add_unsigned)
ON_NUMBER(_uint32, uint32_t, add_unsigned)
ON_NUMBER(_uint64, uint64_t, add_unsigned)
ON_NUMBER(_int8, int8_t, add_signed)
ON_NUMBER(_int16, int16_t, add_signed)
ON_NUMBER(_int32, int32_t, add_signed)
ON_NUMBER(_int64, int64_t, add_signed)

static inline int on_root(struct record_fields **fields)
{
    (void)fields;
    return 0;
}

static inline int on_nil(struct record_fields **fields, int *object)
{
    (void)fields, (void)object;
    return -1;
}

static inline int on_true(struct record_fields **fields, int *object)
{
    return add_field(*fields, (struct record_field){.kind = RECORD_FIELD_BOOL, .number = 1},
                     object);
}

static inline int on_false(struct record_fields **fields, int *object)
{
    return add_field(*fields, (struct record_field){.kind = RECORD_FIELD_BOOL}, object);
}

static inline int on_array(struct record_fields **fields, unsigned count, int *object)
{
    *object = 0;
    return begin_array(*fields, count);
}

static inline int on_array_item(struct record_fields **fields, int *array, int object)
{
    (void)fields, (void)array, (void)object;
    return 0;
}

static inline int on_map_item(struct record_fields **fields, int *map, int key, int value)
{
    (void)fields, (void)map, (void)key, (void)value;
    return -1;
}

static inline int on_bin(struct record_fields **fields, const char *base, const char *bytes,
                         unsigned length, int *object)
{
    (void)base;
    return add_bytes(*fields, bytes, length, object);
}

static inline int on_str(struct record_fields **fields, const char *base, const char *bytes,
                         unsigned length, int *object)
{
    (void)fields, (void)base, (void)bytes, (void)length, (void)object;
    return -1;
}

#define on_ext on_str

#include <msgpack/unpack_define.h>
#include <msgpack/unpack_template.h>

bool record_split(enum record_kind kind, struct slice key, struct slice bytes, size_t field_count,
                  struct record_fields *fields_out)
{
    struct record_unpack_context context;
    struct slice payload;
    unsigned char header[HEADER_BYTES];
    size_t offset = 0;

    memset(fields_out, 0, sizeof *fields_out);
    if (bytes.length <= HEADER_BYTES)
        return false;
    payload = (struct slice){bytes.bytes + HEADER_BYTES, bytes.length - HEADER_BYTES};
    make_header(kind, key, payload, header);
    if (memcmp(header, bytes.bytes, HEADER_BYTES) != 0)
        return false;
    context.user = fields_out;
    record_unpack_init(&context);
    if (record_unpack_execute(&context, payload.bytes, payload.length, &offset) != 1)
        return false;
    return offset == payload.length && fields_out->count == fields_out->declared &&
           (fields_out->count == field_count || field_count == RECORD_FIELDS_ANY);
}

static const struct record_field *take_field(struct record_fields *fields,
                                             enum record_field_kind kind)
{
    const struct record_field *field = &fields->table[fields->next];

    if (fields->refused || fields->next >= fields->count || field->kind != kind) {
        fields->refused = true;
        return NULL;
    }
    fields->next++;
    return field;
}

uint64_t record_take_unsigned(struct record_fields *fields, uint64_t max)
{
    const struct record_field *field = take_field(fields, RECORD_FIELD_UNSIGNED);

    if (field == NULL)
        return 0;
    if (field->number > max) {
        fields->refused = true;
        return 0;
    }
    return field->number;
}

uint32_t record_take_u32(struct record_fields *fields)
{
    return (uint32_t)record_take_unsigned(fields, UINT32_MAX);
}

uint16_t record_take_u16(struct record_fields *fields)
{
    return (uint16_t)record_take_unsigned(fields, UINT16_MAX);
}

int64_t record_take_signed(struct record_fields *fields)
{
    if (fields->next < fields->count && fields->table[fields->next].kind == RECORD_FIELD_NEGATIVE)
        return (int64_t)fields->table[fields->next++].number;
    return (int64_t)record_take_unsigned(fields, INT64_MAX);
}

bool record_take_bool(struct record_fields *fields)
{
    const struct record_field *field = take_field(fields, RECORD_FIELD_BOOL);

    return field != NULL && field->number == 1;
}

struct slice record_take_bytes(struct record_fields *fields, size_t max_bytes)
{
    const struct record_field *field = take_field(fields, RECORD_FIELD_BYTES);

    if (field != NULL && field->bytes.length <= max_bytes)
        return field->bytes;
    fields->refused = true;
    return (struct slice){"", 0};
}

void record_take_text(struct record_fields *fields, char *text_out, size_t max_bytes)
{
    struct slice bytes = record_take_bytes(fields, max_bytes);

    if (bytes.length > 0 && memchr(bytes.bytes, '\0', bytes.length) != NULL)
        fields->refused = true;
    memcpy(text_out, bytes.bytes, bytes.length);
    text_out[bytes.length] = '\0';
}

struct hash128 record_take_hash(struct record_fields *fields)
{
    struct hash128 hash;

    hash.high = record_take_unsigned(fields, UINT64_MAX);
    hash.low = record_take_unsigned(fields, UINT64_MAX);
    return hash;
}

bool record_all_taken(const struct record_fields *fields)
{
    return !fields->refused && fields->next == fields->count;
}
