/* A program that has been loaded once and is forked for each start: loading purser and its forty
 * libraries takes longer than what most commands do.
 *
 * Linked into a preloaded library. With PURSER_STARTER=FD in its environment the program stops
 * before main and reads starts from that socket (starter.py writes them); each is a child of its
 * own, with its own arguments, environment, folder, standard output and error, in which main then
 * runs as ever. An end is told when all that the child has started has ended too. Constructors have
 * run once, in the parent. Without the variable nothing happens. */
#ifndef PURSER_TESTS_STARTER_H
#define PURSER_TESTS_STARTER_H

#include <stdbool.h>

/* Whether this process is one that forks: what depends on the environment is then read later. */
bool starter_is_parent(void);

/* The library's own: called in each child before main, with its environment in place. */
void starter_child(void);

#endif
