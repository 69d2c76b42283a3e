/* Keys that stand twice in a YAML map; libyaml lets them pass. */
#ifndef PURSER_CODEC_YAML_DUPLICATES_H
#define PURSER_CODEC_YAML_DUPLICATES_H

#include "purser/codec/yaml.h"

/* Adds one error for each repeated key, naming the line of the first. Sets *found_out to true if
 * there is any, else leaves it. Time n log n. Errors: ERR_NO_MEMORY. */
enum err_code yaml_report_duplicates(const struct yaml_node *map, struct diagnostics *diagnostics,
                                     bool *found_out) ERR_CHECKED;

#endif
