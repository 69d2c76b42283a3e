/* Bytes of the ledger are refused or decode to a value that encodes to the same bytes. The first
 * byte chooses the kind; the checksum is made right, else nothing would ever get past it. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/checksum.h"
#include "purser/codec/record.h"

#define RECORD_BYTES_MAX (1u << 20)
#define HEADER_BYTES 9
/* As record_fields.h numbers them. */
enum {
    KIND_ITEM = 1,
    KIND_REQUEST,
    KIND_ATTEMPT,
    KIND_RESULT,
    KIND_RUN,
    KIND_CONNECTION,
    KIND_NEEDS,
    KIND_SCHEDULE,
    KIND_SLOT
};
#define KIND_COUNT 9

static const struct slice key = {"key", 3};

static void store_u64(unsigned char *bytes, uint64_t number)
{
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (56 - 8 * i));
}

/* The header that record.c puts in front: version, and a checksum over version, kind, key and
 * payload. If it changes, nothing gets past it and LAW in check_header() says so. */
static void make_header(uint8_t kind, const char *payload, size_t length, char *header)
{
    unsigned char parts[18];

    parts[0] = RECORD_VERSION;
    parts[1] = kind;
    store_u64(parts + 2, checksum64(key.bytes, key.length));
    store_u64(parts + 10, checksum64(payload, length));
    header[0] = RECORD_VERSION;
    store_u64((unsigned char *)header + 1, checksum64(parts, sizeof parts));
}

static void check_header(void)
{
    struct run_record run = {.started_ms = 1};
    char header[HEADER_BYTES];
    struct buf buf;

    buf_init(&buf, RECORD_BYTES_MAX);
    record_put_run(&buf, key, &run);
    make_header(KIND_RUN, buf.bytes + HEADER_BYTES, buf.length - HEADER_BYTES, header);
    LAW(memcmp(header, buf.bytes, HEADER_BYTES) == 0);
    buf_deinit(&buf);
}

/* Encodes what was decoded; nothing is appended when it was refused. */
static void decode_and_encode(uint8_t kind, struct slice bytes, struct buf *buf)
{
    struct item item;
    struct frozen_request request;
    struct attempt_record attempt;
    struct result_record result;
    struct run_record run;
    struct connection_record connection;
    struct needs_record needs;
    struct schedule_record schedule;
    struct slot_record slot;

    if (kind == KIND_ITEM && record_get_item(key, bytes, &item))
        record_put_item(buf, key, &item);
    else if (kind == KIND_REQUEST && record_get_request(key, bytes, &request))
        record_put_request(buf, key, &request);
    else if (kind == KIND_ATTEMPT && record_get_attempt(key, bytes, &attempt))
        record_put_attempt(buf, key, &attempt);
    else if (kind == KIND_RESULT && record_get_result(key, bytes, &result))
        record_put_result(buf, key, &result);
    else if (kind == KIND_RUN && record_get_run(key, bytes, &run))
        record_put_run(buf, key, &run);
    else if (kind == KIND_CONNECTION && record_get_connection(key, bytes, &connection))
        record_put_connection(buf, key, &connection);
    else if (kind == KIND_NEEDS && record_get_needs(key, bytes, &needs))
        record_put_needs(buf, key, &needs);
    else if (kind == KIND_SCHEDULE && record_get_schedule(key, bytes, &schedule))
        record_put_schedule(buf, key, &schedule);
    else if (kind == KIND_SLOT && record_get_slot(key, bytes, &slot))
        record_put_slot(buf, key, &slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct buf first, second;
    uint8_t kind;
    char *copy;

    check_header();
    if (length == 0)
        return 0;
    kind = (uint8_t)(bytes[0] % KIND_COUNT + 1);
    length--;
    buf_init(&first, RECORD_BYTES_MAX);
    buf_init(&second, RECORD_BYTES_MAX);
    /* In memory of exactly its size, so that reading past the end is seen. */
    copy = malloc(HEADER_BYTES + length);
    LAW(copy != NULL);
    memcpy(copy + HEADER_BYTES, bytes + 1, length);
    make_header(kind, copy + HEADER_BYTES, length, copy);
    decode_and_encode(kind, (struct slice){copy, HEADER_BYTES + length}, &first);
    if (first.failed == ERR_OK && first.length > 0) {
        decode_and_encode(kind, (struct slice){first.bytes, first.length}, &second);
        LAW(second.failed == ERR_OK && first.length == second.length &&
            memcmp(first.bytes, second.bytes, first.length) == 0);
    }
    free(copy);
    buf_deinit(&first);
    buf_deinit(&second);
    LAW_NOTHING_LEFT();
    return 0;
}
