#include "core/error.h"
#include "core/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void addresses_are_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port; /* host NULL: it is none */
        bool loopback;
    } cases[] = {
        {"127.0.0.1:8642", "127.0.0.1", "8642", true},
        {"127.1.2.3:0", "127.1.2.3", "0", true},
        {"[::1]:8642", "::1", "8642", true},
        {"0.0.0.0:80", "0.0.0.0", "80", false},
        {"[::]:80", "::", "80", false},
        {":80", "", "80", false},
        {"10.0.0.5:65535", "10.0.0.5", "65535", false},
        {"127.0.0.1", NULL, NULL, false},
        {"127.0.0.1:", NULL, NULL, false},
        {"127.0.0.1:65536", NULL, NULL, false},
        {"127.0.0.1:-1", NULL, NULL, false},
        {"127.0.0.1:http", NULL, NULL, false},
        {"::1:80", NULL, NULL, false},
        {"[::1]", NULL, NULL, false},
        {"localhost:80", NULL, NULL, false},
        {"127.0.0.1.evil:80", NULL, NULL, false},
        {"", NULL, NULL, false},
        {":", NULL, NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct listen_address address;
        struct error err = {""};
        int status = listen_address_parse(cases[i].text, &address, &err);
        if ((status == 0) != (cases[i].host != NULL))
            fail_msg("%s: %d, %s", cases[i].text, status, err.text);
        if (cases[i].host) {
            assert_string_equal(address.host, cases[i].host);
            assert_string_equal(address.port, cases[i].port);
            assert_int_equal(listen_address_is_loopback(&address), cases[i].loopback);
        }
        listen_address_free(&address);
    }
}

static void a_free_port_is_given_and_taken_once(void **state)
{
    (void)state;
    struct listen_address address;
    struct error err = {""};
    char text[32];
    assert_int_equal(listen_address_parse("127.0.0.1:0", &address, &err), 0);
    int first = listen_open(&address, &err);
    assert_true(first >= 0);
    listen_address_free(&address);
    assert_true(listen_port(first) > 0);
    snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)listen_port(first));
    assert_int_equal(listen_address_parse(text, &address, &err), 0);
    assert_int_equal(listen_open(&address, &err), -1);
    assert_non_null(strstr(err.text, "Address already in use"));
    listen_address_free(&address);
    close(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_numbers),
        cmocka_unit_test(a_free_port_is_given_and_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
