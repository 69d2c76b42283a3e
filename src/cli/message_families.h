/* The families of message codes, one array a file. */
#ifndef PURSER_CLI_MESSAGE_FAMILIES_H
#define PURSER_CLI_MESSAGE_FAMILIES_H

#include "purser/cli/message_code.h"

extern const struct message_family message_family_yaml, message_family_spec,
    message_family_template, message_family_expr, message_family_source, message_family_data,
    message_family_credentials;

#define MESSAGE_FAMILY(family_name, text, array)                 \
    const struct message_family message_family_##family_name = { \
        .name = #family_name,                                    \
        .about = text,                                           \
        .codes = array,                                          \
        .count = sizeof(array) / sizeof(array)[0],               \
    }

#endif
