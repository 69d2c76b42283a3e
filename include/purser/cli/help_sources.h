/* Where rows can come from: what `purser help sources` prints. */
#ifndef PURSER_CLI_HELP_SOURCES_H
#define PURSER_CLI_HELP_SOURCES_H

#include "purser/base/buf.h"

/* Appends the whole text, with an example of each kind. */
void help_sources(struct buf *out);

#endif
