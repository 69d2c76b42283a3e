/* Power-loss images of a ledger, from a recording of the real program.
 *
 * usage: power_images RECORDING BASE DATA ROOT SPEC IMAGES SEED [--ignore-syncs]
 *
 * RECORDING: what the shim has recorded (tests/support/shim); BASE: the data file as it was before,
 * or empty; DATA: the path under which the recording knows it; ROOT: an empty state root for
 * images.
 *
 * After every recorded write or sync of the data file the power may fail. What was written since
 * the last sync, sector by sector of 512 bytes, is then there or not: none, all, all but each one,
 * and subsets that are drawn (each of these with a density of its own) until about IMAGES are made.
 * A write through an O_DSYNC descriptor is synced when it returns, and may be torn by sectors
 * before it does. The file ends with its last sector that is there, or has its full length with
 * zeros.
 *
 * Each image is opened and read whole by purser's own code. It must hold, key for key and byte for
 * byte, what the last commit that has returned has made, or, while the next one's meta page is
 * being written, what that makes; and the intent of every write that has gone over the wire. Before
 * the first commit there may be no ledger, which is said as an error. Nothing ends by a signal.
 * Names: a write leaves only when those of data file and folders are synced (power_names.c).
 *
 * --ignore-syncs: fsync and fdatasync do nothing, as with a disk that lies or LMDB's NOSYNC. */
#include "power.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "purser/base/rng.h"
#include "shim_recording.h"

#define PENDING_MAX 65536
#define SHOWN_MAX 5
#define SIGNALS_MAX 20

struct file {
    unsigned char *bytes;
    size_t size;
};

/* A part of an unsynced write that lies in one sector. */
struct part {
    size_t offset, length;
    const unsigned char *bytes;
};

/* Shared with the process that may die. */
struct counts {
    uint64_t image; /* the number of the one that is being looked at */
    uint64_t images, bad, signals, no_ledger_yet, points, sends, commits;
};

static struct {
    const char *root, *spec_name, *data_path;
    char image_path[4096];
    bool ignores_syncs;
    uint64_t seed, skip, drawn_each; /* `skip`: so many images were looked at before */
    struct counts *counts;
    struct file durable, image, on_disk;
    int image_fd;
    struct part pending[PENDING_MAX];
    size_t pending_count;
    struct outcome states[REVISIONS_MAX]; /* after each commit; [0] = before the recording */
    size_t committed;                     /* index of the last one that has returned */
    bool is_committing;
    struct send sends[SENDS_MAX];
    size_t send_count;
    uint64_t number; /* of the next image */
    uint64_t shown;
    size_t at; /* the record */
} run;

static void show(const char *what, const char *text)
{
    if (run.shown++ < SHOWN_MAX)
        fprintf(stderr,
                "power_images: record %zu, image %" PRIu64 ", %zu parts not synced: %s %s\n",
                run.at, run.number, run.pending_count, what, text);
}

/* --- images ------------------------------------------------------------------------------------
 */

static void copy_to(struct file *file, size_t offset, const unsigned char *bytes, size_t length)
{
    assert(offset + length <= FILE_BYTES_MAX);
    memcpy(file->bytes + offset, bytes, length);
    if (offset + length > file->size)
        file->size = offset + length;
}

static void set(struct file *file, const struct file *to)
{
    memcpy(file->bytes, to->bytes, to->size);
    if (file->size > to->size)
        memset(file->bytes + to->size, 0, file->size - to->size);
    file->size = to->size;
}

/* Brings the file on disk to what the image is. */
static void write_image(void)
{
    if (run.on_disk.size != run.image.size && ftruncate(run.image_fd, (off_t)run.image.size) != 0)
        abort();
    for (size_t at = 0; at < run.image.size; at += SECTOR_BYTES) {
        size_t length =
            run.image.size - at < SECTOR_BYTES ? run.image.size - at : (size_t)SECTOR_BYTES;

        if (memcmp(run.image.bytes + at, run.on_disk.bytes + at, length) != 0 &&
            pwrite(run.image_fd, run.image.bytes + at, length, (off_t)at) != (ssize_t)length)
            abort();
    }
    set(&run.on_disk, &run.image);
}

