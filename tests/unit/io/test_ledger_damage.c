/* What LMDB would believe: pages that are damaged, and a file that is older than it was. */
#include "ledger_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096
#define ITEMS 40

static char *read_data(size_t *length_out)
{
    struct stat status;
    int fd = open(below("catalog/data.mdb"), O_RDONLY | O_CLOEXEC);
    char *bytes;

    assert_true(fd != -1);
    assert_int_equal(fstat(fd, &status), 0);
    *length_out = (size_t)status.st_size;
    bytes = mem_new(1, *length_out);
    assert_int_equal(pread(fd, bytes, *length_out, 0), (ssize_t)*length_out);
    close(fd);
    return bytes;
}

/* In place: the file stays the one that it was. */
static void write_data(const char *bytes, size_t length)
{
    int fd = open(below("catalog/data.mdb"), O_WRONLY | O_CLOEXEC);

    assert_true(fd != -1);
    assert_int_equal(pwrite(fd, bytes, length, 0), (ssize_t)length);
    assert_int_equal(ftruncate(fd, (off_t)length), 0);
    close(fd);
}

static void make_items(void)
{
    struct opened opened = open_ledger();
    char *body = mem_new(1, 9000), key[16];

    memset(body, 'b', 9000);
    for (int i = 0; i < ITEMS; i++) {
        (void)snprintf(key, sizeof key, "key %d", i);
        add(opened.port, 0, 0, key, ITEM_READY, (struct slice){body, i % 8 == 0 ? 9000 : 300});
        if (i % 10 == 9)
            commit(opened.port);
    }
    close_ledger(&opened);
    mem_free(body);
}

/* Each item is ready, or says that it is damaged. */
static void all_is_there_or_refused(void)
{
    struct opened opened;
    struct item item;
    struct err err = {0};
    uint64_t number = 0;
    int count = 0;
    enum err_code code = try_open(&opened, BASE_URL, false, 0, &err);

    if (code == ERR_STATE_DIRECTORY || code == ERR_DAMAGED) {
        if (strstr(err.text, "damaged") == NULL && strstr(err.text, "cut short") == NULL &&
            strstr(err.text, "another version of LMDB") == NULL)
            fail_msg("%s", err.text);
        return;
    }
    must(code, &err);
    while (opened.port->ops->next_item(opened.port, number, &number, &item, &err) == ERR_OK) {
        if (item.state != ITEM_READY)
            assert_int_equal(item.reason, REASON_RECORD_DAMAGED);
        count++;
    }
    assert_int_equal(count, ITEMS);
    close_ledger(&opened);
}

static void a_damaged_page_is_refused_and_ends_nothing(void **context)
{
    size_t length;
    char *data;
    (void)context;

    make_items();
    data = read_data(&length);
    for (size_t page = 2; page < length / PAGE_BYTES; page++) {
        for (size_t at = 0; at < 32; at++) {
            char *byte = &data[page * PAGE_BYTES + at], sound = *byte;

            *byte = (char)(sound ^ 1 << (page + at) % 8);
            write_data(data, length);
            all_is_there_or_refused();
            *byte = sound;
        }
    }
    mem_free(data);
}

static void a_damaged_head_is_refused_and_ends_nothing(void **context)
{
    size_t length;
    char *data;
    struct err err;
    (void)context;

    make_items();
    data = read_data(&length);
    for (size_t at = 0; at < 152; at++) {
        char *byte = &data[at / 76 * PAGE_BYTES + at % 76 * 2], sound = *byte;

        *byte = (char)(sound ^ 1 << at % 8);
        write_data(data, length);
        all_is_there_or_refused();
        *byte = sound;
    }
    memset(data + 40, 0, 4); /* pages of no size: a division by 0 */
    write_data(data, length);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "page 0 tells of pages of an impossible size"));
    mem_free(data);
}

/* Its number is written last: so the other head counts, whatever this one says. */
static void a_head_that_was_written_in_part_is_not_used(void **context)
{
    struct opened opened;
    uint64_t transactions[2];
    size_t length, older;
    char *data;
    (void)context;

    make_items();
    data = read_data(&length);
    for (size_t i = 0; i < 2; i++)
        memcpy(&transactions[i], data + i * PAGE_BYTES + 144, sizeof transactions[i]);
    older = transactions[0] < transactions[1] ? 0 : 1;
    memset(data + older * PAGE_BYTES + 88, 0xff, 48);
    write_data(data, length);
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, ITEMS).state, ITEM_READY);
    add(opened.port, 0, 0, "one more", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    close_ledger(&opened);
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, ITEMS + 1).state, ITEM_READY);
    close_ledger(&opened);
    mem_free(data);
}

