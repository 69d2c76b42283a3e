/* What is remembered between two processes: keys, jobs, effects, connections and counters.
 *
 * The file is written once, at the end, so that a request costs nothing. It is the text of the
 * records, one after the other, and a check over all of them behind: a file that was cut off or
 * changed is refused, never half believed. While a process lives it holds a lock on FILE.lock;
 * the next one waits for it, so that a client that was killed and started again cannot overtake
 * the simulator that is still writing. */
#ifndef RUTTER_SIM_WORLD_H
#define RUTTER_SIM_WORLD_H

#include "sim.h"

/* Locks --world, if given, and loads it if it exists. Ends the process with a message when it is
 * damaged, of another version, or in use for too long. */
void world_open(struct sim *sim);

/* Writes it beside the old one and puts it in its place. False: told on standard error, and the
 * old one is as it was. */
bool world_save(struct sim *sim);

#endif