static bool is_state(const struct outcome *outcome, size_t index)
{
    const struct outcome *state = &run.states[index];

    return outcome->code == state->code &&
           (outcome->code != ERR_OK ||
            (outcome->revision == state->revision && outcome->digest == state->digest));
}

static void open_image(void)
{
    memset(run.on_disk.bytes, 0, run.on_disk.size);
    run.on_disk.size = 0;
    run.image_fd = open(run.image_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (run.image_fd == -1)
        abort();
}

/* Nothing was ever sent from a ledger that is not there: a new one must be begun. */
static void begin_anew(void)
{
    struct outcome outcome = ledger_begin(run.root, run.spec_name);
    char about[4096];

    run.counts->no_ledger_yet++;
    if (outcome.code != ERR_OK) {
        run.counts->bad++;
        show("no ledger can be begun:", outcome.text);
    }
    close(run.image_fd);
    (void)snprintf(about, sizeof about, "%s/%s/about.txt", run.root, run.spec_name);
    if ((unlink(about) != 0 || unlink(run.image_path) != 0) && outcome.code == ERR_OK)
        abort();
    open_image();
}

static void judge(const struct outcome *outcome)
{
    bool may_be_missing = run.states[run.committed].code != ERR_OK;

    run.counts->images++;
    if (outcome->code != ERR_OK && may_be_missing)
        begin_anew();
    else if (!is_state(outcome, run.committed) &&
             !(run.is_committing && is_state(outcome, run.committed + 1))) {
        run.counts->bad++;
        show(outcome->code == ERR_OK ? "holds what no commit has made" : "", outcome->text);
    }
}

static struct outcome look(void)
{
    write_image();
    return ledger_look(run.root, run.spec_name, run.sends, run.send_count);
}

/* The image is whole: is looked at, unless a process before this one has. */
static void check_image(void)
{
    struct outcome outcome;

    run.number++;
    if (run.number <= run.skip)
        return;
    run.counts->image = run.number;
    outcome = look();
    judge(&outcome);
}

/* Those parts for which the chance says so; `left_out` is never there. */
static void make_image(uint32_t kept_of_256, size_t left_out, struct rng *rng)
{
    set(&run.image, &run.durable);
    for (size_t i = 0; i < run.pending_count; i++) {
        const struct part *part = &run.pending[i];

        if (i == left_out || (rng != NULL && rng_next(rng) >> 56 >= kept_of_256) ||
            kept_of_256 == 0)
            continue;
        copy_to(&run.image, part->offset, part->bytes, part->length);
    }
}

static void keep_length(void)
{
    for (size_t i = 0; i < run.pending_count; i++)
        if (run.pending[i].offset + run.pending[i].length > run.image.size)
            run.image.size = run.pending[i].offset + run.pending[i].length;
}

static void fail_here(void)
{
    if (run.number >= run.skip)
        run.counts->points++;
    make_image(0, SIZE_MAX, NULL);
    check_image();
    if (run.pending_count == 0)
        return;
    make_image(256, SIZE_MAX, NULL);
    check_image();
    for (size_t i = 0; i < run.pending_count; i++) {
        make_image(256, i, NULL);
        keep_length();
        check_image();
    }
    for (uint64_t i = 0; i < run.drawn_each; i++) {
        struct rng rng;

        rng_init(&rng, run.seed * 0x9e3779b97f4a7c15u + run.number);
        make_image((uint32_t)(rng_next(&rng) % 255) + 1, SIZE_MAX, &rng);
        if (rng_next(&rng) >> 63 != 0)
            keep_length();
        check_image();
    }
}

/* --- the recording -----------------------------------------------------------------------------
 */

static void add_pending(size_t offset, const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        size_t room = SECTOR_BYTES - offset % SECTOR_BYTES;
        size_t size = length < room ? length : room;

        assert(run.pending_count < PENDING_MAX);
        run.pending[run.pending_count++] = (struct part){offset, size, bytes};
        offset += size;
        bytes += size;
        length -= size;
    }
}

