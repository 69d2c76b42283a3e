#include <assert.h>
#include <string.h>

#include "json_schema_steps.h"

#include "purser/core/limits.h"

enum { GROUPS_DEPTH_MAX = 32, REPEATS_MAX = 1000, ATOMS_MAX = 10000 };
#define LAST_CHARACTER 0x10ffffu

struct compiler {
    struct arena *arena;
    struct slice text;
    size_t at;
    struct step steps[PATTERN_STEPS_MAX];
    int count;
    unsigned atoms, depth;
    enum json_pattern_status status; /* sticky */
};

static void give_up(struct compiler *compiler)
{
    if (compiler->status == PATTERN_OK)
        compiler->status = PATTERN_NOT_JUDGED;
}

static bool failed(const struct compiler *compiler)
{
    return compiler->status != PATTERN_OK;
}

static char peek(const struct compiler *compiler)
{
    return compiler->at < compiler->text.length ? compiler->text.bytes[compiler->at] : '\0';
}

static bool take(struct compiler *compiler, char byte)
{
    if (compiler->at == compiler->text.length || peek(compiler) != byte)
        return false;
    compiler->at++;
    return true;
}

static uint32_t take_character(struct compiler *compiler)
{
    uint32_t character = 0;
    size_t length = text_decode(
        (struct slice){compiler->text.bytes + compiler->at, compiler->text.length - compiler->at},
        &character);

    if (length == 0)
        give_up(compiler);
    compiler->at += length;
    return character;
}

/* Puts a step in front of those from `start` on; its distances are the caller's. */
static void insert(struct compiler *compiler, int start, struct step step)
{
    if (compiler->count == PATTERN_STEPS_MAX)
        give_up(compiler);
    if (failed(compiler))
        return;
    memmove(&compiler->steps[start + 1], &compiler->steps[start],
            (size_t)(compiler->count - start) * sizeof step);
    compiler->steps[start] = step;
    compiler->count++;
}

static void emit(struct compiler *compiler, struct step step)
{
    insert(compiler, compiler->count, step);
}

/* -- sets ------------------------------------------------------------------------------------ */

static const struct range digits[] = {{'0', '9'}};
static const struct range not_digits[] = {{0, '0' - 1}, {'9' + 1, LAST_CHARACTER}};
static const struct range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct range not_words[] = {
    {0, '0' - 1}, {'9' + 1, 'A' - 1}, {'Z' + 1, '_' - 1}, {'`', '`'}, {'z' + 1, LAST_CHARACTER}};