static void
an_older_file_in_the_place_of_a_newer_is_refused_until_a_person_adopts_it(void **context)
{
    struct opened opened;
    size_t length;
    char *older;
    struct err err;
    (void)context;

    make_one_item();
    older = read_data(&length);
    opened = open_ledger();
    add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    close_ledger(&opened);
    write_data(older, length);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "older than what was last written"));
    assert_non_null(strstr(err.text, "adopt SPEC --as restored"));
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
    adoption = LEDGER_ADOPT_MOVED; /* it is not the newest */
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    adoption = LEDGER_ADOPT_RESTORED;
    opened = open_ledger();
    assert_true(lmdb_ledger_was_adopted(opened.ledger));
    close_ledger(&opened);
    adoption = LEDGER_ADOPT_NONE;
    opened = open_ledger();
    assert_true(lmdb_ledger_lost_since_ms(opened.ledger) > 0);
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);
    mem_free(older);
}

static void copy_over(const char *from, const char *to)
{
    char bytes[64];
    int fd = open(below(from), O_RDONLY | O_CLOEXEC);
    ssize_t length = pread(fd, bytes, sizeof bytes, 0);

    assert_true(length > 0);
    close(fd);
    fd = open(below(to), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(pwrite(fd, bytes, (size_t)length, 0), length);
    close(fd);
}

/* As `cp` and some backup programs do: no file is another one, and all agree with each other. */
static void a_directory_whose_files_were_overwritten_is_known_as_well(void **context)
{
    struct opened opened;
    size_t length;
    char *older;
    struct err err;
    (void)context;

    make_one_item();
    older = read_data(&length);
    copy_over("catalog/newest", "aside");
    opened = open_ledger();
    close_ledger(&opened);
    write_data(older, length);
    copy_over("aside", "catalog/newest");
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "older than what was last written"));
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
    adoption = LEDGER_ADOPT_RESTORED;
    opened = open_ledger();
    close_ledger(&opened);
    adoption = LEDGER_ADOPT_NONE;
    opened = open_ledger();
    close_ledger(&opened);
    mem_free(older);
}

static void begin_sending(struct ledger *port, const char *key, int64_t intent_ms)
{
    uint64_t number = add(port, 0, 0, key, ITEM_READY, SLICE("{}"));
    struct item item;

    commit(port);
    item = read_item(port, number);
    item.intent_ms = intent_ms;
    move_item(port, number, &item, ITEM_SENDING);
    commit(port);
}

static int64_t lost_since_of_restored(void)
{
    struct opened opened;
    int64_t lost_since_ms;

    adoption = LEDGER_ADOPT_RESTORED;
    opened = open_ledger();
    adoption = LEDGER_ADOPT_NONE;
    lost_since_ms = lmdb_ledger_lost_since_ms(opened.ledger);
    close_ledger(&opened);
    return lost_since_ms;
}

static void what_was_lost_begins_with_the_newest_intent(void **context)
{
    struct run_record run = {.started_ms = 77};
    struct opened opened = open_ledger();
    struct err err = {0};
    (void)context;

    close_ledger(&opened);
    assert_int_equal(lost_since_of_restored(), 1); /* nothing is known of its time */
    opened = open_ledger();
    must(lmdb_ledger_put_lost_since(opened.ledger, 0, &err), &err);
    must(opened.port->ops->put_run(opened.port, 1, &run, &err), &err);
    commit(opened.port);
    close_ledger(&opened);
    opened = open_ledger();
    assert_int_equal(lmdb_ledger_lost_since_ms(opened.ledger), 0);
    close_ledger(&opened);
    assert_int_equal(lost_since_of_restored(), 77);
    opened = open_ledger();
    must(lmdb_ledger_put_lost_since(opened.ledger, 0, &err), &err);
    begin_sending(opened.port, "a", 9000);
    begin_sending(opened.port, "b", 5000);
    close_ledger(&opened);
    assert_int_equal(lost_since_of_restored(), 9000);
    opened = open_ledger();
    begin_sending(opened.port, "c", 12000);
    close_ledger(&opened);
    assert_int_equal(lost_since_of_restored(), 9000); /* the first loss was not made up for */
}

static void without_the_newest_number_it_is_as_before(void **context)
{
    struct opened opened;
    (void)context;

    make_one_item();
    assert_int_equal(truncate(below("catalog/newest"), 7), 0);
    opened = open_ledger();
    close_ledger(&opened);
    assert_int_equal(unlink(below("catalog/newest")), 0);
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);
}

/* Three that are waiting and one that is on the wire, whose record is damaged: it is taken for one
 * more that waits. */