static void sync_first(size_t count)
{
    for (size_t i = 0; i < count; i++)
        copy_to(&run.durable, run.pending[i].offset, run.pending[i].bytes, run.pending[i].length);
    run.pending_count -= count;
    memmove(run.pending, run.pending + count, run.pending_count * sizeof run.pending[0]);
}

static void write_synced(size_t offset, const unsigned char *bytes, size_t length)
{
    size_t before = run.pending_count;

    assert(run.committed + 1 < REVISIONS_MAX);
    add_pending(offset, bytes, length);
    if (run.pending_count != before + 1) {
        run.counts->bad += run.number >= run.skip;
        show("a meta page is written over two sectors", "");
    }
    make_image(256, SIZE_MAX, NULL);
    run.states[run.committed + 1] = look();
    if (run.states[run.committed + 1].code == ERR_STORAGE) {
        run.counts->bad++;
        show("undisturbed:", run.states[run.committed + 1].text);
    }
    run.is_committing = true;
    fail_here();
    run.is_committing = false;
    for (size_t i = before; i < run.pending_count; i++)
        copy_to(&run.durable, run.pending[i].offset, run.pending[i].bytes, run.pending[i].length);
    run.pending_count = before;
    run.committed++;
    if (run.number >= run.skip)
        run.counts->commits++;
    fail_here();
}

static void note_send(const struct names *names, const char *bytes, size_t length)
{
    char why[512];

    if (!request_writes(bytes, length))
        return;
    assert(run.send_count < SENDS_MAX);
    make_image(0, SIZE_MAX, NULL);
    write_image();
    if (!ledger_find_send(run.root, run.spec_name, bytes, length, &run.sends[run.send_count],
                          why) ||
        !names_are_synced(names, run.data_path, why)) {
        if (run.number >= run.skip)
            run.counts->bad++;
        show(why, "");
        return;
    }
    run.send_count++;
    if (run.number >= run.skip)
        run.counts->sends++;
    fail_here();
}

static void step(struct names *names, const struct shim_record *record, const char *path,
                 const char *bytes)
{
    char why[512];

    if (!names_step(names, record, path, bytes, why)) {
        run.counts->bad += run.number >= run.skip;
        show(why, "");
    }
    if (record->kind == RECORD_SEND)
        note_send(names, bytes, record->length);
    if (strcmp(path, run.data_path) != 0)
        return;
    assert(record->kind != RECORD_TRUNCATE && record->kind != RECORD_RENAME &&
           record->kind != RECORD_REMOVE); /* LMDB does none of that, and no image is made of it */
    if (record->kind == RECORD_WRITE && record->is_synced) {
        write_synced((size_t)record->offset, (const unsigned char *)bytes, record->length);
    } else if (record->kind == RECORD_WRITE) {
        add_pending((size_t)record->offset, (const unsigned char *)bytes, record->length);
        fail_here();
    } else if (record->kind == RECORD_SYNC && !run.ignores_syncs) {
        sync_first(run.pending_count);
        fail_here();
    }
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static struct file read_file(const char *name)
{
    struct file file = {0};
    struct stat status;
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    if (fd == -1 || fstat(fd, &status) != 0) {
        perror(name);
        exit(2);
    }
    file.size = (size_t)status.st_size;
    file.bytes = malloc(file.size + 1);
    if (file.bytes == NULL || read(fd, file.bytes, file.size) != (ssize_t)file.size)
        abort();
    close(fd);
    return file;
}

static struct file empty_file(void)
{
    struct file file = {.bytes = calloc(1, FILE_BYTES_MAX), .size = 0};

    assert(file.bytes != NULL);
    return file;
}

/* Calls `step` with each record of the recording. */
static void replay(const struct file *recording)
{
    struct names *names = names_new();
    size_t at = 0;

    while (at < recording->size) {
        struct shim_record record;
        char path[4096];

        memcpy(&record, recording->bytes + at, sizeof record);
        at += sizeof record;
        memcpy(path, recording->bytes + at, record.path_length);
        path[record.path_length] = '\0';
        at += record.path_length;
        run.at++;
        step(names, &record, path, (const char *)recording->bytes + at);
        at += record.length;
    }
    names_free(names);
}

/* In a child, because an image may kill it. */
static void look_at_all(const struct file *recording, const struct file *base)
{
    run.durable = empty_file();
    run.image = empty_file();
    run.on_disk = empty_file();
    open_image();
    copy_to(&run.durable, 0, base->bytes, base->size);
    set(&run.image, &run.durable);
    run.states[0] = look();
    replay(recording);
}

static void look_until_done(const struct file *recording, const struct file *base)
{
    for (;;) {
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            look_at_all(recording, base);
            exit(0);
        }
        if (child == -1 || waitpid(child, &status, 0) != child)
            abort();
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            return;
        fprintf(stderr, "power_images: image %" PRIu64 " ends the process: status %d\n",
                run.counts->image, status);
        run.counts->bad++;
        run.counts->signals++;
        if (run.counts->image == run.skip || run.counts->signals > SIGNALS_MAX)
            return;
        run.skip = run.counts->image;
    }
}

