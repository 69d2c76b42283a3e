/* A text that is made from the code and stands in a document, between two marks:
 *
 *     <!-- NAME -->
 *     <!-- /NAME -->
 *
 * each on a line of its own. */
#ifndef PURSER_TOOLS_MARKED_TEXT_H
#define PURSER_TOOLS_MARKED_TEXT_H

#include "purser/base/buf.h"
#include "purser/base/text.h"

/* The main() of a tool that makes `text`. Without arguments it prints it; with --check FILE it
 * compares it with what stands between the marks of FILE, exit status 1 and a hint if that differs;
 * with --update FILE it writes it there. Returns the exit status. */
int marked_text_main(int argc, char **argv, const char *name, struct slice text);

#endif
