/* Prints the life cycle of an item as a Markdown table, from the code itself.
 *
 * Rows are events and columns are states, because 21 columns fit on no page. A cell names the
 * states that can follow, found by trying each cell with all kinds of items; "·" = cannot happen.
 * With --check FILE: compares with the part of FILE between the marks, exit status 1 if it differs.
 * With --update FILE: writes it there. */
#include <stdio.h>
#include <string.h>

#include "purser/base/buf.h"
#include "purser/base/text.h"
#include "purser/core/lifecycle.h"

#define FIRST_MARK "<!-- lifecycle-table -->\n"
#define LAST_MARK "<!-- /lifecycle-table -->\n"

enum { FILE_BYTES_MAX = 4 * 1024 * 1024, FAR_MS = 100000000 };

struct variant {
    bool keyed, unknown_send, accepted, abandoned, old, many;
};

static struct variant variant_of(unsigned bits)
{
    return (struct variant){.keyed = (bits & 1) == 0,
                            .unknown_send = (bits & 2) != 0,
                            .accepted = (bits & 4) != 0,
                            .abandoned = (bits & 8) != 0,
                            .old = (bits & 16) != 0,
                            .many = (bits & 32) != 0};
}

/* False when no item can be like that on this event. */
static bool is_possible(enum item_state state, enum item_event_kind kind,
                        const struct variant *variant)
{
    if (kind == EVENT_WITHDRAWN || state == ITEM_BLOCKED || state == ITEM_READY ||
        state == ITEM_SKIPPED)
        return !variant->unknown_send && !variant->accepted;
    if (state == ITEM_SENDING)
        return !variant->accepted && (variant->keyed || !variant->unknown_send);
    if (state == ITEM_FAILED)
        return !variant->abandoned && (!variant->unknown_send || variant->accepted);
    return !variant->abandoned || state == ITEM_CANCELLED;
}

static struct step try_cell(enum item_state state, enum item_event_kind kind,
                            const struct variant *variant)
{
    struct policy policy = {.repeatable = variant->keyed,
                            .attempt_limit = 10,
                            .rekey_limit = 3,
                            .first_delay_ms = 1,
                            .max_delay_ms = 1,
                            .key_window_ms = 1000,
                            .missing_limit = 3,
                            .missing_for_ms = 1000};
    struct item item = {.state = state,
                        .reason = variant->abandoned ? REASON_ABANDONED : REASON_NONE,
                        .generation = variant->many ? 10 : 1,
                        .attempt_count = variant->many ? 10 : 1,
                        .attempt_total = 10,
                        .missing_count = variant->many ? 10 : 0,
                        .unknown_send = variant->unknown_send,
                        .accepted = variant->accepted || state == ITEM_WAITING,
                        .intent_ms = 1,
                        .remote_job = "job"};
    struct item_event event = {.kind = kind,
                               .now_ms = variant->old ? FAR_MS : 2,
                               .server_now_ms = 2,
                               .key_age_ms = variant->old ? FAR_MS : 0,
                               .delay_ms = -1,
                               .reason = REASON_UNCLASSIFIED,
                               .remote_job = "job"};

    if (kind == EVENT_WITHDRAWN)
        item.attempt_count = 0;
    return lifecycle_step(&item, &event, &policy);
}

static void print_cell(struct buf *buf, enum item_state state, enum item_event_kind kind)
{
    static const char *const notes[EFFECT_COUNT] = {[EFFECT_NONE] = "",
                                                    [EFFECT_SEND] = " (sent)",
                                                    [EFFECT_POLL] = " (polled)",
                                                    [EFFECT_FINAL] = ""};
    bool seen[ITEM_STATE_COUNT][EFFECT_COUNT] = {{false}};
    const char *between = "";

    if (!lifecycle_is_legal(state, kind)) {
        buf_append_text(buf, " · |");
        return;
    }
    for (unsigned bits = 0; bits < 64; bits++) {
        struct variant variant = variant_of(bits);

        if (is_possible(state, kind, &variant)) {
            struct step step = try_cell(state, kind, &variant);

            seen[step.item.state][step.effect] = true;
        }
    }
    buf_append_text(buf, " ");
    for (unsigned next = 0; next < ITEM_STATE_COUNT; next++) {
        for (unsigned effect = 0; effect < EFFECT_COUNT; effect++) {
            if (!seen[next][effect])
                continue;
            buf_append_format(buf, "%s%s%s", between, item_state_name((enum item_state)next),
                              notes[effect]);
            between = ", ";
        }
    }
    buf_append_text(buf, " |");
}

