/* A ledger whose file was damaged as the bytes say, read in a process of its own as `purser doctor`
 * reads it. That process may die of it; it ends in time, and what it has read as undamaged is what
 * was once written there.
 *
 * The first byte says where the file is cut (0: nowhere), the others are changes: three bytes
 * where, one what (it is added). */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "purser/core/limits.h"
#include "purser/io/guarded_call.h"
#include "purser/io/lmdb_ledger.h"
#include "records.h"

enum { ITEMS = 24, VERSIONS = 2, RECORD_BYTES = 4, LIMIT_MS = 60000 };

static const char body[] = "{\"price\":1.50}";
static char root[64], file[5000];
static uint8_t *image;
static size_t image_length;
static struct item written[VERSIONS][ITEMS + 1];

struct walk {
    uint64_t items, damaged;
    bool is_wrong; /* something was read that was never written */
};

/* --- the ledger as it was --- */

static struct lmdb_ledger *open_ledger(struct state_directory *directory, bool write)
{
    struct lmdb_ledger_options options = {
        .spec_name = "catalog", .base_url = "http://127.0.0.1:8080/versioned", .write = write};
    struct lmdb_ledger *ledger = NULL;
    struct err err = {0};

    if (state_directory_open(root, "catalog", write, directory, &err) != ERR_OK)
        return NULL;
    if (lmdb_ledger_open(directory, &options, &ledger, &err) != ERR_OK) {
        LAW(err.text[0] != '\0' || err.code == ERR_NOT_FOUND);
        return NULL;
    }
    return ledger;
}

static void commit(struct ledger *port)
{
    uint64_t sequence = 0, durable = 0;
    struct err err = {0};

    LAW(port->ops->commit_begin(port, &sequence, &err) == ERR_OK);
    LAW(port->ops->commit_poll(port, true, &durable, &err) == ERR_OK);
}

static void write_items(struct ledger *port)
{
    char key[16];
    uint64_t number;
    struct err err = {0};

    for (uint64_t i = 1; i <= ITEMS; i++) {
        struct frozen_request request = {.method = METHOD_POST,
                                         .path = SLICE("/products"),
                                         .body = SLICE(body),
                                         .source_file = SLICE("rows.csv"),
                                         .generation = 1};

        (void)snprintf(key, sizeof key, "k%llu", (unsigned long long)i);
        request.key = slice_of(key);
        written[0][i] = item_new(0, 0, (struct hash128){.high = i, .low = 2}, 1000);
        LAW(port->ops->add_item(port, &written[0][i], &request, &number, &err) == ERR_OK);
        LAW(number == i);
    }
    commit(port);
    for (uint64_t i = 1; i <= ITEMS; i++) {
        written[1][i] = written[0][i];
        written[1][i].state = i % 3 == 0 ? ITEM_FAILED : ITEM_READY;
        written[1][i].reason = i % 3 == 0 ? REASON_REFUSED : REASON_NONE;
        LAW(port->ops->put_item(port, i, &written[0][i], &written[1][i], &err) == ERR_OK);
    }
    commit(port);
}

static void remember_file(void)
{
    struct stat status;
    int fd;

    (void)snprintf(file, sizeof file, "%s/catalog/data.mdb", root);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    LAW(fd != -1 && fstat(fd, &status) == 0);
    image_length = (size_t)status.st_size;
    image = malloc(image_length);
    LAW(image != NULL && read(fd, image, image_length) == (ssize_t)image_length);
    (void)close(fd);
}

static void remove_ledger(void)
{
    char path[5200];
    DIR *folder;
    struct dirent *entry;

    (void)snprintf(path, sizeof path, "%s/catalog", root);
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/catalog/%s", root, entry->d_name);
        (void)unlink(path);
    }
    if (folder != NULL)
        (void)closedir(folder);
    (void)snprintf(path, sizeof path, "%s/catalog", root);
    (void)rmdir(path);
    (void)rmdir(root);
}

