/* The rates that a spec asks for, as the pacing understands them. */
#ifndef PURSER_CODEC_SPEC_PACE_H
#define PURSER_CODEC_SPEC_PACE_H

#include "purser/codec/spec.h"
#include "purser/core/pace.h"

/* Of the organisation: sends, polls and questions together. `auto` keeps a tenth under the
 * documented limit on production and sandbox; against another server it begins fast and learns.
 * Source: help.rutter.com, article 7238576299 (500 requests in 10 s; 2026-01). */
struct pace_config spec_organisation_pace(const struct spec_api *api);

/* Of one connection. */
struct pace_config spec_connection_pace(const struct rate *rate);

#endif
