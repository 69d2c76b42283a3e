#include "purser/io/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const loopback[] = {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"};
static const char *const private[] = {
    "10.0.0.1",        "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "0.0.0.0",        "::",
    "fe80::1",         "fd00::1",    "fc00::1",        "::ffff:10.0.0.1",
    "::ffff:7f00:1"};
static const char *const public[] = {"8.8.8.8",        "172.15.0.1",  "172.32.0.1",  "192.167.1.1",
                                     "100.63.0.1",     "100.128.0.1", "169.253.0.1", "2606:4700::1",
                                     "::ffff:8.8.8.8", "fe00::1",     "::2"};

#define COUNT(list) (sizeof list / sizeof list[0])

static void plain_http_leads_to_loopback_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(loopback); i++)
        assert_true(peer_is_allowed(PEER_LOOPBACK, loopback[i]));
    for (size_t i = 0; i < COUNT(private) - 1; i++)
        assert_false(peer_is_allowed(PEER_LOOPBACK, private[i]));
    for (size_t i = 0; i < COUNT(public); i++)
        assert_false(peer_is_allowed(PEER_LOOPBACK, public[i]));
}

static void a_public_name_leads_to_public_addresses_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(loopback); i++)
        assert_false(peer_is_allowed(PEER_PUBLIC, loopback[i]));
    for (size_t i = 0; i < COUNT(private); i++)
        assert_false(peer_is_allowed(PEER_PUBLIC, private[i]));
    for (size_t i = 0; i < COUNT(public); i++)
        assert_true(peer_is_allowed(PEER_PUBLIC, public[i]));
}

static void what_is_no_address_is_not_allowed(void **state)
{
    static const char *const none[] = {"", "localhost", "127.1", "0x7f.0.0.1", "1.2.3.4 ", "[::1]"};

    (void)state;
    for (size_t i = 0; i < COUNT(none); i++) {
        assert_false(peer_is_allowed(PEER_LOOPBACK, none[i]));
        assert_false(peer_is_allowed(PEER_PUBLIC, none[i]));
        assert_true(peer_is_allowed(PEER_ANY, none[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_http_leads_to_loopback_alone),
        cmocka_unit_test(a_public_name_leads_to_public_addresses_alone),
        cmocka_unit_test(what_is_no_address_is_not_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
