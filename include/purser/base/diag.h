/* Messages about input, each with its place: file:line:column, the line and a caret.
 *
 * All errors of a file are gathered and shown together, sorted by place, 20 at most and then a
 * count. One form for a terminal, one for machines. */
#ifndef PURSER_BASE_DIAG_H
#define PURSER_BASE_DIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "purser/base/buf.h"
#include "purser/base/err.h"

#define DIAG_SHOWN_MAX 20
#define DIAG_KEPT_MAX 200
#define DIAG_TEXT_BYTES_MAX 1024 /* of a message, of a help; longer ones are cut */

/* A place in a file. Lines and columns count from 1, columns in characters; 0 = unknown. */
struct place {
    const char *file; /* borrowed; outlives the diagnostics; NULL = no file */
    uint32_t line, column;
    uint32_t width; /* characters to underline; 0 = one */
};

/* DIAG_HIDE_LINE may be or-ed to either: a secret stands on the line, so it is not printed, nor
 * with any other message about it. */
enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_HIDE_LINE = 1 << 8 };

struct diag_message;
struct diag_file;

struct diagnostics {
    struct diag_message *messages;
    uint32_t count, capacity;
    uint64_t error_count, warning_count; /* all, also those not kept */
    struct diag_file *files;             /* of diagnostics_name_file() */
};

void diagnostics_init(struct diagnostics *diagnostics);
void diagnostics_deinit(struct diagnostics *diagnostics);

/* Adds a message. `code` is stable and never reused, e.g. "spec.unknown_key"; it must be a string
 * literal. `help` may be NULL. Text and help are copied; a message past the number kept is only
 * counted, but an error takes the place of a warning. One that is kept already, word for word and
 * at the same place, is not added again. */
void diagnostics_add(struct diagnostics *diagnostics, enum diag_severity severity,
                     struct place place, const char *code, const char *help, const char *format,
                     ...) __attribute__((format(printf, 6, 7)));

/* A copy of `name` for places, that lives as long as the diagnostics. NULL without memory. */
const char *diagnostics_name_file(struct diagnostics *diagnostics, const char *name);

/* Lines of `name` (which diagnostics_name_file() gave) are read from byte `offset` of `fd` on, and
 * not from a file of that name: it is unpacked or decoded there, or there is none. `fd` is
 * duplicated, once for all names with their lines in it; -1: no lines are shown. Called at most
 * once for a name. Without memory or descriptors no lines are shown either. */
void diagnostics_set_lines(struct diagnostics *diagnostics, const char *name, int fd,
                           uint64_t offset);

bool diagnostics_has_errors(const struct diagnostics *diagnostics);

/* The text of the error that was added first; "" when there is none. Borrowed. */
const char *diagnostics_first_error(const struct diagnostics *diagnostics);

/* Appends the messages for people, sorted by place; files in the order in which they came up:
 *   file:9:5: error: unknown key 'conection' in job 'products'   [spec.unknown_key]
 *       9 |     conection: shop
 *         |     ^~~~~~~~~
 *         help: did you mean 'connection'?
 * Lines are read again from the files by their name; a file that cannot be read shows none, and
 * neither does a place without a column (for a line that holds a secret). A long line is cut around
 * the place. Everything is made safe for a terminal. */
void diagnostics_print(struct diagnostics *diagnostics, struct buf *out);

/* Appends all kept messages as a JSON array of {severity, code, message, file, line, column, help};
 * what is not known is null. */
void diagnostics_print_json(struct diagnostics *diagnostics, struct buf *out);

/* One kept message. The texts are borrowed from the diagnostics. */
struct diag_view {
    enum diag_severity severity; /* without flags */
    struct place place;
    const char *code, *text;
    const char *help; /* NULL = none */
};

/* Sorts the kept messages by place. */
void diagnostics_sort(struct diagnostics *diagnostics);

/* The message at `index`, which is below diagnostics->count. */
struct diag_view diagnostics_view(const struct diagnostics *diagnostics, uint32_t index);

#endif
