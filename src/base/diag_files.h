/* The files that messages are about. Private to base/diag. */
#ifndef PURSER_BASE_DIAG_FILES_H
#define PURSER_BASE_DIAG_FILES_H

#include <stdio.h>

#include "purser/base/diag.h"

/* The text whose lines belong to the name `file`, from its start; NULL when it cannot be had. */
FILE *diag_files_open(const struct diag_file *files, const char *file);

void diag_files_free(struct diag_file *files);

#endif
