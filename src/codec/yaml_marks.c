#include "purser/codec/yaml_marks.h"

#include <assert.h>
#include <stdbool.h>

#include "purser/base/mem.h"

enum { STEP_CHARACTERS = 64 };

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

/* One character on; the end stays the end. */
static void step(struct yaml_position *position, const char *bytes, size_t length)
{
    if (position->offset >= length)
        return;
    if (bytes[position->offset] == '\n') {
        position->line++;
        position->column = 1;
    } else {
        position->column++;
    }
    do {
        position->offset++;
    } while (position->offset < length && !starts_character(bytes[position->offset]));
}

enum err_code yaml_marks_init(struct yaml_marks *marks, const char *bytes, size_t length)
{
    struct yaml_position position = {.line = 1, .column = 1};

    assert(length < UINT32_MAX);
    *marks = (struct yaml_marks){.bytes = bytes, .length = length};
    marks->steps = mem_new(length / STEP_CHARACTERS + 1, sizeof *marks->steps);
    if (marks->steps == NULL)
        return ERR_NO_MEMORY;
    marks->steps[marks->step_count++] = position;
    for (size_t character = 1; position.offset < length; character++) {
        step(&position, bytes, length);
        if (character % STEP_CHARACTERS == 0)
            marks->steps[marks->step_count++] = position;
    }
    return ERR_OK;
}

void yaml_marks_deinit(struct yaml_marks *marks)
{
    mem_free(marks->steps);
    *marks = (struct yaml_marks){0};
}

struct yaml_position yaml_marks_of_character(const struct yaml_marks *marks, size_t index)
{
    size_t at = index / STEP_CHARACTERS;
    struct yaml_position position;

    if (at >= marks->step_count)
        at = marks->step_count - 1;
    position = marks->steps[at];
    for (size_t character = at * STEP_CHARACTERS; character < index; character++) {
        if (position.offset >= marks->length)
            break;
        step(&position, marks->bytes, marks->length);
    }
    return position;
}

struct yaml_position yaml_position_after(struct yaml_position position, const char *bytes,
                                         size_t offset)
{
    while (position.offset < offset)
        step(&position, bytes, offset);
    return position;
}

size_t yaml_character_count(const char *bytes, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += starts_character(bytes[i]);
    return count;
}
