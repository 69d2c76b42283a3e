/* How the rows of a source are written. Private to codec/spec_source. */
#ifndef PURSER_CODEC_SPEC_SOURCE_H
#define PURSER_CODEC_SPEC_SOURCE_H

#include "purser/codec/spec_check.h"

struct source_form_nodes { /* each may be NULL */
    const struct yaml_node *at, *delimiter, *quote, *encoding, *header, *skip_lines;
};

/* Sets the fields of `source`, whose kind is known; what its kind does not take is an error. */
void spec_read_source_form(struct spec_reader *reader, const struct source_form_nodes *nodes,
                           struct spec_source *source);

/* Compiles a text in which ${run…} may stand. False after a message. NULL in *template_out: it is
 * the same in each run. */
bool spec_compile_of_run(struct spec_reader *reader, const struct yaml_node *node,
                         const struct text_template **template_out);

#endif
