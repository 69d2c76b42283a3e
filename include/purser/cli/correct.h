/* `purser retry --input`: corrected rows take the places of those that failed. */
#ifndef PURSER_CLI_CORRECT_H
#define PURSER_CLI_CORRECT_H

#include "purser/cli/options.h"

/* A whole command: checks the rows of options->input against the ledger, and when all of them may
 * be sent, sends them and nothing else. Returns the exit status. */
int correct_command(const struct options *options);

#endif
