#include "purser/codec/spec_pace.h"

enum {
    DOCUMENTED_MILLIS = 45 * 1000,     /* a tenth under 500 requests in 10 s */
    UNKNOWN_START_MILLIS = 200 * 1000, /* doubles each second until the first 429 */
    AUTO_BURST = 10,
};

struct pace_config spec_organisation_pace(const struct spec_api *api)
{
    bool documented =
        api->environment == ENVIRONMENT_PRODUCTION || api->environment == ENVIRONMENT_SANDBOX;

    if (api->rate.kind == RATE_UNLIMITED)
        return (struct pace_config){.burst = 1};
    if (api->rate.kind == RATE_FIXED)
        return (struct pace_config){.start_millis = api->rate.millis_per_second,
                                    .ceiling_millis = api->rate.millis_per_second,
                                    .burst = api->rate.burst};
    return (struct pace_config){.learns = true,
                                .start_millis =
                                    documented ? DOCUMENTED_MILLIS : UNKNOWN_START_MILLIS,
                                .ceiling_millis = documented ? DOCUMENTED_MILLIS : 0,
                                .burst = AUTO_BURST};
}

struct pace_config spec_connection_pace(const struct rate *rate)
{
    if (rate->kind == RATE_FIXED)
        return (struct pace_config){.learns = true,
                                    .start_millis = rate->millis_per_second,
                                    .ceiling_millis = rate->millis_per_second,
                                    .burst = rate->burst};
    return (struct pace_config){.learns = rate->kind == RATE_AUTO, .burst = 1};
}
