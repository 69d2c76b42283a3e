/* What a plain YAML scalar means: the core schema of YAML 1.2, less what would damage data.
 *
 * Two spellings that the core schema calls numbers stay text here, because they are what ids,
 * article numbers and telephone numbers look like and a number would lose characters: a leading
 * zero (00123, 012.5) and a leading plus (+4930123). As everywhere in YAML 1.2, `no`, `on`, `1_000`
 * and dates are text. Source: yaml.org/spec/1.2.2, section 10.3.2 (2021-10). */
#ifndef PURSER_CODEC_YAML_SCALAR_H
#define PURSER_CODEC_YAML_SCALAR_H

#include "purser/base/arena.h"
#include "purser/codec/yaml.h"

enum yaml_scalar_problem {
    YAML_SCALAR_OK,
    YAML_SCALAR_NOT_FINITE, /* .inf and .nan: JSON has no such number */
    YAML_SCALAR_TOO_LONG,   /* 0x… or 0o… over 64 bits */
    YAML_SCALAR_NO_MEMORY
};

/* Sets *kind_out and *text_out. The text of numbers is valid JSON and otherwise as written: only
 * 0x1F, 0o17, .5 and 5. are spelled anew, in `arena`. Booleans become "true" or "false". */
enum yaml_scalar_problem yaml_scalar_read(struct arena *arena, struct slice plain,
                                          enum yaml_kind *kind_out, struct slice *text_out);

#endif
