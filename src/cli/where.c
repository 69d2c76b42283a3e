#include <stdio.h>
#include <string.h>

#include "purser/cli/listing.h"

enum field {
    FIELD_STATE,
    FIELD_REASON,
    FIELD_JOB,
    FIELD_CONNECTION,
    FIELD_KEY,
    FIELD_CODE,
    FIELD_GENERATION,
    FIELD_ATTEMPTS,
    FIELD_LINE,
    FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = {
    [FIELD_STATE] = "state",           [FIELD_REASON] = "reason",     [FIELD_JOB] = "job",
    [FIELD_CONNECTION] = "connection", [FIELD_KEY] = "key",           [FIELD_CODE] = "code",
    [FIELD_GENERATION] = "generation", [FIELD_ATTEMPTS] = "attempts", [FIELD_LINE] = "line",
};

static bool is_known_of_row(int field)
{
    return field == FIELD_STATE || field == FIELD_JOB || field == FIELD_CONNECTION ||
           field == FIELD_KEY || field == FIELD_LINE;
}

enum operation_kind { IS, IS_NOT, CONTAINS, BELOW, AT_MOST, ABOVE, AT_LEAST, OPERATION_COUNT };

/* Longer ones first, so that "<=" is not read as "<". */
static const struct {
    const char *text;
    enum operation_kind kind;
} operations[OPERATION_COUNT] = {{"!=", IS_NOT},  {"<=", AT_MOST}, {">=", AT_LEAST}, {"=", IS},
                                 {"~", CONTAINS}, {"<", BELOW},    {">", ABOVE}};

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

static enum err_code parse_field(const char **text, bool of_rows, int *field_out, struct err *err)
{
    size_t length = strspn(*text, "abcdefghijklmnopqrstuvwxyz_");
    char word[32];
    const char *closest;

    for (int i = 0; i < FIELD_COUNT; i++) {
        if (!slice_is((struct slice){*text, length}, field_names[i]))
            continue;
        if (of_rows && !is_known_of_row(i))
            return err_set(
                err, ERR_USAGE,
                "--where: '%s' is not known of a row before it is sent\nhint: fields are "
                "job, connection, key, state, line",
                field_names[i]);
        *field_out = i;
        *text += length;
        return ERR_OK;
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), *text);
    closest = text_closest(word, field_names, FIELD_COUNT);
    return err_set(err, ERR_USAGE, "--where: '%s' is not a field\nhint: %s%s%sfields are %s", word,
                   closest == NULL ? "" : "did you mean '", closest == NULL ? "" : closest,
                   closest == NULL ? "" : "'? ",
                   of_rows ? "job, connection, key, state, line"
                           : "state, reason, job, connection, key, code, generation, attempts, "
                             "line");
}

static bool parse_operation(const char **text, int *operation_out)
{
    for (int i = 0; i < OPERATION_COUNT; i++) {
        size_t length = strlen(operations[i].text);

        if (strncmp(*text, operations[i].text, length) == 0) {
            *operation_out = (int)operations[i].kind;
            *text += length;
            return true;
        }
    }
    return false;
}

/* A word up to a blank, or anything in single or double quotes. */
static bool parse_value(const char **text, struct slice *value_out)
{
    const char *start = *text;

    if (*start == '\'' || *start == '"') {
        const char *end = strchr(start + 1, *start);

        if (end == NULL)
            return false;
        *value_out = (struct slice){start + 1, (size_t)(end - start - 1)};
        *text = end + 1;
        return true;
    }
    value_out->bytes = start;
    value_out->length = strcspn(start, " \t");
    *text = start + value_out->length;
    return value_out->length > 0;
}

static enum err_code check_value(const struct where_term *term, bool of_rows, struct err *err)
{
    char word[64];
    enum item_state state;
    uint64_t number;

    (void)snprintf(word, sizeof word, "%.*s",
                   (int)(term->value.length < 63 ? term->value.length : 63), term->value.bytes);
    if (term->field == FIELD_STATE && term->operation != CONTAINS &&
        !item_state_parse(word, &state) && !(of_rows && strcmp(word, WHERE_STATE_NEW) == 0))
        return err_set(err, ERR_USAGE,
                       "--where: '%s' is not a state\nhint: states are %sblocked, ready, sending, "
                       "waiting, succeeded, failed, in_doubt, cancelled, skipped",
                       word, of_rows ? "new, " : "");
    if ((term->field == FIELD_GENERATION || term->field == FIELD_ATTEMPTS ||
         term->field == FIELD_LINE) &&
        !text_to_u64(term->value, &number))
        return err_set(err, ERR_USAGE, "--where: %s is a number, not '%s'",
                       field_names[term->field], word);
    return ERR_OK;
}

