#include "purser/io/spilled_tally.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "purser/base/mem.h"
#include "temporary_file.h"

enum { PLACES_FIRST = 4096 };

/* A place is empty when its count is 0; the file begins as zeros. */
struct place {
    struct hash128 thing;
    uint64_t count;
};

struct spilled_tally {
    struct tally port;
    const char *folder;
    struct place *places; /* mapped; NULL before the first */
    uint64_t place_count; /* a power of two, at least twice `used` */
    uint64_t used;
};

static struct place *find(struct place *places, uint64_t place_count, struct hash128 thing)
{
    uint64_t at = thing.low & (place_count - 1);

    while (places[at].count != 0 && !hash128_equal(places[at].thing, thing))
        at = (at + 1) & (place_count - 1);
    return &places[at];
}

static enum err_code map_places(const struct spilled_tally *tally, uint64_t place_count,
                                struct place **places_out, struct err *err)
{
    size_t size = (size_t)place_count * sizeof **places_out;
    enum err_code code = ERR_OK;
    void *mapped = MAP_FAILED;
    int fd, failure;

    if (temporary_file_open(tally->folder, &fd, err) != ERR_OK)
        return err->code;
    /* Room is taken now: a full disk would be a SIGBUS later. */
    failure = posix_fallocate(fd, 0, (off_t)size);
    if (failure == 0) {
        mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        failure = errno;
    }
    if (mapped == MAP_FAILED)
        code = err_set(err, ERR_SYSTEM,
                       "a temporary file of %zu bytes cannot be made: %s\n"
                       "hint: TMPDIR names another folder for temporary files",
                       size, strerror(failure));
    (void)close(fd);
    *places_out = mapped;
    return code;
}

static enum err_code grow(struct spilled_tally *tally, struct err *err)
{
    uint64_t place_count = tally->places == NULL ? PLACES_FIRST : 2 * tally->place_count;
    struct place *places;

    if (tally->used == TALLY_THINGS_MAX)
        return err_set(err, ERR_TOO_BIG, "more than %llu groups or items to be counted",
                       (unsigned long long)TALLY_THINGS_MAX);
    if (map_places(tally, place_count, &places, err) != ERR_OK)
        return err->code;
    for (uint64_t i = 0; i < tally->place_count; i++)
        if (tally->places[i].count != 0)
            *find(places, place_count, tally->places[i].thing) = tally->places[i];
    if (tally->places != NULL)
        (void)munmap(tally->places, (size_t)tally->place_count * sizeof *tally->places);
    tally->places = places;
    tally->place_count = place_count;
    return ERR_OK;
}

static enum err_code add(struct tally *self, struct hash128 thing, uint64_t *count_out,
                         struct err *err)
{
    struct spilled_tally *tally = (struct spilled_tally *)self;
    struct place *place;

    if (2 * tally->used >= tally->place_count && grow(tally, err) != ERR_OK)
        return err->code;
    place = find(tally->places, tally->place_count, thing);
    if (place->count == 0)
        tally->used++;
    place->thing = thing;
    *count_out = ++place->count;
    return ERR_OK;
}

static uint64_t count(struct tally *self, struct hash128 thing)
{
    struct spilled_tally *tally = (struct spilled_tally *)self;

    return tally->places == NULL ? 0 : find(tally->places, tally->place_count, thing)->count;
}

enum err_code spilled_tally_open(const char *folder, struct tally **tally_out, struct err *err)
{
    static const struct tally_ops ops = {.add = add, .count = count};
    struct spilled_tally *tally = mem_new(1, sizeof *tally);

    if (tally == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to count groups");
    *tally = (struct spilled_tally){.port.ops = &ops, .folder = folder};
    *tally_out = &tally->port;
    return ERR_OK;
}

void spilled_tally_close(struct tally *self)
{
    struct spilled_tally *tally = (struct spilled_tally *)self;

    if (tally == NULL)
        return;
    if (tally->places != NULL)
        (void)munmap(tally->places, (size_t)tally->place_count * sizeof *tally->places);
    mem_free(tally);
}
