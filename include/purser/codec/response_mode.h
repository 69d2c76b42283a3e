/* How response_mode stands in a request. */
#ifndef PURSER_CODEC_RESPONSE_MODE_H
#define PURSER_CODEC_RESPONSE_MODE_H

#include "purser/core/operation.h"

#define RESPONSE_MODE_QUERY_BYTES_MAX 32

/* "\"response_mode\":\"async\"", the first member of a body; NULL where it has no place there. */
const char *response_mode_member(const struct operation *operation, enum response_mode mode);

/* "?response_mode=async", behind a path; "" where it has no place there. */
const char *response_mode_query(const struct operation *operation, enum response_mode mode);

#endif