/* How many images are made without drawing any, and at how many points some could be drawn. */
static uint64_t drawn_each(const struct file *recording, uint64_t images)
{
    uint64_t fixed = 0, points = 0, pending = 0;
    size_t at = 0;

    while (at < recording->size) {
        struct shim_record record;

        memcpy(&record, recording->bytes + at, sizeof record);
        at += sizeof record;
        if (record.path_length == strlen(run.data_path) &&
            memcmp(recording->bytes + at, run.data_path, record.path_length) == 0) {
            pending += record.kind == RECORD_WRITE && !record.is_synced ? record.length / 512 : 0;
            if (record.kind == RECORD_SYNC)
                pending = 0;
            points += record.kind == RECORD_WRITE;
            fixed += pending + 2;
        }
        at += record.path_length + record.length;
    }
    return points == 0 || fixed >= images ? 1 : (images - fixed) / points + 1;
}

int main(int argc, char **argv)
{
    struct file recording, base;
    struct counts *counts;

    if (argc < 8 || (argc == 9 && strcmp(argv[8], "--ignore-syncs") != 0) || argc > 9) {
        fprintf(stderr, "usage: power_images RECORDING BASE DATA ROOT SPEC IMAGES SEED "
                        "[--ignore-syncs]\n");
        return 2;
    }
    recording = read_file(argv[1]);
    base = read_file(argv[2]);
    run.data_path = argv[3];
    run.root = argv[4];
    run.spec_name = argv[5];
    run.drawn_each = drawn_each(&recording, strtoull(argv[6], NULL, 10));
    run.seed = strtoull(argv[7], NULL, 10);
    run.ignores_syncs = argc == 9;
    (void)snprintf(run.image_path, sizeof run.image_path, "%s/%s", run.root, run.spec_name);
    if (mkdir(run.image_path, 0700) != 0) {
        perror(run.image_path);
        return 2;
    }
    (void)snprintf(run.image_path, sizeof run.image_path, "%s/%s/data.mdb", run.root,
                   run.spec_name);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        abort();
    run.counts = counts;
    look_until_done(&recording, &base);
    printf("images %" PRIu64 " points %" PRIu64 " commits %" PRIu64 " sends %" PRIu64
           " no_ledger_yet %" PRIu64 " signals %" PRIu64 " bad %" PRIu64 "\n",
           counts->images, counts->points, counts->commits, counts->sends, counts->no_ledger_yet,
           counts->signals, counts->bad);
    return counts->bad != 0;
}