static void a_wrong_guess_of_what_a_damaged_item_was_ends_nothing(void **context)
{
    struct opened opened = open_ledger();
    struct item items[3], damaged;
    size_t length, at = 0;
    char *data;
    (void)context;

    for (int i = 0; i < 3; i++)
        add(opened.port, 0, 0, i == 0 ? "a" : i == 1 ? "b" : "c", ITEM_WAITING, SLICE("{}"));
    add(opened.port, 0, 0, "d", ITEM_SENDING, SLICE("{}"));
    commit(opened.port);
    damaged = read_item(opened.port, 4);
    damaged.state = ITEM_IN_DOUBT;
    damaged.reason = REASON_RECORD_DAMAGED;
    close_ledger(&opened);
    data = read_data(&length);
    /* The record of the item: behind its number as a key. Found where a change makes it damaged. */
    for (at = 2 * PAGE_BYTES; at + 24 < length; at++) {
        struct item seen;

        if (memcmp(&data[at], "\0\0\0\0\0\0\0\4", 8) != 0)
            continue;
        data[at + 16] ^= 1;
        write_data(data, length);
        opened = open_ledger();
        seen = read_item(opened.port, 4);
        if (seen.reason == REASON_RECORD_DAMAGED)
            break;
        close_ledger(&opened);
        data[at + 16] ^= 1;
    }
    assert_true(at + 24 < length);
    for (int i = 0; i < 3; i++)
        items[i] = read_item(opened.port, (uint64_t)i + 1);
    damaged = read_item(opened.port, 4);
    move_item(opened.port, 4, &damaged, ITEM_IN_DOUBT);
    for (int i = 0; i < 3; i++)
        move_item(opened.port, (uint64_t)i + 1, &items[i], ITEM_SUCCEEDED);
    commit(opened.port);
    close_ledger(&opened);
    opened = open_ledger();
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_SUCCEEDED), 3);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_WAITING), 0);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_SENDING), 0);
    close_ledger(&opened);
    mem_free(data);
}

static void what_has_not_succeeded_keeps_what_was_lost_of_it(void **context)
{
    enum {
        MANY = 12000,
        SUCCEEDED = 7000,
        OF_AN_OLDER_LOSS = 8000,
        WORD = 9000
    }; /* more than one batch */
    struct opened opened = open_ledger();
    struct item item;
    struct err err = {0};
    char key[16];
    (void)context;

    for (int i = 1; i <= MANY; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        add(opened.port, 0, 0, key, i == SUCCEEDED ? ITEM_SUCCEEDED : ITEM_FAILED, SLICE("{}"));
    }
    commit(opened.port);
    item = read_item(opened.port, OF_AN_OLDER_LOSS);
    item.lost_since_ms = 5;
    move_item(opened.port, OF_AN_OLDER_LOSS, &item, ITEM_FAILED);
    item = read_item(opened.port, WORD);
    item.reason = REASON_RESOLVED;
    move_item(opened.port, WORD, &item, ITEM_READY);
    commit(opened.port);
    must(ledger_keep_loss(opened.port, 77, &err), &err);
    commit(opened.port);
    for (uint64_t i = 1; i <= MANY; i++)
        assert_int_equal(read_item(opened.port, i).lost_since_ms, i == SUCCEEDED || i == WORD ? 0
                                                                  : i == OF_AN_OLDER_LOSS     ? 5
                                                                                              : 77);
    close_ledger(&opened);
}

static void a_word_of_before_the_backup_says_nothing_of_what_was_lost(void **context)
{
    enum { NOT_DONE = 1, BEING_SENT, DONE, NO_WORD };
    struct opened opened = open_ledger();
    struct item item;
    struct err err = {0};
    (void)context;

    add(opened.port, 0, 0, "not-done", ITEM_READY, SLICE("{}"));
    add(opened.port, 0, 0, "being-sent", ITEM_SENDING, SLICE("{}"));
    add(opened.port, 0, 0, "done", ITEM_SUCCEEDED, SLICE("{}"));
    add(opened.port, 0, 0, "no-word", ITEM_IN_DOUBT, SLICE("{}"));
    commit(opened.port);
    for (uint64_t i = NOT_DONE; i <= NO_WORD; i++) {
        item = read_item(opened.port, i);
        item.reason = i == NO_WORD ? REASON_UNKEYED_UNKNOWN : REASON_RESOLVED;
        move_item(opened.port, i, &item, item.state);
    }
    commit(opened.port);
    must(ledger_forget_words(opened.port, &err), &err);
    commit(opened.port);
    assert_int_equal(read_item(opened.port, NOT_DONE).reason, REASON_NONE);
    assert_int_equal(read_item(opened.port, BEING_SENT).reason, REASON_NONE);
    assert_int_equal(read_item(opened.port, DONE).reason, REASON_RESOLVED);
    assert_int_equal(read_item(opened.port, NO_WORD).reason, REASON_UNKEYED_UNKNOWN);
    close_ledger(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_damaged_page_is_refused_and_ends_nothing),
        SCRATCH_TEST(a_damaged_head_is_refused_and_ends_nothing),
        SCRATCH_TEST(a_head_that_was_written_in_part_is_not_used),
        SCRATCH_TEST(an_older_file_in_the_place_of_a_newer_is_refused_until_a_person_adopts_it),
        SCRATCH_TEST(a_directory_whose_files_were_overwritten_is_known_as_well),
        SCRATCH_TEST(what_has_not_succeeded_keeps_what_was_lost_of_it),
        SCRATCH_TEST(a_word_of_before_the_backup_says_nothing_of_what_was_lost),
        SCRATCH_TEST(what_was_lost_begins_with_the_newest_intent),
        SCRATCH_TEST(without_the_newest_number_it_is_as_before),
        SCRATCH_TEST(a_wrong_guess_of_what_a_damaged_item_was_ends_nothing),
    };

    return cmocka_run_group_tests_name("io/ledger_damage", tests, NULL, NULL);
}
