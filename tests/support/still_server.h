/* What a server of still_server.c and the shim agree on. */
#ifndef PURSER_TESTS_STILL_SERVER_H
#define PURSER_TESTS_STILL_SERVER_H

/* The port that such a server tells; nobody listens there. */
#define STILL_PORT 8

#endif
