#include "ledger_check.h"

#include <stdbool.h>
#include <string.h>

#include "ledger_heads.h"
#include "purser/base/mem.h"
#include "purser/base/text.h"

#define HEADER_BYTES 16u
#define NODE_BYTES 8u
#define TREE_BYTES 48u
#define KEY_BYTES_MAX 511u

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4 };
enum { VALUE_ELSEWHERE = 1, VALUE_IS_TREE = 2 };

struct check {
    const struct ledger_files *files;
    int fd;
    struct ledger_head head;
    uint8_t *used;    /* a bit a page */
    uint8_t *buffers; /* a page for each level of two trees, one within the other */
    struct err *err;
};

/* What is being walked, and what was met of it. */
struct walk {
    struct ledger_tree tree;
    uint64_t met_entries;
    uint8_t *buffers;
    bool is_main, is_free_pages;
};

static enum err_code problem(struct check *check, uint64_t page, const char *what)
{
    return ledger_heads_damaged(check->files, page, what, check->err);
}

static enum err_code use(struct check *check, uint64_t page, uint64_t count)
{
    if (page < LEDGER_HEADS || page > check->head.last_page ||
        count > check->head.last_page - page + 1)
        return problem(check, page, "is used and is none of the file's");
    for (; count > 0; page++, count--) {
        uint8_t bit = (uint8_t)(1u << page % 8);

        if ((check->used[page / 8] & bit) != 0)
            return problem(check, page, "is used twice");
        check->used[page / 8] |= bit;
    }
    return ERR_OK;
}

struct node {
    struct slice key;
    const uint8_t *value;
    uint64_t size; /* of the value, wherever it lies; of a branch: the page below */
    uint16_t flags;
};

/* False when it is not within its page. */
static bool take_node(const struct check *check, const uint8_t *page, unsigned index,
                      bool is_branch, struct node *node_out)
{
    uint32_t page_bytes = check->head.page_bytes;
    uint32_t offset = ledger_page_u16(page + HEADER_BYTES + (size_t)2 * index);
    const uint8_t *node = page + offset;
    uint64_t needed;

    if (offset < ledger_page_u16(page + 14) || offset + NODE_BYTES > page_bytes || offset % 2 != 0)
        return false;
    node_out->size = ledger_page_u16(node) | (uint64_t)ledger_page_u16(node + 2) << 16;
    node_out->flags = ledger_page_u16(node + 4);
    node_out->key = (struct slice){(const char *)node + NODE_BYTES, ledger_page_u16(node + 6)};
    if (node_out->key.length > KEY_BYTES_MAX ||
        offset + NODE_BYTES + node_out->key.length > page_bytes)
        return false;
    node_out->value = node + NODE_BYTES + node_out->key.length;
    if (is_branch) {
        node_out->size |= (uint64_t)node_out->flags << 32;
        return true;
    }
    needed = (node_out->flags & VALUE_ELSEWHERE) != 0 ? 8 : node_out->size;
    return node_out->key.length > 0 &&
           offset + NODE_BYTES + node_out->key.length + needed <= page_bytes;
}

static int compare_keys(const struct walk *walk, struct slice left, struct slice right)
{
    size_t shorter = left.length < right.length ? left.length : right.length;
    int order;

    if (walk->is_free_pages) {
        uint64_t one = ledger_page_u64((const uint8_t *)left.bytes);
        uint64_t two = ledger_page_u64((const uint8_t *)right.bytes);

        return one < two ? -1 : one > two;
    }
    order = shorter == 0 ? 0 : memcmp(left.bytes, right.bytes, shorter);
    if (order != 0)
        return order;
    return left.length < right.length ? -1 : left.length > right.length;
}

static enum err_code check_tree(struct check *check, struct walk *walk);

