#include "purser/io/peer.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

static bool is_loopback_v4(const uint8_t *ip)
{
    return ip[0] == 127;
}

/* Source: the IANA special-purpose address registries (2026-11). */
static bool is_private_v4(const uint8_t *ip)
{
    return ip[0] == 0 || ip[0] == 10 || ip[0] == 127 || (ip[0] == 169 && ip[1] == 254) ||
           (ip[0] == 172 && (ip[1] & 0xf0) == 16) || (ip[0] == 192 && ip[1] == 168) ||
           (ip[0] == 100 && (ip[1] & 0xc0) == 64);
}

bool peer_is_allowed(enum peer_policy policy, const char *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t zero[15];
    uint8_t ip[16];
    bool loopback, private;

    if (policy == PEER_ANY)
        return true;
    if (inet_pton(AF_INET, address, ip) == 1) {
        loopback = is_loopback_v4(ip);
        private = is_private_v4(ip);
    } else if (inet_pton(AF_INET6, address, ip) == 1) {
        bool is_v4 = memcmp(ip, mapped, sizeof mapped) == 0;

        loopback = is_v4 ? is_loopback_v4(ip + 12) : memcmp(ip, zero, 15) == 0 && ip[15] == 1;
        private = is_v4 ? is_private_v4(ip + 12)
                        : (memcmp(ip, zero, 15) == 0 && ip[15] <= 1) || (ip[0] & 0xfe) == 0xfc ||
                              (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
    } else {
        return false;
    }
    return policy == PEER_LOOPBACK ? loopback : !private;
}
