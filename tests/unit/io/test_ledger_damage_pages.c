/* Damage within pages whose heads are in order: each kind is told by what it is, before LMDB would
 * believe it. */
#include "ledger_fixture.h"
#include "no_syncs.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { PAGE_BYTES = 4096, ITEMS = 300 };
enum { LEAF = 2 };
enum { VALUE_ELSEWHERE = 1 };

static char *data;
static size_t data_length;

static void read_data(void)
{
    struct stat status;
    int fd = open(below("catalog/data.mdb"), O_RDONLY | O_CLOEXEC);

    assert_int_equal(fstat(fd, &status), 0);
    data_length = (size_t)status.st_size;
    mem_free(data);
    data = mem_new(1, data_length);
    assert_int_equal(pread(fd, data, data_length, 0), (ssize_t)data_length);
    close(fd);
}

/* In place: the file stays the one that it was. */
static void write_data(void)
{
    int fd = open(below("catalog/data.mdb"), O_WRONLY | O_CLOEXEC);

    assert_int_equal(pwrite(fd, data, data_length, 0), (ssize_t)data_length);
    close(fd);
}

static uint16_t u16_at(size_t at)
{
    uint16_t number;

    memcpy(&number, data + at, sizeof number);
    return number;
}

static uint64_t u64_at(size_t at)
{
    uint64_t number;

    memcpy(&number, data + at, sizeof number);
    return number;
}

static void put_u16(size_t at, uint16_t number)
{
    memcpy(data + at, &number, sizeof number);
}

static void put_u64(size_t at, uint64_t number)
{
    memcpy(data + at, &number, sizeof number);
}

/* Long values, and after half of them were dropped at once, a long list of free pages. */
static void make_long_values(void)
{
    struct opened opened = open_ledger();
    char *body = mem_new(1, 9000), key[16];
    struct err err = {0};

    memset(body, 'b', 9000);
    for (int i = 0; i < ITEMS; i++) {
        (void)snprintf(key, sizeof key, "key %d", i);
        add(opened.port, 0, 0, key, ITEM_READY, (struct slice){body, 9000});
    }
    commit(opened.port);
    for (uint64_t number = 1; number < ITEMS; number++) {
        struct item item = read_item(opened.port, number);

        must(opened.port->ops->drop_item(opened.port, number, &item, &err), &err);
    }
    commit(opened.port);
    close_ledger(&opened);
    mem_free(body);
    read_data();
}

static size_t newer_head(void)
{
    return u64_at(144) > u64_at(PAGE_BYTES + 144) ? 0 : PAGE_BYTES;
}

/* The tree of the newer head whose description begins there: 40 the free pages, 88 the databases.
 */
static size_t root_of(size_t description)
{
    return u64_at(newer_head() + description + 40) * PAGE_BYTES;
}

static size_t node_of(size_t page, unsigned index)
{
    return page + u16_at(page + 16 + 2 * (size_t)index);
}

/* The first entry of that kind in a leaf. */
static size_t find_node(size_t page, uint16_t flags)
{
    unsigned count = (u16_at(page + 12) - 16u) / 2;

    assert_int_equal(u16_at(page + 10), LEAF);
    for (unsigned i = 0; i < count; i++)
        if (u16_at(node_of(page, i) + 4) == flags)
            return node_of(page, i);
    fail_msg("no such entry");
    return 0;
}

static size_t value_of(size_t node)
{
    return node + 8 + u16_at(node + 6);
}

static size_t database_node(const char *name)
{
    size_t root = root_of(88);
    unsigned count = (u16_at(root + 12) - 16u) / 2;

    for (unsigned i = 0; i < count; i++) {
        size_t node = node_of(root, i);

        if (u16_at(node + 6) == strlen(name) && memcmp(data + node + 8, name, strlen(name)) == 0)
            return node;
    }
    fail_msg("no database %s", name);
    return 0;
}

static void refused(const char *text)
{
    struct err err;

    write_data();
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    if (strstr(err.text, text) == NULL)
        fail_msg("'%s' and not '%s'", err.text, text);
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
}

static void is_sound(void)
{
    struct opened opened;

    write_data();
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, ITEMS).state, ITEM_READY);
    close_ledger(&opened);
    read_data();
}

/* With that number at that place it is refused so. */
static void with_u64(size_t at, uint64_t number, const char *text)
{
    uint64_t before = u64_at(at);

    put_u64(at, number);
    refused(text);
    put_u64(at, before);
}

static void with_u16(size_t at, uint16_t number, const char *text)
{
    uint16_t before = u16_at(at);

    put_u16(at, number);
    refused(text);
    put_u16(at, before);
}