static void print_table(struct buf *buf)
{
    buf_append_text(buf, "| on \\ in |");
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
        buf_append_format(buf, " **%s** |", item_state_name((enum item_state)state));
    buf_append_text(buf, "\n|---|");
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
        buf_append_text(buf, "---|");
    buf_append_text(buf, "\n");
    for (unsigned kind = 0; kind < ITEM_EVENT_COUNT; kind++) {
        buf_append_format(buf, "| %s |", item_event_name((enum item_event_kind)kind));
        for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
            print_cell(buf, (enum item_state)state, (enum item_event_kind)kind);
        buf_append_text(buf, "\n");
    }
}

static bool read_file(const char *path, struct buf *buf)
{
    char block[4096];
    size_t length;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return false;
    while ((length = fread(block, 1, sizeof block, file)) > 0)
        buf_append(buf, block, length);
    return fclose(file) == 0 && buf->failed == ERR_OK;
}

static bool write_file(const char *path, struct slice head, struct slice table, struct slice tail)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        return false;
    (void)fwrite(head.bytes, 1, head.length, file);
    (void)fwrite(table.bytes, 1, table.length, file);
    (void)fwrite(tail.bytes, 1, tail.length, file);
    return !ferror(file) && fclose(file) == 0;
}

static int compare_text(const char *path, struct buf *text, struct slice table, bool update)
{
    const char *first, *last;
    size_t before;

    if (!read_file(path, text)) {
        (void)fprintf(stderr, "lifecycle-table: cannot read %s\n", path);
        return 1;
    }
    first = strstr(buf_text(text), FIRST_MARK);
    last = first == NULL ? NULL : strstr(first, LAST_MARK);
    if (last == NULL) {
        (void)fprintf(stderr, "lifecycle-table: %s has no lines\n%s%s", path, FIRST_MARK,
                      LAST_MARK);
        return 1;
    }
    first += strlen(FIRST_MARK);
    before = (size_t)(first - buf_text(text));
    if (slice_equal((struct slice){first, (size_t)(last - first)}, table))
        return 0;
    if (update)
        return !write_file(path, (struct slice){buf_text(text), before}, table,
                           (struct slice){last, text->length - (size_t)(last - buf_text(text))});
    (void)fprintf(stderr,
                  "lifecycle-table: the table in %s is not the one of the code\n"
                  "hint: lifecycle-table --update %s\n",
                  path, path);
    return 1;
}

static int compare(const char *path, struct slice table, bool update)
{
    struct buf text;
    int status;

    buf_init(&text, FILE_BYTES_MAX);
    status = compare_text(path, &text, table, update);
    buf_deinit(&text);
    return status;
}

int main(int argc, char **argv)
{
    struct buf table;
    int status = 2;

    buf_init(&table, FILE_BYTES_MAX);
    print_table(&table);
    if (argc == 1)
        status = fwrite(buf_text(&table), 1, table.length, stdout) != table.length;
    else if (argc == 3 && (strcmp(argv[1], "--check") == 0 || strcmp(argv[1], "--update") == 0))
        status = compare(argv[2], slice_of(buf_text(&table)), strcmp(argv[1], "--update") == 0);
    else
        (void)fprintf(stderr, "usage: lifecycle-table [--check FILE | --update FILE]\n");
    buf_deinit(&table);
    return status;
}
