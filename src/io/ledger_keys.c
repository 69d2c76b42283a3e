#include "ledger_keys.h"

#include <assert.h>
#include <string.h>

#include "purser/base/checksum.h"

_Static_assert(LEDGER_KEY_BYTES_MAX <= 511, "LMDB's default maximum of a key");

struct slice ledger_key_slice(const struct ledger_key *key)
{
    return (struct slice){key->bytes, key->length};
}

void ledger_store_u32(char *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(unsigned char)(number >> (24 - 8 * i));
}

void ledger_store_u64(char *bytes, uint64_t number)
{
    ledger_store_u32(bytes, (uint32_t)(number >> 32));
    ledger_store_u32(bytes + 4, (uint32_t)number);
}

uint32_t ledger_load_u32(const char *bytes)
{
    uint32_t number = 0;

    for (int i = 0; i < 4; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return number;
}

uint64_t ledger_load_u64(const char *bytes)
{
    return (uint64_t)ledger_load_u32(bytes) << 32 | ledger_load_u32(bytes + 4);
}

struct ledger_key ledger_key_text(const char *text)
{
    struct ledger_key key;

    key.length = strlen(text);
    assert(key.length <= sizeof key.bytes);
    memcpy(key.bytes, text, key.length);
    return key;
}

static void append_u32(struct ledger_key *key, uint32_t number)
{
    assert(key->length + 4 <= sizeof key->bytes);
    ledger_store_u32(key->bytes + key->length, number);
    key->length += 4;
}

static void append_u64(struct ledger_key *key, uint64_t number)
{
    append_u32(key, (uint32_t)(number >> 32));
    append_u32(key, (uint32_t)number);
}

struct ledger_key ledger_key_text_u32(const char *text, uint32_t number)
{
    struct ledger_key key = ledger_key_text(text);

    append_u32(&key, number);
    return key;
}

struct ledger_key ledger_key_counts(uint32_t job, uint32_t connection)
{
    struct ledger_key key = ledger_key_text_u32(LEDGER_META_COUNTS, job);

    append_u32(&key, connection);
    return key;
}

struct ledger_key ledger_key_name(uint32_t job, uint32_t connection, struct slice item_key)
{
    struct ledger_key key;

    assert(item_key.length <= ITEM_KEY_BYTES_MAX);
    key.length = 0;
    append_u32(&key, job);
    append_u32(&key, connection);
    if (item_key.length > 0)
        memcpy(key.bytes + key.length, item_key.bytes, item_key.length);
    key.length += item_key.length;
    return key;
}

struct ledger_key ledger_key_item(uint64_t number)
{
    struct ledger_key key;

    key.length = 0;
    append_u64(&key, number);
    return key;
}

struct ledger_key ledger_key_attempt(uint64_t number, uint32_t index)
{
    struct ledger_key key = ledger_key_item(number);

    append_u32(&key, index);
    return key;
}

struct ledger_key ledger_key_run(uint32_t run)
{
    struct ledger_key key;

    key.length = 0;
    append_u32(&key, run);
    return key;
}

struct ledger_key ledger_key_slot(int64_t first_s)
{
    struct ledger_key key;

    key.length = 0;
    append_u64(&key, UINT64_MAX - (uint64_t)first_s);
    return key;
}

int64_t ledger_slot_of_key(struct slice key)
{
    return (int64_t)(UINT64_MAX - ledger_load_u64(key.bytes));
}

static struct ledger_key key_of_class(enum ledger_class class)
{
    struct ledger_key key;

    key.bytes[0] = (char)class;
    key.length = 1;
    return key;
}

struct ledger_key ledger_key_active(uint64_t number)
{
    struct ledger_key key = key_of_class(LEDGER_CLASS_ACTIVE);

    append_u64(&key, number);
    return key;
}

struct ledger_key ledger_key_ready(uint32_t connection, uint64_t number)
{
    struct ledger_key key = key_of_class(LEDGER_CLASS_READY);

    append_u32(&key, connection);
    append_u64(&key, number);
    return key;
}

struct ledger_key ledger_key_blocked(enum wait_kind kind, uint64_t target, uint64_t number)
{
    struct ledger_key key = key_of_class(LEDGER_CLASS_BLOCKED);

    append_u32(&key, kind);
    append_u64(&key, target);
    append_u64(&key, number);
    return key;
}

struct ledger_key ledger_key_release(uint64_t number)
{
    struct ledger_key key = key_of_class(LEDGER_CLASS_RELEASE);

    append_u64(&key, number);
    return key;
}

struct ledger_key ledger_key_group(uint32_t job, uint32_t connection, struct hash128 group)
{
    struct ledger_key key;

    key.length = 0;
    append_u32(&key, job);
    append_u32(&key, connection);
    append_u64(&key, group.high);
    append_u64(&key, group.low);
    return key;
}

bool ledger_key_open_of(uint64_t number, const struct item *item, struct ledger_key *key_out)
{
    if (item_state_is_active(item->state))
        *key_out = ledger_key_active(number);
    else if (item->state == ITEM_READY)
        *key_out = ledger_key_ready(item->connection, number);
    else if (item->state == ITEM_BLOCKED)
        *key_out = ledger_key_blocked(item->waits_on, item->waits_for, number);
    else if (item->release_due)
        *key_out = ledger_key_release(number);
    else
        return false;
    return true;
}

static uint64_t seal_of(struct slice key, struct slice value)
{
    char sums[16];

    ledger_store_u64(sums, checksum64(key.bytes, key.length));
    ledger_store_u64(sums + 8, checksum64(value.bytes, value.length));
    return checksum64(sums, sizeof sums);
}

void ledger_seal(struct buf *buf, struct slice key, struct slice value)
{
    char seal[LEDGER_SEAL_BYTES];

    ledger_store_u64(seal, seal_of(key, value));
    buf_append(buf, value.bytes, value.length);
    buf_append(buf, seal, sizeof seal);
}

bool ledger_unseal(struct slice key, struct slice bytes, struct slice *value_out)
{
    struct slice value;

    if (bytes.length < LEDGER_SEAL_BYTES)
        return false;
    value = (struct slice){bytes.bytes, bytes.length - LEDGER_SEAL_BYTES};
    if (ledger_load_u64(bytes.bytes + value.length) != seal_of(key, value))
        return false;
    *value_out = value;
    return true;
}
