/* Talk on stderr: key=value lines, levels, and the redaction of every known secret.
 *
 * The one global of the program, because a secret must be caught wherever it would come out. */
#ifndef PURSER_BASE_LOG_H
#define PURSER_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Lines above `level` are dropped. The default is LOG_WARNING. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* One line: "2026-11-26T21:45:23.123Z warning event=throttled connection=shop …". The formatted
 * part is made printable and secrets in it are replaced by "[secret]". */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Registers a secret value to be replaced wherever text passes through log_redact(). Values
 * under 4 bytes are ignored. The value is copied into memory that is wiped at log_forget().
 * At most 65536 values. Returns false when it could not be kept. */
bool log_add_secret(const char *value, size_t length);
void log_forget(void);

/* Replaces secrets in `text` in place; the result is never longer. Returns the new length. */
size_t log_redact(char *text, size_t length);

#endif
