/* What ${run…} gives, and the names that sources have for it. */
#include <stdio.h>
#include <string.h>

#include "intake_private.h"
#include "purser/base/text.h"

/* Without a slot its names are missing, so that ${run.slot ?? run.started_at} works. */
static void add_slot(struct intake *intake)
{
    const struct spec *spec = intake->spec;

    intake->slot.kind = VALUE_MAP;
    intake->slot.map.names = intake->run_names + 2;
    intake->slot.map.values = intake->run_values + 2;
    if (spec->slot == NULL)
        return;
    intake->run_names[2] = SLICE("slot");
    intake->run_names[3] = SLICE("slot_local");
    intake->run_values[2] = (struct value){.kind = VALUE_STRING, .text = slice_of(spec->slot)};
    intake->run_values[3] =
        (struct value){.kind = VALUE_STRING, .text = slice_of(spec->slot_local)};
    intake->slot.map.count = 2;
    intake->run.map.count = 4;
}

void intake_set_run(struct intake *intake, uint32_t run, int64_t started_ms)
{
    (void)snprintf(intake->run_id, sizeof intake->run_id, "%u", run);
    text_from_time_ms(started_ms, intake->run_started);
    intake->run_names[0] = SLICE("id");
    intake->run_names[1] = SLICE("started_at");
    intake->run_values[0] = (struct value){.kind = VALUE_STRING, .text = slice_of(intake->run_id)};
    intake->run_values[1] =
        (struct value){.kind = VALUE_STRING, .text = slice_of(intake->run_started)};
    intake->run.kind = VALUE_MAP;
    intake->run.map.names = intake->run_names;
    intake->run.map.values = intake->run_values;
    intake->run.map.count = 2;
    add_slot(intake);
}

enum err_code intake_name_source(struct intake *intake, struct intake_job *job, struct err *err)
{
    const struct spec_source *source = &job->job->source;
    enum err_code code;

    if (source->path_of_run == NULL && source->command_of_run == NULL)
        return ERR_OK;
    job->of_run = *job->job;
    code = spec_source_of_run(&intake->templates, intake->spec, &intake->run, source,
                              &job->of_run.source, intake->diagnostics);
    if (code == ERR_NO_MEMORY)
        return err_set(err, code, "no memory for the source of job %s", job->job->name);
    job->job = &job->of_run;
    return code;
}
