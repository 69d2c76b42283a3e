/* What libyaml complains about, in words that say what to change. */
#ifndef PURSER_CODEC_YAML_PROBLEM_H
#define PURSER_CODEC_YAML_PROBLEM_H

#include "purser/base/diag.h"
#include "purser/codec/yaml_marks.h"

/* As libyaml gives it; texts may be NULL. */
struct yaml_problem {
    const char *problem, *context;
    struct yaml_position at, context_at;
};

/* Adds one error. `bytes` is the whole file: what stands at the place decides the wording. */
void yaml_problem_report(struct diagnostics *diagnostics, const char *file, const char *bytes,
                         size_t length, const struct yaml_problem *problem);

#endif