static void a_damaged_list_of_free_pages_is_told(void **context)
{
    size_t node, list;
    (void)context;

    make_long_values();
    node = find_node(root_of(40), VALUE_ELSEWHERE);
    list = u64_at(value_of(node)) * PAGE_BYTES + 16;
    assert_true(u64_at(list) > PAGE_BYTES / 8);
    with_u64(list, UINT64_MAX, "has a list of free pages that is too long");
    with_u64(list, u64_at(list) + 1, "has a list of free pages that is too long");
    with_u64(list + 8, u64_at(list + 16), "is used twice");
    with_u64(list + 8, 1, "is used and is none of the file's");
    with_u64(list + 8, UINT64_MAX, "is used and is none of the file's");
    with_u64(value_of(node), 1, "is used and is none of the file's");
    with_u64(value_of(node), UINT64_MAX, "is used and is none of the file's");
    with_u16(list - 16 + 10, LEAF, "is not the long value that it should be");
    with_u64(list - 16, 7, "is not the long value that it should be");
    with_u16(list - 16 + 12, 1, "is not the long value that it should be");
    with_u16(list - 16 + 14, 9, "is used and is none of the file's"); /* 589,824 pages */
    with_u16(node + 6, 6, "has a key of another size");
    mem_free(data);
    data = NULL;
}

static void a_damaged_short_list_of_free_pages_is_told(void **context)
{
    size_t node;
    (void)context;

    make_long_values();
    is_sound(); /* which took from the long list, and left short ones */
    node = find_node(root_of(40), 0);
    with_u64(value_of(node), UINT64_MAX, "has a list of free pages that is too long");
    with_u64(value_of(node) + 8, 0, "is used and is none of the file's");
    with_u16(node + 4, 4, "has a value of another kind");
    with_u16(node, 4, "has a list of free pages that is too long");
    mem_free(data);
    data = NULL;
}

static void a_damaged_entry_of_a_database_is_told(void **context)
{
    size_t root, node, requests;
    (void)context;

    make_long_values();
    root = root_of(88);
    node = database_node("requests");
    with_u16(node, 47, "has no tree where one belongs");
    with_u16(node + 4, 0, "has a value of another kind");
    with_u16(value_of(node) + 4, 8, "tells of another kind of tree");
    with_u16(value_of(node) + 6, 999, "tells of a tree that is too deep");
    with_u64(value_of(node) + 40, 1, "tells of a tree that cannot be");
    with_u64(value_of(node) + 32, 77, "does not lead to as much as it should");
    with_u16(node + 6, 0, "has an entry that is not within it");
    with_u16(node + 6, 600, "has an entry that is not within it");
    with_u16(root + 16, (uint16_t)(u16_at(root + 16) + 1), "has an entry that is not within it");
    with_u16(root + 16, 4095, "has an entry that is not within it");
    with_u16(root + 18, 8, "has an entry that is not within it");
    with_u16(root + 18, u16_at(root + 16), "has keys that are out of order");
    with_u16(root + 12, 16, "is empty");
    with_u16(root + 12, 14, "has impossible bounds");
    with_u16(root + 12, 4094, "has impossible bounds");
    with_u16(root + 14, 4098, "has impossible bounds");
    with_u16(root + 12, (uint16_t)(u16_at(root + 12) - 1), "has impossible bounds");
    requests = u64_at(value_of(node) + 40) * PAGE_BYTES;
    node = find_node(requests, VALUE_ELSEWHERE);
    with_u64(value_of(node), 0, "is used and is none of the file's");
    with_u64(value_of(node), requests / PAGE_BYTES, "is not the long value that it should be");
    with_u16(node + 2, 16, "is not the long value that it should be"); /* a megabyte */
    with_u16(node + 4, 0, "has an entry that is not within it");
    is_sound();
    mem_free(data);
    data = NULL;
}

static void a_damaged_head_is_told(void **context)
{
    size_t newer, older;
    (void)context;

    make_long_values();
    newer = newer_head();
    older = PAGE_BYTES - newer;
    with_u64(newer + 136, 0, "tells of a map of an impossible size");
    with_u64(newer + 136, (uint64_t)1 << 40, "tells of a map of an impossible size");
    with_u64(newer + 32, (uint64_t)1 << 47, "tells of a map of an impossible size");
    with_u64(newer + 144, u64_at(newer + 144) + 1, "belongs to the other head");
    with_u64(newer + 144, u64_at(newer + 144) + 4, "long before the other one's");
    with_u16(newer + 88 + 4, 8, "tells of another kind of tree");
    with_u64(newer + 88 + 40, UINT64_MAX, "tells of a tree that cannot be");
    with_u16(newer + 88 + 6, 0, "tells of a tree that cannot be");
    with_u64(newer + 40 + 40, 1, "tells of a tree that cannot be");
    with_u64(older, 5, "is no head of a ledger");
    with_u16(older + 10, LEAF, "is no head of a ledger");
    with_u16(older + 16, 0, "is no head of a ledger");
    with_u16(older + 20, 9, "another version of LMDB");
    with_u16(PAGE_BYTES + 40, 8192, "disagrees with page 0 on the size of pages");
    with_u16(PAGE_BYTES + 40, 4097, "tells of pages of an impossible size");
    with_u16(PAGE_BYTES + 42, 1, "tells of pages of an impossible size");
    is_sound();
    mem_free(data);
    data = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_damaged_list_of_free_pages_is_told),
        SCRATCH_TEST(a_damaged_short_list_of_free_pages_is_told),
        SCRATCH_TEST(a_damaged_entry_of_a_database_is_told),
        SCRATCH_TEST(a_damaged_head_is_told),
    };

    return cmocka_run_group_tests_name("io/ledger_damage: pages", tests, NULL, NULL);
}
