#include <string.h>

#include "purser/base/mem.h"
#include "purser/cli/plan_file.h"
#include "purser/cli/whole_file.h"
#include "purser/codec/json.h"

enum { FILE_BYTES_MAX = 40 * 1024 * 1024 };

struct reading {
    struct arena *arena;
    struct options *options;
    struct plan_file *file;
    bool is_wrong;
};

static struct value member(struct reading *reading, const struct value *map, const char *name,
                           enum value_kind kind)
{
    struct value value = value_member(map, slice_of(name));

    if (value.kind != kind)
        reading->is_wrong = true;
    return value;
}

static const char *text_of(struct reading *reading, const struct value *value)
{
    const char *text = NULL;

    if (value->kind == VALUE_STRING)
        text = arena_copy_text(reading->arena, value->text.bytes, value->text.length);
    if (text != NULL && strlen(text) == value->text.length)
        return text;
    reading->is_wrong = true;
    return "";
}

static uint64_t number_of(struct reading *reading, const struct value *map, const char *name,
                          uint64_t max)
{
    struct value value = member(reading, map, name, VALUE_NUMBER);
    uint64_t number = 0;

    if (value.kind != VALUE_NUMBER || !text_to_u64(value.text, &number) || number > max)
        reading->is_wrong = true;
    return number;
}

/* 16 lower-case digits. */
static uint64_t hex_of(struct reading *reading, const char *text, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t number = 0;

    if (length < 16) {
        reading->is_wrong = true;
        return 0;
    }
    for (size_t i = 0; i < 16; i++) {
        const char *digit = memchr(digits, text[i], 16);

        if (digit == NULL)
            reading->is_wrong = true;
        number = number << 4 | (digit == NULL ? 0 : (uint64_t)(digit - digits));
    }
    return number;
}

static void read_options(struct reading *reading, const struct value *from)
{
    struct options *options = reading->options;
    struct value only = member(reading, from, "only", VALUE_LIST);
    struct value vars = member(reading, from, "vars", VALUE_MAP);
    struct value where = value_member(from, SLICE("where"));
    struct value limit = value_member(from, SLICE("limit"));
    struct value slot = value_member(from, SLICE("slot"));

    options->canary = (uint32_t)number_of(reading, from, "canary", CANARY_MAX);
    if (limit.kind != VALUE_NULL)
        options->limit = number_of(reading, from, "limit", UINT64_MAX);
    if (slot.kind != VALUE_OMIT) {
        options->schedule.has_slot = true;
        options->schedule.slot_s = (int64_t)number_of(reading, from, "slot", INT64_MAX);
    }
    if (where.kind != VALUE_NULL)
        options->where = text_of(reading, &where);
    if (reading->is_wrong || only.list.count > OPTION_ONLY_MAX ||
        vars.map.count > OPTION_VARIABLES_MAX) {
        reading->is_wrong = true;
        return;
    }
    for (size_t i = 0; i < only.list.count; i++)
        options->only[options->only_count++] = text_of(reading, &only.list.items[i]);
    for (size_t i = 0; i < vars.map.count; i++) {
        if (vars.map.values[i].kind != VALUE_STRING)
            reading->is_wrong = true;
        else
            options->variables[options->variable_count++] =
                (struct spec_variable){.name = vars.map.names[i], .value = vars.map.values[i].text};
    }
}

static void read_rows(struct reading *reading, const struct value *from)
{
    struct plan_file *file = reading->file;
    struct value blocks = member(reading, from, "blocks", VALUE_LIST);

    file->row_count = number_of(reading, from, "count", UINT64_MAX);
    file->rows_each = (uint32_t)number_of(reading, from, "rows_a_block", ROW_DIGEST_ROWS_EACH_MAX);
    if (reading->is_wrong || file->rows_each == 0 ||
        (file->rows_each & (file->rows_each - 1)) != 0 ||
        blocks.list.count > ROW_DIGEST_BLOCKS_MAX) {
        reading->is_wrong = true;
        return;
    }
    for (size_t i = 0; i < blocks.list.count; i++) {
        const struct value *block = &blocks.list.items[i];

        if (block->kind != VALUE_STRING)
            reading->is_wrong = true;
        else
            file->blocks[file->block_count++] =
                hex_of(reading, block->text.bytes, block->text.length);
    }
}