static enum err_code check_free_list(struct check *check, uint64_t page, const uint8_t *bytes,
                                     uint64_t size)
{
    uint64_t count = size >= 8 ? ledger_page_u64(bytes) : UINT64_MAX;

    if (count > (size - 8) / 8)
        return problem(check, page, "has a list of free pages that is too long");
    for (uint64_t i = 1; i <= count; i++) {
        if (use(check, ledger_page_u64(bytes + 8 * i), 1) != ERR_OK)
            return check->err->code;
    }
    return ERR_OK;
}

static enum err_code check_value_elsewhere(struct check *check, const struct walk *walk,
                                           const struct node *node)
{
    uint8_t header[HEADER_BYTES], *list;
    uint32_t page_bytes = check->head.page_bytes;
    uint64_t page = ledger_page_u64(node->value),
             pages = (HEADER_BYTES - 1 + node->size) / page_bytes + 1;
    enum err_code code;

    if (page < LEDGER_HEADS || page > check->head.last_page)
        return problem(check, page, "is used and is none of the file's");
    if (ledger_heads_read_at(check->files, check->fd, header, sizeof header, page, page_bytes,
                             check->err) != ERR_OK)
        return check->err->code;
    /* A shorter value that replaces a longer one keeps its pages. */
    if (ledger_page_u64(header) != page || ledger_page_u16(header + 10) != OVERFLOW ||
        ledger_page_u32(header + 12) < pages)
        return problem(check, page, "is not the long value that it should be");
    if (use(check, page, ledger_page_u32(header + 12)) != ERR_OK)
        return check->err->code;
    if (!walk->is_free_pages)
        return ERR_OK;
    list = mem_new(pages, page_bytes);
    if (list == NULL)
        return err_set(check->err, ERR_NO_MEMORY, "no memory to look over the ledger");
    code = ledger_heads_read_at(check->files, check->fd, list, pages * page_bytes, page, page_bytes,
                                check->err);
    if (code == ERR_OK)
        code = check_free_list(check, page, list + HEADER_BYTES, node->size);
    mem_free(list);
    return code;
}

/* Of a leaf: on the page, on pages of its own, or a tree. */
static enum err_code check_value(struct check *check, struct walk *walk, uint64_t page,
                                 const struct node *node)
{
    struct walk below = {.buffers = check->buffers +
                                    (size_t)LEDGER_TREE_DEPTH_MAX * check->head.page_bytes};
    const char *what;

    if (node->flags == VALUE_ELSEWHERE)
        return check_value_elsewhere(check, walk, node);
    if (node->flags != (walk->is_main ? VALUE_IS_TREE : 0))
        return problem(check, page, "has a value of another kind");
    if (walk->is_free_pages)
        return check_free_list(check, page, node->value, node->size);
    if (!walk->is_main)
        return ERR_OK;
    if (node->size != TREE_BYTES)
        return problem(check, page, "has no tree where one belongs");
    below.tree = ledger_tree_of(node->value);
    what = ledger_tree_problem(&below.tree, 0, check->head.last_page);
    return what != NULL ? problem(check, page, what) : check_tree(check, &below);
}

/* Its header; how many entries it has comes back. */
static enum err_code check_header(struct check *check, uint64_t page, const uint8_t *bytes,
                                  bool is_branch, unsigned *count_out)
{
    unsigned lower = ledger_page_u16(bytes + 12), upper = ledger_page_u16(bytes + 14);

    if (ledger_page_u64(bytes) != page ||
        ledger_page_u16(bytes + 10) != (is_branch ? BRANCH : LEAF))
        return problem(check, page, "is not what it should be");
    if (lower < HEADER_BYTES || lower > upper || upper > check->head.page_bytes || lower % 2 != 0)
        return problem(check, page, "has impossible bounds");
    *count_out = (lower - HEADER_BYTES) / 2;
    return *count_out == 0 ? problem(check, page, "is empty") : ERR_OK;
}

