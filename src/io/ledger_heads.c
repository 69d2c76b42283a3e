#include "ledger_heads.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAGIC 0xBEEFC0DEu
#define FORMAT 1u
#define HEAD_BYTES 152u
#define PAGE_BYTES_MIN 512u
#define PAGE_BYTES_MAX 32768u
#define MAP_BYTES_MAX ((uint64_t)1 << 46) /* half of what a process can address on x86-64 */
#define READS_MAX 16

enum { META = 8 };
enum { INTEGER_KEYS = 8 };

enum err_code ledger_heads_damaged(const struct ledger_files *files, uint64_t page,
                                   const char *what, struct err *err)
{
    return err_set(err, ERR_STATE_DIRECTORY,
                   "the ledger in %s is damaged: page %llu %s\n"
                   "hint: restore the directory from a backup; without one, move it away: the same "
                   "idempotency keys are made again",
                   files->path, (unsigned long long)page, what);
}

enum err_code ledger_heads_read_at(const struct ledger_files *files, int fd, void *bytes,
                                   size_t length, uint64_t page, uint32_t page_bytes,
                                   struct err *err)
{
    size_t done = 0;

    while (done < length) {
        ssize_t got =
            pread(fd, (uint8_t *)bytes + done, length - done, (off_t)(page * page_bytes + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ledger_files_failed(files, errno, "read the ledger", err);
        if (got == 0)
            return ledger_heads_damaged(files, page, "is behind the end of the file", err);
        done += (size_t)got;
    }
    return ERR_OK;
}

struct ledger_tree ledger_tree_of(const uint8_t *bytes)
{
    return (struct ledger_tree){.flags = ledger_page_u16(bytes + 4),
                                .depth = ledger_page_u16(bytes + 6),
                                .entries = ledger_page_u64(bytes + 32),
                                .root = ledger_page_u64(bytes + 40)};
}

const char *ledger_tree_problem(const struct ledger_tree *tree, uint16_t flags, uint64_t last_page)
{
    if (tree->flags != flags)
        return "tells of another kind of tree";
    if (tree->depth > LEDGER_TREE_DEPTH_MAX)
        return "tells of a tree that is too deep";
    if (tree->root == LEDGER_NO_PAGE
            ? tree->depth != 0 || tree->entries != 0
            : tree->root < LEDGER_HEADS || tree->root > last_page || tree->depth == 0)
        return "tells of a tree that cannot be";
    return NULL;
}

static struct ledger_head head_of(const uint8_t *bytes)
{
    return (struct ledger_head){.map_bytes = ledger_page_u64(bytes + 32),
                                .page_bytes = ledger_page_u32(bytes + 40),
                                .free_pages = ledger_tree_of(bytes + 40),
                                .main = ledger_tree_of(bytes + 88),
                                .last_page = ledger_page_u64(bytes + 136),
                                .transaction = ledger_page_u64(bytes + 144)};
}

/* What never changes. */
static const char *problem_of_kind(const uint8_t *bytes, uint64_t number)
{
    uint32_t page_bytes = ledger_page_u32(bytes + 40);

    if (ledger_page_u64(bytes) != number || (ledger_page_u16(bytes + 10) & META) == 0 ||
        ledger_page_u32(bytes + 16) != MAGIC)
        return "is no head of a ledger";
    if (page_bytes < PAGE_BYTES_MIN || page_bytes > PAGE_BYTES_MAX ||
        (page_bytes & (page_bytes - 1)) != 0)
        return "tells of pages of an impossible size";
    return NULL;
}

/* What a transaction writes. Its number comes last, so a head that was written in part has the
 * number of the one before it, the lower of the two, and is never used: only the newer is looked
 * at. */
static const char *problem_of_newer(const struct ledger_head *head, uint64_t number)
{
    const char *problem;

    if (head->map_bytes > MAP_BYTES_MAX || head->last_page < LEDGER_HEADS - 1 ||
        head->last_page >= head->map_bytes / head->page_bytes)
        return "tells of a map of an impossible size";
    /* Transactions take turns at the two heads. */
    if (head->transaction != 0 && head->transaction % LEDGER_HEADS != number)
        return "has the number of a transaction that belongs to the other head";
    problem = ledger_tree_problem(&head->free_pages, INTEGER_KEYS, head->last_page);
    return problem != NULL ? problem : ledger_tree_problem(&head->main, 0, head->last_page);
}

static enum err_code read_heads_once(const struct ledger_files *files, int fd,
                                     uint8_t bytes[LEDGER_HEADS][HEAD_BYTES], struct err *err)
{
    uint32_t page_bytes = 0; /* the first lies at 0 whatever its size */

    for (uint64_t number = 0; number < LEDGER_HEADS; number++) {
        uint8_t *head = bytes[number];
        const char *problem;

        if (ledger_heads_read_at(files, fd, head, HEAD_BYTES, number, page_bytes, err) != ERR_OK)
            return err->code;
        if (ledger_page_u32(head + 16) == MAGIC && ledger_page_u32(head + 20) != FORMAT)
            return err_set(err, ERR_STATE_DIRECTORY,
                           "the ledger in %s was written by another version of LMDB\n"
                           "hint: use the purser that wrote it again",
                           files->path);
        problem = problem_of_kind(head, number);
        if (problem != NULL)
            return ledger_heads_damaged(files, number, problem, err);
        page_bytes = ledger_page_u32(head + 40);
    }
    if (ledger_page_u32(bytes[0] + 40) != ledger_page_u32(bytes[1] + 40))
        return ledger_heads_damaged(files, 1, "disagrees with page 0 on the size of pages", err);
    return ERR_OK;
}

/* A running writer may be writing one: what is read twice was not. */
enum err_code ledger_heads_read(const struct ledger_files *files, int fd,
                                struct ledger_head heads[LEDGER_HEADS], struct err *err)
{
    uint8_t bytes[LEDGER_HEADS][HEAD_BYTES], again[LEDGER_HEADS][HEAD_BYTES];
    int reads = 0;

    do {
        if (read_heads_once(files, fd, bytes, err) != ERR_OK ||
            read_heads_once(files, fd, again, err) != ERR_OK)
            return err->code;
    } while (memcmp(bytes, again, sizeof bytes) != 0 && ++reads < READS_MAX);
    for (size_t number = 0; number < LEDGER_HEADS; number++)
        heads[number] = head_of(bytes[number]);
    return ERR_OK;
}

bool ledger_heads_are_known(void)
{
    return sizeof(void *) == 8;
}

enum err_code ledger_heads_check(const struct ledger_files *files, int fd, struct err *err)
{
    struct ledger_head heads[LEDGER_HEADS];
    uint64_t newer, older;
    const char *what;

    if (!ledger_heads_are_known())
        return ERR_OK;
    if (ledger_heads_read(files, fd, heads, err) != ERR_OK)
        return err->code;
    /* As LMDB chooses. */
    newer = heads[0].transaction < heads[1].transaction;
    older = 1 - newer;
    what = problem_of_newer(&heads[newer], newer);
    if (what != NULL)
        return ledger_heads_damaged(files, newer, what, err);
    /* Transactions take turns, and one whose write failed has the number of the one before. */
    if (heads[newer].transaction - heads[older].transaction > 3)
        return ledger_heads_damaged(
            files, older, "is the head of a transaction long before the other one's", err);
    return ERR_OK;
}
