/* The way to the API that a spec names: the simulator's process if it asks for one, the event loop
 * and the transport with the spec's credentials. What a run and the commands that ask the API open
 * alike. */
#ifndef PURSER_IO_API_LINK_H
#define PURSER_IO_API_LINK_H

#include "purser/codec/spec.h"
#include "purser/engine/transport.h"
#include "purser/io/credentials.h"
#include "purser/io/curl_transport.h"
#include "purser/io/event_loop.h"
#include "purser/io/simulator_process.h"

#define API_ORIGIN_BYTES 512

struct api_link {
    struct simulator_process simulator;
    struct event_loop *loop;
    struct curl_transport *curl;
    struct transport *transport;
    int64_t timeout_ms;            /* of one exchange, as the spec says */
    char origin[API_ORIGIN_BYTES]; /* scheme://host:port of the base URL */
};

/* Opens all of it; a simulator that the spec asks for is started, with the world that it keeps in
 * `state_path`, a directory (NULL = an empty world, which nobody keeps). A zeroed link may be
 * closed. `credentials` must be those of `spec` and are copied. Errors: ERR_INPUT (base URL, a
 * credential that cannot be sent), ERR_NOT_FOUND (no simulator), ERR_NO_MEMORY, ERR_SYSTEM;
 * *link_out is then closed. */
enum err_code api_link_open(const struct spec *spec, const struct credentials *credentials,
                            const char *state_path, struct api_link *link_out,
                            struct err *err) ERR_CHECKED;

/* Ends what runs and stops the simulator. Watches of the caller must be gone. */
void api_link_close(struct api_link *link);

#endif
