/* Prints the life cycle of an item as a Markdown table, from the code itself.
 *
 * Rows are events and columns are states, because 21 columns fit on no page. A cell names the
 * states that can follow, found by trying each cell with all kinds of items; "·" = cannot happen.
 * --check FILE and --update FILE: see marked_text.h. */
#include "marked_text.h"
#include "purser/core/lifecycle.h"

enum { TABLE_BYTES_MAX = 1024 * 1024, FAR_MS = 100000000 };

struct variant {
    bool keyed, unknown_send, accepted, abandoned, old, many, waits, natural;
};

static struct variant variant_of(unsigned bits)
{
    return (struct variant){.keyed = (bits & 1) == 0,
                            .unknown_send = (bits & 2) != 0,
                            .accepted = (bits & 4) != 0,
                            .abandoned = (bits & 8) != 0,
                            .old = (bits & 16) != 0,
                            .many = (bits & 32) != 0,
                            .waits = (bits & 64) != 0,
                            .natural = (bits & 128) != 0};
}

/* False when no item can be like that on this event. */
static bool is_possible(enum item_state state, enum item_event_kind kind,
                        const struct variant *variant)
{
    if (kind == EVENT_WAITS && !variant->waits)
        return false;
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
    struct policy policy = {.repeatable = variant->keyed || variant->natural,
                            .by_nature = variant->natural,
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
                        .has_needs = variant->waits,
                        .remote_job = "job"};
    struct item_event event = {.kind = kind,
                               .now_ms = variant->old ? FAR_MS : 2,
                               .server_now_ms = 2,
                               .key_age_ms = variant->old ? FAR_MS : 0,
                               .delay_ms = -1,
                               .reason = REASON_UNCLASSIFIED,
                               .has_needs = variant->waits,
                               .waits_on = variant->waits ? WAIT_ITEM : WAIT_NONE,
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
    for (unsigned bits = 0; bits < 256; bits++) {
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

int main(int argc, char **argv)
{
    struct buf table;
    int status;

    buf_init(&table, TABLE_BYTES_MAX);
    print_table(&table);
    status = marked_text_main(argc, argv, "lifecycle-table", slice_of(buf_text(&table)));
    buf_deinit(&table);
    return status;
}
