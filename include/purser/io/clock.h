/* Time. Wall time is for what is stored; boot time for time-outs and ages (it counts suspend and
 * never jumps). */
#ifndef PURSER_IO_CLOCK_H
#define PURSER_IO_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_boot_ms(void);

/* A number that stays the same until the machine is started again, of the kernel's boot_id; 0 when
 * that cannot be read. */
uint32_t clock_boot(void);

#endif