static bool is_in_order(const struct walk *walk, struct slice key, struct slice from,
                        struct slice above, bool may_be_first)
{
    if (from.bytes != NULL && compare_keys(walk, key, from) < (may_be_first ? 0 : 1))
        return false;
    return above.bytes == NULL || compare_keys(walk, key, above) < 0;
}

/* Keys of a page lie between those that its parent has on both sides; `above` has no bytes at the
 * right edge. */
static enum err_code check_page(struct check *check, struct walk *walk, uint64_t page,
                                unsigned level, struct slice from, struct slice above)
{
    uint32_t page_bytes = check->head.page_bytes;
    uint8_t *bytes = walk->buffers + (size_t)level * page_bytes;
    bool is_branch = level + 1u < walk->tree.depth;
    struct node node, next = {0};
    unsigned count = 0;

    if (use(check, page, 1) != ERR_OK ||
        ledger_heads_read_at(check->files, check->fd, bytes, page_bytes, page, page_bytes,
                             check->err) != ERR_OK ||
        check_header(check, page, bytes, is_branch, &count) != ERR_OK)
        return check->err->code;
    if (!is_branch)
        walk->met_entries += count;
    if (!take_node(check, bytes, 0, is_branch, &next))
        return problem(check, page, "has an entry that is not within it");
    for (unsigned i = 0; i < count; i++) {
        bool has_key = !(is_branch && i == 0), is_last = i + 1 == count;

        node = next;
        if (!is_last && !take_node(check, bytes, i + 1, is_branch, &next))
            return problem(check, page, "has an entry that is not within it");
        if (walk->is_free_pages &&
            ((has_key && node.key.length != 8) || (!is_last && next.key.length != 8)))
            return problem(check, page, "has a key of another size");
        if (!has_key)
            node.key = from;
        else if (!is_in_order(walk, node.key, from, above, i == 0))
            return problem(check, page, "has keys that are out of order");
        if ((is_branch ? check_page(check, walk, node.size, level + 1, node.key,
                                    is_last ? above : next.key)
                       : check_value(check, walk, page, &node)) != ERR_OK)
            return check->err->code;
        from = node.key;
    }
    return ERR_OK;
}

static enum err_code check_tree(struct check *check, struct walk *walk)
{
    if (walk->tree.root == LEDGER_NO_PAGE)
        return ERR_OK;
    if (check_page(check, walk, walk->tree.root, 0, (struct slice){0}, (struct slice){0}) != ERR_OK)
        return check->err->code;
    if (walk->met_entries != walk->tree.entries)
        return problem(check, walk->tree.root, "does not lead to as much as it should");
    return ERR_OK;
}

static enum err_code check_trees(struct check *check)
{
    struct walk free_pages = {
        .tree = check->head.free_pages, .buffers = check->buffers, .is_free_pages = true};
    struct walk main = {.tree = check->head.main, .buffers = check->buffers, .is_main = true};

    if (check_tree(check, &free_pages) != ERR_OK)
        return check->err->code;
    return check_tree(check, &main);
}

enum err_code ledger_check_pages(const struct ledger_files *files, int fd, uint64_t transaction,
                                 struct err *err)
{
    struct check check = {.files = files, .fd = fd, .err = err};
    struct ledger_head heads[LEDGER_HEADS];
    enum err_code code;

    if (!ledger_heads_are_known())
        return ERR_OK;
    if (ledger_heads_read(files, fd, heads, err) != ERR_OK)
        return err->code;
    check.head = heads[transaction % LEDGER_HEADS];
    if (check.head.transaction != transaction)
        return ERR_OK; /* a running writer has just taken this head for a later one */
    check.used = mem_new(check.head.last_page / 8 + 1, 1);
    check.buffers = mem_new((size_t)2 * LEDGER_TREE_DEPTH_MAX, check.head.page_bytes);
    code = check.used == NULL || check.buffers == NULL
               ? err_set(err, ERR_NO_MEMORY, "no memory to look over the ledger")
               : check_trees(&check);
    mem_free(check.used);
    mem_free(check.buffers);
    return code;
}
