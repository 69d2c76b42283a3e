/* Where the n-th character of a text is: libyaml counts characters, slices count bytes.
 *
 * A lookup steps over at most 63 characters, so all lookups of a parse are linear together. */
#ifndef PURSER_CODEC_YAML_MARKS_H
#define PURSER_CODEC_YAML_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "purser/base/err.h"

struct yaml_position {
    uint32_t offset;       /* in bytes, from 0 */
    uint32_t line, column; /* from 1; columns in characters; only \n ends a line */
};

struct yaml_marks {
    const char *bytes; /* borrowed, valid UTF-8 */
    size_t length;
    struct yaml_position *steps; /* of every 64th character */
    size_t step_count;
};

/* Errors: ERR_NO_MEMORY, nothing is then left behind. */
enum err_code yaml_marks_init(struct yaml_marks *marks, const char *bytes,
                              size_t length) ERR_CHECKED;
void yaml_marks_deinit(struct yaml_marks *marks);

/* The position of character `index`, from 0; past the end: the end. */
struct yaml_position yaml_marks_of_character(const struct yaml_marks *marks, size_t index);

/* The position after stepping from `position` to byte `offset` of `bytes`. */
struct yaml_position yaml_position_after(struct yaml_position position, const char *bytes,
                                         size_t offset);

/* Characters in valid UTF-8. */
size_t yaml_character_count(const char *bytes, size_t length);

#endif
