/* What the files of the intake share. */
#ifndef PURSER_IO_INTAKE_PRIVATE_H
#define PURSER_IO_INTAKE_PRIVATE_H

#include "purser/io/intake.h"

struct intake_job {
    const struct spec_job *job;
    struct source *source;
    struct job_templates templates;
    bool gathered; /* rows of a group do not stand together */
};

struct intake {
    const struct spec *spec;
    struct diagnostics *diagnostics;
    struct intake_job *jobs; /* as many as the spec has */
    struct arena templates;
    struct arena scratch; /* values of one row */
    struct buf body;
    struct value run;
    struct value run_values[2];
    struct slice run_names[2];
    char run_id[16], run_started[TEXT_TIME_BYTES];
    uint64_t row_count;
    bool (*stop)(void *context);
    void *stop_context;
};

/* intake_render.c: renders one unit; false when it was wrong and messages were added. */
bool intake_render(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                   struct rendered_row *row);

#endif