static void read_plan(struct reading *reading, const struct value *from)
{
    struct plan_file *file = reading->file;
    struct value name = member(reading, from, "spec", VALUE_STRING);
    struct value digest = member(reading, from, "spec_digest", VALUE_STRING);
    struct value options = member(reading, from, "options", VALUE_MAP);
    struct value rows = member(reading, from, "rows", VALUE_MAP);
    struct value ledger = value_member(from, SLICE("ledger"));

    if (reading->is_wrong || digest.text.length != 32) {
        reading->is_wrong = true;
        return;
    }
    file->spec_name = text_of(reading, &name);
    file->spec_digest.high = hex_of(reading, digest.text.bytes, 16);
    file->spec_digest.low = hex_of(reading, digest.text.bytes + 16, 16);
    file->planned_ms = (int64_t)number_of(reading, from, "planned_ms", INT64_MAX);
    file->run = (uint32_t)number_of(reading, from, "run", UINT32_MAX);
    file->has_ledger = ledger.kind != VALUE_NULL;
    if (file->has_ledger) {
        struct value identity = member(reading, &ledger, "identity", VALUE_STRING);

        file->ledger_identity = text_of(reading, &identity);
        file->ledger_revision = number_of(reading, &ledger, "revision", UINT64_MAX);
    }
    read_options(reading, &options);
    read_rows(reading, &rows);
}

static enum err_code check_version(const char *name, const struct value *plan, struct err *err)
{
    struct value version = value_member(plan, SLICE("purser_plan"));
    uint64_t number = 0;

    if (version.kind != VALUE_NUMBER || !text_to_u64(version.text, &number))
        return err_set(err, ERR_INPUT,
                       "%s is no plan of purser\nhint: purser plan SPEC -o FILE makes one", name);
    if (number != PLAN_FILE_VERSION)
        return err_set(err, ERR_INPUT,
                       "%s is a plan of version %llu, and this purser knows %d\n"
                       "hint: make it again with this purser",
                       name, (unsigned long long)number, PLAN_FILE_VERSION);
    return ERR_OK;
}

static bool has_options_of_a_plan(const struct options *options)
{
    return options->only_count > 0 || options->where != NULL || options->limit != UINT64_MAX ||
           options->canary > 0 || options->variable_count > 0 || options->schedule.has_slot;
}

enum err_code plan_file_read(const char *name, struct arena *arena, struct options *options,
                             struct plan_file *file_out, struct err *err)
{
    struct reading reading = {.arena = arena, .options = options, .file = file_out};
    struct value plan;
    enum err_code code;
    size_t length;
    char *bytes;

    memset(file_out, 0, sizeof *file_out);
    file_out->name = name;
    if (has_options_of_a_plan(options))
        return err_set(err, ERR_USAGE,
                       "--plan stands alone: --only, --where, --limit, --canary, --slot and --var "
                       "are in the plan\nhint: give them to purser plan -o");
    if (whole_file_read(name, FILE_BYTES_MAX, &bytes, &length, err) != ERR_OK)
        return err->code;
    code = json_parse(arena, bytes, length, &plan, err);
    if (code != ERR_OK)
        err_wrap(err, "%s is no plan of purser", name);
    else
        code = check_version(name, &plan, err);
    if (code == ERR_OK)
        read_plan(&reading, &plan);
    mem_free(bytes);
    if (code == ERR_OK && reading.is_wrong)
        return err_set(err, ERR_INPUT,
                       "%s is damaged: something in it is not as purser wrote it\n"
                       "hint: purser plan SPEC -o FILE makes it again",
                       name);
    return code;
}
