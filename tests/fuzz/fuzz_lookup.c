/* Any answer to a look-up is read without harm, and what comes out of it can be shown and kept.
 *
 * The first byte is the HTTP status (times four), the second chooses the question; the rest is the
 * body. */
#include <string.h>

#include "fuzz.h"
#include "purser/codec/json.h"
#include "purser/codec/lookup.h"

static void check_shown(struct slice text)
{
    size_t bad;

    LAW(text_is_utf8(text.bytes, text.length, &bad));
    for (size_t i = 0; i < text.length; i++)
        LAW((unsigned char)text.bytes[i] >= ' ' && text.bytes[i] != 0x7f);
}

static void check_page(const struct lookup_page *page)
{
    check_shown(slice_of(page->detail));
    LAW(page->is_read == (page->detail[0] == '\0'));
    LAW(page->is_read || page->count == 0 || page->cursor.length > CURSOR_BYTES_MAX);
    LAW(page->created_ms >= 0);
    for (size_t i = 0; i < page->count && i < LOOKUP_IDS_MAX; i++) {
        LAW(page->ids[i].length > 0);
        check_shown(page->ids[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct lookup_match matches[] = {
        {.name = SLICE("document_number"), .text = SLICE("A"), .may_be_missing = true}};
    struct lookup_question question = {
        .path = SLICE("/accounting/invoices?filter=x"), .matches = matches, .wrapper = "invoice"};
    struct lookup_page page;
    struct value kept;
    struct err err = {0};
    struct arena arena;
    int http_status = 200;

    if (length >= 2) {
        http_status = bytes[0] * 4;
        question.match_count = bytes[1] % 2;
        bytes += 2;
        length -= 2;
    }
    arena_init(&arena, 64u * 1024 * 1024);
    page = lookup_read_page(&arena, &question, http_status,
                            (struct slice){(const char *)bytes, length}, "application/json");
    check_page(&page);
    if (page.entity.length > 0)
        LAW(json_parse(&arena, page.entity.bytes, page.entity.length, &kept, &err) == ERR_OK);
    if (page.cursor.length <= CURSOR_BYTES_MAX)
        LAW(lookup_page_path(&arena, &question, page.cursor).length <= PATH_BYTES_MAX);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
