#include "purser/io/api_link.h"

#include <string.h>

static enum err_code open_transport(const struct spec_api *api,
                                    const struct credentials *credentials, const char *state_path,
                                    struct api_link *link, struct err *err)
{
    const char *base_url = api->base_url;

    if (api->environment == ENVIRONMENT_SIMULATOR) {
        if (simulator_process_start(api->simulator_profile, api->simulator_seed, state_path,
                                    &link->simulator, err) != ERR_OK)
            return err->code;
        base_url = link->simulator.base_url;
    }
    if (curl_transport_origin(base_url, link->origin, sizeof link->origin, err) != ERR_OK)
        return err->code;
    return curl_transport_open(link->loop,
                               &(struct curl_transport_options){
                                   .base_url = base_url,
                                   .version = api->version,
                                   .client_id = credentials->client_id,
                                   .client_secret = credentials->client_secret,
                                   .access_tokens = (const char *const *)credentials->access_tokens,
                                   .connection_count = credentials->connection_count,
                                   .ca_file = api->ca_file,
                                   .in_flight = api->in_flight,
                                   .connect_timeout_ms = api->connect_timeout_ms},
                               &link->curl, err);
}

enum err_code api_link_open(const struct spec *spec, const struct credentials *credentials,
                            const char *state_path, struct api_link *link_out, struct err *err)
{
    memset(link_out, 0, sizeof *link_out);
    if (event_loop_open(&link_out->loop, err) != ERR_OK ||
        open_transport(&spec->api, credentials, state_path, link_out, err) != ERR_OK) {
        api_link_close(link_out);
        return err->code;
    }
    link_out->transport = curl_transport_port(link_out->curl);
    link_out->timeout_ms = spec->api.exchange_timeout_ms;
    return ERR_OK;
}

void api_link_close(struct api_link *link)
{
    curl_transport_close(link->curl);
    event_loop_close(link->loop);
    simulator_process_stop(&link->simulator);
    memset(link, 0, sizeof *link);
}