static void make_ledger(void)
{
    struct state_directory directory;
    struct lmdb_ledger *ledger;
    struct err err = {0};
    uint32_t number;

    (void)snprintf(root, sizeof root, "/tmp/fuzz_ledger.XXXXXX");
    LAW(mkdtemp(root) != NULL);
    ledger = open_ledger(&directory, true);
    LAW(ledger != NULL);
    LAW(lmdb_ledger_port(ledger)->ops->job_number(lmdb_ledger_port(ledger), "create", &number,
                                                  &err) == ERR_OK);
    LAW(lmdb_ledger_port(ledger)->ops->connection_number(lmdb_ledger_port(ledger), "north", &number,
                                                         &err) == ERR_OK);
    write_items(lmdb_ledger_port(ledger));
    lmdb_ledger_close(ledger);
    state_directory_close(&directory);
    remember_file();
    (void)atexit(remove_ledger);
}

/* --- reading it --- */

static bool is_as_written(const struct item *item, uint64_t number)
{
    if (number > ITEMS)
        return false;
    for (size_t i = 0; i < VERSIONS; i++)
        if (memcmp(&item->request_hash, &written[i][number].request_hash,
                   sizeof item->request_hash) == 0 &&
            item->state == written[i][number].state && item->reason == written[i][number].reason &&
            item->generation == written[i][number].generation)
            return true;
    return false;
}

static void walk_items(struct ledger *port, struct walk *walk)
{
    struct frozen_request request;
    struct err err = {0};
    struct buf storage;
    struct item item;
    uint64_t number = 0;

    buf_init(&storage, 2 * BODY_BYTES_MAX);
    while (port->ops->next_item(port, number, &number, &item, &err) == ERR_OK &&
           walk->items++ < 10 * ITEMS) {
        if (item.state == ITEM_IN_DOUBT && item.reason == REASON_RECORD_DAMAGED)
            walk->damaged++;
        else
            walk->is_wrong = walk->is_wrong || !is_as_written(&item, number);
        if (port->ops->read_request(port, number, &storage, &request, &err) == ERR_OK)
            walk->is_wrong = walk->is_wrong || !slice_is(request.body, body);
    }
}

static void read_ledger(void *context, void *result)
{
    static const int ends[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    struct state_directory directory;
    struct lmdb_ledger *ledger;
    (void)context;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        (void)signal(ends[i], SIG_DFL);
    ledger = open_ledger(&directory, false);
    if (ledger != NULL)
        walk_items(lmdb_ledger_port(ledger), result);
}

static void damage(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(image_length);
    size_t left = bytes[0] == 0 ? image_length : image_length * bytes[0] / 256;
    int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);

    LAW(copy != NULL && fd != -1);
    memcpy(copy, image, image_length);
    for (size_t at = 1; at + RECORD_BYTES <= length; at += RECORD_BYTES) {
        size_t where = (size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2];

        copy[where % image_length] = (uint8_t)(copy[where % image_length] + bytes[at + 3]);
    }
    LAW(write(fd, copy, left) == (ssize_t)left);
    (void)close(fd);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    enum guarded_end end = GUARDED_DIED;
    struct walk walk = {0};
    struct err err = {0};
    int signal_number;

    if (length < 1 || length > 4096)
        return 0;
    if (image == NULL)
        make_ledger();
    damage(bytes, length);
    LAW(guarded_call(read_ledger, NULL, &walk, sizeof walk, LIMIT_MS, &end, &signal_number, &err) ==
        ERR_OK);
    LAW(end != GUARDED_TOO_LONG);
    LAW(!walk.is_wrong);
    if (length < 1 + RECORD_BYTES && bytes[0] == 0)
        LAW(end == GUARDED_RETURNED && walk.items == ITEMS && walk.damaged == 0);
    LAW_NOTHING_LEFT();
    return 0;
}
