#include "purser/io/spill.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "purser/base/mem.h"
#include "purser/io/write_whole.h"
#include "temporary_file.h"

enum { BUFFERED_RECORDS = 1600 /* 64,000 bytes */, SMALL_RANGE = 16 };

struct spill {
    int fd;
    uint64_t count;               /* all, the buffered ones too */
    struct spill_record *records; /* the mapped file; NULL until sorted or when empty */
    size_t buffered_count;
    struct spill_record buffered[BUFFERED_RECORDS];
};

enum err_code spill_open(const char *folder, struct spill **spill_out, struct err *err)
{
    struct spill *spill = mem_new(1, sizeof *spill);

    if (spill == NULL)
        return err_set(err, ERR_NO_MEMORY, "temporary file: out of memory");
    if (temporary_file_open(folder, &spill->fd, err) != ERR_OK) {
        mem_free(spill);
        return err->code;
    }
    *spill_out = spill;
    return ERR_OK;
}

void spill_close(struct spill *spill)
{
    if (spill == NULL)
        return;
    if (spill->records != NULL)
        (void)munmap(spill->records, spill->count * sizeof *spill->records);
    (void)close(spill->fd);
    mem_free(spill);
}

static enum err_code write_buffered(struct spill *spill, struct err *err)
{
    int code =
        write_whole(spill->fd, spill->buffered, spill->buffered_count * sizeof spill->buffered[0]);

    if (code != 0)
        return err_set(err, ERR_SYSTEM,
                       "the temporary file cannot be written: %s\n"
                       "hint: TMPDIR names another folder for temporary files",
                       strerror(code));
    spill->buffered_count = 0;
    return ERR_OK;
}

enum err_code spill_add(struct spill *spill, const struct spill_record *record, struct err *err)
{
    assert(spill->records == NULL);
    if (spill->buffered_count == BUFFERED_RECORDS && write_buffered(spill, err) != ERR_OK)
        return err->code;
    spill->buffered[spill->buffered_count++] = *record;
    spill->count++;
    return ERR_OK;
}

/* --- in-place sort: quicksort, heapsort where it goes deep, insertion where it is short --- */

typedef bool before_fn(const struct spill_record *a, const struct spill_record *b);

static bool before_by_order(const struct spill_record *a, const struct spill_record *b)
{
    return a->order < b->order;
}

static bool before_by_hash(const struct spill_record *a, const struct spill_record *b)
{
    if (a->hash.high != b->hash.high)
        return a->hash.high < b->hash.high;
    if (a->hash.low != b->hash.low)
        return a->hash.low < b->hash.low;
    return a->order < b->order;
}

static void swap(struct spill_record *a, struct spill_record *b)
{
    struct spill_record kept = *a;

    *a = *b;
    *b = kept;
}

static void sort_small(struct spill_record *records, size_t count, before_fn *before)
{
    size_t i, at;

    for (i = 1; i < count; i++) {
        struct spill_record record = records[i];

        for (at = i; at > 0 && before(&record, &records[at - 1]); at--)
            records[at] = records[at - 1];
        records[at] = record;
    }
}

static void sift_down(struct spill_record *records, size_t count, size_t at, before_fn *before)
{
    while (at < count / 2) {
        size_t child = 2 * at + 1;

        if (child + 1 < count && before(&records[child], &records[child + 1]))
            child++;
        if (!before(&records[at], &records[child]))
            return;
        swap(&records[at], &records[child]);
        at = child;
    }
}

static void sort_as_heap(struct spill_record *records, size_t count, before_fn *before)
{
    size_t i;

    for (i = count / 2; i > 0; i--)
        sift_down(records, count, i - 1, before);
    for (i = count; i > 1; i--) {
        swap(&records[0], &records[i - 1]);
        sift_down(records, i - 1, 0, before);
    }
}

/* The middle one of three is put first. */
static void choose_pivot(struct spill_record *records, size_t count, before_fn *before)
{
    struct spill_record *first = &records[0], *middle = &records[count / 2],
                        *last = &records[count - 1];

    if (before(middle, first))
        swap(middle, first);
    if (before(last, middle))
        swap(last, middle);
    if (before(middle, first))
        swap(middle, first);
    swap(first, middle);
}

/* Hoare's: what is before the pivot goes left; returns how many are left of the cut, 0 < n < count.
 */
static size_t partition(struct spill_record *records, size_t count, before_fn *before)
{
    struct spill_record pivot;
    size_t left = 0, right = count;

    choose_pivot(records, count, before);
    pivot = records[0];
    for (;;) {
        do
            right--;
        while (before(&pivot, &records[right]));
        while (before(&records[left], &pivot))
            left++;
        if (left >= right)
            return right + 1;
        swap(&records[left], &records[right]);
        left++;
    }
}

static void sort(struct spill_record *records, size_t count, before_fn *before, int depth_left)
{
    while (count > SMALL_RANGE) {
        size_t left;

        if (depth_left-- == 0) {
            sort_as_heap(records, count, before);
            return;
        }
        left = partition(records, count, before);
        if (left < count - left) {
            sort(records, left, before, depth_left);
            records += left;
            count -= left;
        } else {
            sort(records + left, count - left, before, depth_left);
            count = left;
        }
    }
    sort_small(records, count, before);
}

static enum err_code map_records(struct spill *spill, struct err *err)
{
    void *mapped;

    if (write_buffered(spill, err) != ERR_OK)
        return err->code;
    if (spill->count > SIZE_MAX / sizeof *spill->records)
        return err_set(err, ERR_TOO_BIG, "the temporary file is too large to be mapped");
    mapped = mmap(NULL, (size_t)spill->count * sizeof *spill->records, PROT_READ | PROT_WRITE,
                  MAP_SHARED, spill->fd, 0);
    if (mapped == MAP_FAILED)
        return err_set(err, ERR_SYSTEM, "the temporary file cannot be mapped: %s", strerror(errno));
    spill->records = mapped;
    return ERR_OK;
}

enum err_code spill_sort(struct spill *spill, bool by_order_only, struct err *err)
{
    int depth = 0;
    uint64_t left;

    if (spill->count == 0)
        return ERR_OK;
    if (spill->records == NULL && map_records(spill, err) != ERR_OK)
        return err->code;
    for (left = spill->count; left > 1; left /= 2)
        depth += 2;
    sort(spill->records, (size_t)spill->count, by_order_only ? before_by_order : before_by_hash,
         depth);
    return ERR_OK;
}

struct spill_record *spill_records(struct spill *spill, uint64_t *count_out)
{
    *count_out = spill->records == NULL ? 0 : spill->count;
    return spill->records;
}