static enum err_code parse(const char *text, bool of_rows, struct where *where_out, struct err *err)
{
    *where_out = (struct where){.count = 0};
    if (text == NULL)
        return ERR_OK;
    text = skip_blanks(text);
    while (*text != '\0') {
        struct where_term *term = &where_out->terms[where_out->count];

        if (where_out->count == WHERE_TERMS_MAX)
            return err_set(err, ERR_USAGE, "--where takes at most %d terms", WHERE_TERMS_MAX);
        if (parse_field(&text, of_rows, &term->field, err) != ERR_OK)
            return err->code;
        text = skip_blanks(text);
        if (!parse_operation(&text, &term->operation))
            return err_set(err, ERR_USAGE, "--where: after %s comes one of = != ~ < <= > >=",
                           field_names[term->field]);
        text = skip_blanks(text);
        if (!parse_value(&text, &term->value))
            return err_set(err, ERR_USAGE, "--where: %s has nothing to be compared with",
                           field_names[term->field]);
        if (check_value(term, of_rows, err) != ERR_OK)
            return err->code;
        where_out->count++;
        text = skip_blanks(text);
        if (*text == '\0')
            break;
        /* strchr() finds the end of the text as well: that is an error of its own. */
        if (strncmp(text, "and", 3) != 0 || strchr(" \t", text[3]) == NULL)
            return err_set(err, ERR_USAGE, "--where: terms are joined by 'and', not '%.20s'", text);
        text = skip_blanks(text + 3);
        if (*text == '\0')
            return err_set(err, ERR_USAGE, "--where: nothing comes after the last 'and'");
    }
    return ERR_OK;
}

enum err_code where_parse(const char *text, struct where *where_out, struct err *err)
{
    return parse(text, false, where_out, err);
}

enum err_code where_parse_rows(const char *text, struct where *where_out, struct err *err)
{
    return parse(text, true, where_out, err);
}

static bool compare_numbers(uint64_t number, int operation, uint64_t wanted)
{
    switch ((enum operation_kind)operation) {
    case IS:
    case CONTAINS:
        return number == wanted;
    case IS_NOT:
        return number != wanted;
    case BELOW:
        return number < wanted;
    case AT_MOST:
        return number <= wanted;
    case ABOVE:
        return number > wanted;
    case AT_LEAST:
        return number >= wanted;
    case OPERATION_COUNT:
        break;
    }
    return false;
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t common = a.length < b.length ? a.length : b.length;
    int order = common == 0 ? 0 : memcmp(a.bytes, b.bytes, common);

    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static bool compare_texts(struct slice text, int operation, struct slice wanted)
{
    int order = compare_slices(text, wanted);

    switch ((enum operation_kind)operation) {
    case IS:
        return order == 0;
    case IS_NOT:
        return order != 0;
    case CONTAINS:
        return memmem(text.bytes, text.length, wanted.bytes, wanted.length) != NULL;
    case BELOW:
        return order < 0;
    case AT_MOST:
        return order <= 0;
    case ABOVE:
        return order > 0;
    case AT_LEAST:
        return order >= 0;
    case OPERATION_COUNT:
        break;
    }
    return false;
}

static bool row_term_holds(const struct where_term *term, const struct where_row *row)
{
    uint64_t wanted = 0;

    switch ((enum field)term->field) {
    case FIELD_STATE:
        return compare_texts(slice_of(row->state), term->operation, term->value);
    case FIELD_JOB:
        return compare_texts(slice_of(row->job), term->operation, term->value);
    case FIELD_CONNECTION:
        return compare_texts(slice_of(row->connection), term->operation, term->value);
    case FIELD_KEY:
        return compare_texts(row->key, term->operation, term->value);
    case FIELD_LINE:
        return text_to_u64(term->value, &wanted) &&
               compare_numbers(row->line, term->operation, wanted);
    case FIELD_REASON:
    case FIELD_CODE:
    case FIELD_GENERATION:
    case FIELD_ATTEMPTS:
    case FIELD_COUNT:
        break;
    }
    return false;
}

static bool term_holds(const struct where_term *term, const struct item_view *view)
{
    const struct item *item = &view->item;
    uint64_t wanted = 0;
    bool is_number = text_to_u64(term->value, &wanted);

    switch ((enum field)term->field) {
    case FIELD_REASON:
        return compare_texts(slice_of(reason_code(item->reason)), term->operation, term->value);
    case FIELD_CODE:
        return is_number ? compare_numbers(item->http_status, term->operation, wanted)
                         : compare_texts(slice_of(item->error_code), term->operation, term->value);
    case FIELD_GENERATION:
        return compare_numbers(item->generation, term->operation, wanted);
    case FIELD_ATTEMPTS:
        return compare_numbers(item->attempt_total, term->operation, wanted);
    case FIELD_STATE:
    case FIELD_JOB:
    case FIELD_CONNECTION:
    case FIELD_KEY:
    case FIELD_LINE:
        return row_term_holds(term, &(struct where_row){.job = view->job,
                                                        .connection = view->connection,
                                                        .key = view->request.key,
                                                        .state = item_state_name(item->state),
                                                        .line = view->request.source_line});
    case FIELD_COUNT:
        break;
    }
    return false;
}

bool where_matches(const struct where *where, const struct item_view *view)
{
    for (size_t i = 0; i < where->count; i++)
        if (!term_holds(&where->terms[i], view))
            return false;
    return true;
}

bool where_matches_row(const struct where *where, const struct where_row *row)
{
    for (size_t i = 0; i < where->count; i++)
        if (!row_term_holds(&where->terms[i], row))
            return false;
    return true;
}