static const struct range spaces[] = {
    {0x09, 0x0d},     {0x20, 0x20},     {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
    {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
static const struct range not_spaces[] = {{0, 0x08},
                                          {0x0e, 0x1f},
                                          {0x21, 0x9f},
                                          {0xa1, 0x167f},
                                          {0x1681, 0x1fff},
                                          {0x200b, 0x2027},
                                          {0x202a, 0x202e},
                                          {0x2030, 0x205e},
                                          {0x2060, 0x2fff},
                                          {0x3001, 0xfefe},
                                          {0xff00, LAST_CHARACTER}};
static const struct range line_ends[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

#define ADD(set, table) add_ranges((set), (table), sizeof(table) / sizeof((table)[0]))

static bool add_ranges(struct character_set *set, const struct range *ranges, size_t count)
{
    if (count > RANGES_MAX - set->count)
        return false;
    memcpy(&set->ranges[set->count], ranges, count * sizeof *ranges);
    set->count += count;
    return true;
}

/* \d and the like; false when the letter stands for no class. */
static bool add_class(struct character_set *set, char letter, bool *fits)
{
    switch (letter) {
    case 'd':
        *fits = ADD(set, digits);
        return true;
    case 'D':
        *fits = ADD(set, not_digits);
        return true;
    case 'w':
        *fits = ADD(set, words);
        return true;
    case 'W':
        *fits = ADD(set, not_words);
        return true;
    case 's':
        *fits = ADD(set, spaces);
        return true;
    case 'S':
        *fits = ADD(set, not_spaces);
        return true;
    default:
        return false;
    }
}

/* The character that the escape of `letter` stands for; gives up on all that is not simple. */
static uint32_t escaped(struct compiler *compiler, char letter)
{
    static const char letters[] = "tnrfv", meant[] = "\t\n\r\f\v";
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);

    if (found != NULL)
        return (unsigned char)meant[found - letters];
    if (letter == '\0' || strchr("^$\\.*+?()[]{}|/-", letter) == NULL)
        give_up(compiler);
    return (unsigned char)letter;
}

/* The letter behind a backslash. */
static char take_letter(struct compiler *compiler)
{
    char letter = peek(compiler);

    if (letter == '\0')
        give_up(compiler);
    else
        compiler->at++;
    return letter;
}

/* One character of a [ ]; sets *is_class when it was a class, which then is in the set. */
static uint32_t take_member(struct compiler *compiler, struct character_set *set, bool *is_class)
{
    bool fits = true;
    char letter;

    *is_class = false;
    if (!take(compiler, '\\'))
        return take_character(compiler);
    letter = take_letter(compiler);
    *is_class = add_class(set, letter, &fits);
    if (!fits)
        give_up(compiler);
    return *is_class ? 0 : escaped(compiler, letter);
}

static void parse_set(struct compiler *compiler)
{
    struct character_set *set = arena_new(compiler->arena, 1, sizeof *set);

    if (set == NULL) {
        compiler->status = PATTERN_NO_MEMORY;
        return;
    }
    set->negated = take(compiler, '^');
    while (!failed(compiler) && !take(compiler, ']')) {
        struct range range;
        bool is_class, ends_in_class;

        if (compiler->at + 1 >= compiler->text.length) {
            give_up(compiler);
            return;
        }
        range.first = range.last = take_member(compiler, set, &is_class);
        if (is_class)
            continue;
        if (peek(compiler) == '-' && compiler->at + 1 < compiler->text.length &&
            compiler->text.bytes[compiler->at + 1] != ']') {
            compiler->at++;
            range.last = take_member(compiler, set, &ends_in_class);
            if (ends_in_class || range.last < range.first)
                give_up(compiler);
        }
        if (!add_ranges(set, &range, 1))
            give_up(compiler);
    }
    emit(compiler, (struct step){.kind = STEP_SET, .set = set});
}

static void emit_set(struct compiler *compiler, const struct range *ranges, size_t count,
                     bool negated)
{
    struct character_set *set = arena_new(compiler->arena, 1, sizeof *set);
    bool fits;

    if (set == NULL) {
        compiler->status = PATTERN_NO_MEMORY;
        return;
    }
    set->negated = negated;
    fits = add_ranges(set, ranges, count);
    assert(fits);
    emit(compiler, (struct step){.kind = STEP_SET, .set = set});
}

/* Behind a backslash. */
static void parse_escape(struct compiler *compiler)
{
    struct character_set class = {.count = 0};
    char letter = take_letter(compiler);
    bool fits = true;

    if (add_class(&class, letter, &fits))
        emit_set(compiler, class.ranges, class.count, false);
    else
        emit(compiler,
             (struct step){.kind = STEP_CHARACTER, .character = escaped(compiler, letter)});
}

/* -- structure ------------------------------------------------------------------------------- */

static void parse_choice(struct compiler *compiler);

static void parse_group(struct compiler *compiler)
{
    if (take(compiler, '?') && !take(compiler, ':'))
        give_up(compiler);
    if (++compiler->depth > GROUPS_DEPTH_MAX)
        give_up(compiler);
    if (!failed(compiler))
        parse_choice(compiler);
    compiler->depth--;
    if (!take(compiler, ')'))
        give_up(compiler);
}

/* False for ^ and $, which are not repeated. */
static bool parse_atom(struct compiler *compiler)
{
    char byte = peek(compiler);

    if (++compiler->atoms > ATOMS_MAX)
        give_up(compiler);
    if (byte == '*' || byte == '+' || byte == '?' || byte == '{' || byte == '}' || byte == ']') {
        give_up(compiler);
    } else if (take(compiler, '^')) {
        emit(compiler, (struct step){.kind = STEP_BEGIN});
        return false;
    } else if (take(compiler, '$')) {
        emit(compiler, (struct step){.kind = STEP_END});
        return false;
    } else if (take(compiler, '(')) {
        parse_group(compiler);
    } else if (take(compiler, '[')) {
        parse_set(compiler);
    } else if (take(compiler, '.')) {
        emit_set(compiler, line_ends, sizeof line_ends / sizeof line_ends[0], true);
    } else if (take(compiler, '\\')) {
        parse_escape(compiler);
    } else {
        emit(compiler,
             (struct step){.kind = STEP_CHARACTER, .character = take_character(compiler)});
    }
    return true;
}

static bool take_number(struct compiler *compiler, unsigned *number_out)
{
    size_t start = compiler->at;

    *number_out = 0;
    for (; peek(compiler) >= '0' && peek(compiler) <= '9'; compiler->at++)
        if (*number_out <= REPEATS_MAX)
            *number_out = *number_out * 10 + (unsigned)(peek(compiler) - '0');
    return compiler->at > start;
}

/* How often: *most_out is UINT_MAX for "without end". False when the atom stands alone. */
static bool take_repeats(struct compiler *compiler, unsigned *least_out, unsigned *most_out)
{
    *most_out = UINT32_MAX;
    if (take(compiler, '*')) {
        *least_out = 0;
    } else if (take(compiler, '+')) {
        *least_out = 1;
    } else if (take(compiler, '?')) {
        *least_out = 0;
        *most_out = 1;
    } else if (take(compiler, '{')) {
        if (!take_number(compiler, least_out))
            give_up(compiler);
        if (!take(compiler, ','))
            *most_out = *least_out;
        else if (peek(compiler) != '}' && !take_number(compiler, most_out))
            give_up(compiler);
        if (!take(compiler, '}') || *least_out > REPEATS_MAX || *most_out < *least_out ||
            (*most_out > REPEATS_MAX && *most_out != UINT32_MAX))
            give_up(compiler);
    } else {
        return false;
    }
    (void)take(compiler, '?');
    return true;
}

/* Appends a copy of the piece that starts at `start`. */
static void copy_piece(struct compiler *compiler, int start, int length)
{
    for (int i = 0; i < length; i++)
        emit(compiler, compiler->steps[start + i]);
}

/* Repeats the last piece, which starts at `start`. */
static void repeat(struct compiler *compiler, int start, unsigned least, unsigned most)
{
    int length = compiler->count - start;

    if (length == 0)
        return;
    if (most == 0) {
        compiler->count = start;
        return;
    }
    for (unsigned i = 1; i < least && !failed(compiler); i++)
        copy_piece(compiler, start, length);
    if (most == UINT32_MAX && least > 0) {
        emit(compiler, (struct step){.kind = STEP_FORK, .distance = -length, .other = 1});
    } else if (most == UINT32_MAX) {
        insert(compiler, start,
               (struct step){.kind = STEP_FORK, .distance = 1, .other = length + 2});
        emit(compiler, (struct step){.kind = STEP_JUMP, .distance = -length - 1});
    } else {
        unsigned optional = most - least;
        struct step fork = {.kind = STEP_FORK, .distance = 1, .other = length + 1};

        if (least == 0) {
            insert(compiler, start, fork);
            optional--;
        }
        for (; optional > 0 && !failed(compiler); optional--) {
            emit(compiler, fork);
            copy_piece(compiler, start + (least == 0 ? 1 : 0), length);
        }
    }
}

static void parse_sequence(struct compiler *compiler)
{
    while (!failed(compiler) && compiler->at < compiler->text.length && peek(compiler) != '|' &&
           peek(compiler) != ')') {
        int start = compiler->count;
        bool may_repeat = parse_atom(compiler);
        unsigned least = 1, most = 1;

        if (failed(compiler) || !take_repeats(compiler, &least, &most))
            continue;
        if (may_repeat)
            repeat(compiler, start, least, most);
        else
            give_up(compiler);
    }
}

static void parse_choice(struct compiler *compiler)
{
    int start = compiler->count;

    parse_sequence(compiler);
    while (!failed(compiler) && take(compiler, '|')) {
        int length = compiler->count - start, jump;

        insert(compiler, start,
               (struct step){.kind = STEP_FORK, .distance = 1, .other = length + 2});
        jump = compiler->count;
        emit(compiler, (struct step){.kind = STEP_JUMP});
        parse_sequence(compiler);
        if (!failed(compiler))
            compiler->steps[jump].distance = compiler->count - jump;
    }
}

enum json_pattern_status json_pattern_compile(struct arena *arena, struct slice text,
                                              const struct json_pattern **pattern_out)
{
    struct compiler *compiler = arena_new(arena, 1, sizeof *compiler);
    struct json_pattern *pattern;

    if (compiler == NULL)
        return PATTERN_NO_MEMORY;
    compiler->arena = arena;
    compiler->text = text;
    parse_choice(compiler);
    if (compiler->at < text.length)
        give_up(compiler);
    emit(compiler, (struct step){.kind = STEP_FOUND});
    if (failed(compiler))
        return compiler->status;
    pattern = arena_new(arena, 1, sizeof *pattern + (size_t)compiler->count * sizeof(struct step));
    if (pattern == NULL)
        return PATTERN_NO_MEMORY;
    pattern->count = (size_t)compiler->count;
    memcpy(pattern->steps, compiler->steps, pattern->count * sizeof(struct step));
    *pattern_out = pattern;
    return PATTERN_OK;
}
