#include "sources/tcp/resolver.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/offload.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, PATIENCE_MS = 30 * 1000 };

static const uint8_t loopback_v4[SOCK_ADDRESS_SIZE] = {
    [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
static const uint8_t loopback_v6[SOCK_ADDRESS_SIZE] = {[15] = 1};

static void endpoints_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *host;
        uint16_t port;
    } cases[] = {
        {"localhost:5432", "localhost", 5432},
        {"db.internal:1", "db.internal", 1},
        {"my_db-1.eu-west-1.rds.amazonaws.com:65535", "my_db-1.eu-west-1.rds.amazonaws.com", 65535},
        {"10.0.0.1:5432", "10.0.0.1", 5432},
        {"[::1]:5432", "::1", 5432},
        {"[::ffff:10.0.0.1]:5432", "::ffff:10.0.0.1", 5432},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *host = NULL;
        uint16_t port = 0;
        assert_int_equal(endpoint_parse(cases[i].endpoint, &host, &port, NULL), 0);
        assert_string_equal(host, cases[i].host);
        assert_int_equal(port, cases[i].port);
        free(host);
    }
}

static void what_is_no_endpoint_is_refused_with_its_text(void **state)
{
    (void)state;
    static const char *const cases[] = {"", ":", "host", "host:", ":5432", "host:0", "host:65536",
        "host:99999999999999999999", "host:-1", "host:+5", "host: 5432", "host:5432 ", "::1:5432",
        "[::1]", "[::1]5432", "[::1:5432", "[]:5432", "[host]:5432", "[10.0.0.1]:5432",
        "http://host:5432", "user@host:5432", "host/x:5432", "h\xc3\xb6st:5432"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *host = NULL;
        uint16_t port;
        struct error err = {""};
        assert_int_equal(endpoint_parse(cases[i], &host, &port, &err), -1);
        assert_non_null(strstr(err.text, cases[i]));
        assert_null(host);
    }
    char endless[1000];
    memset(endless, 'a', sizeof endless);
    memcpy(endless + sizeof endless - 6, ":5432", 6);
    char *host;
    uint16_t port;
    assert_int_equal(endpoint_parse(endless, &host, &port, NULL), -1);
}

static void learn(struct address_book *book, uint8_t last_byte, int64_t now_ms)
{
    const uint8_t address[1][SOCK_ADDRESS_SIZE] = {{[15] = last_byte}};
    address_book_learn(book, address, 1, now_ms);
}

static bool has(struct address_book *book, uint8_t last_byte, int64_t now_ms)
{
    const uint8_t address[SOCK_ADDRESS_SIZE] = {[15] = last_byte};
    return address_book_has(book, address, now_ms);
}

static void an_address_is_kept_while_sockets_to_it_live(void **state)
{
    (void)state;
    struct address_book book = {0};
    learn(&book, 1, 0);
    for (int64_t minute = 1; minute < 60; minute++) {
        learn(&book, 2, minute * MINUTE_MS); /* the name has moved */
        assert_true(has(&book, 1, minute * MINUTE_MS));
    }
    /* The last socket is gone. */
    learn(&book, 2, 69 * MINUTE_MS - 1);
    assert_int_equal(book.count, 2);
    learn(&book, 2, 69 * MINUTE_MS);
    assert_int_equal(book.count, 1);
    assert_false(has(&book, 1, 69 * MINUTE_MS));
    assert_true(has(&book, 2, 69 * MINUTE_MS));
}

static void too_many_addresses_push_out_the_longest_unneeded(void **state)
{
    (void)state;
    struct address_book book = {0};
    for (int i = 0; i < ADDRESS_BOOK_MAX; i++)
        learn(&book, (uint8_t)i, i);
    assert_true(has(&book, 0, 100));
    learn(&book, 200, 101);
    assert_int_equal(book.count, ADDRESS_BOOK_MAX);
    assert_true(has(&book, 0, 102));
    assert_false(has(&book, 1, 102));
    assert_true(has(&book, 200, 102));
}

struct machine {
    struct loop *loop;
    struct offload *names;
};

static int set_up(void **state)
{
    static struct machine machine;
    machine.loop = loop_open(NULL);
    machine.names = offload_open(machine.loop, "names", NULL);
    *state = &machine;
    return machine.names ? 0 : -1;
}

static int tear_down(void **state)
{
    struct machine *machine = *state;
    offload_close(machine->names);
    loop_close(machine->loop);
    return 0;
}

static enum resolver_state settle(
    struct machine *machine, struct resolver *resolver, struct error *err)
{
    bool never = false;
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    while (resolver_state(resolver, err) == RESOLVER_WAITING && clock_mono_ms() < deadline_ms)
        loop_run_until(machine->loop, &never, clock_mono_ms() + 5);
    return resolver_state(resolver, err);
}

static void an_address_needs_no_look_up(void **state)
{
    struct machine *machine = *state;
    struct resolver *v4 = resolver_open(machine->loop, NULL, "127.0.0.1:5432", NULL);
    assert_int_equal(resolver_state(v4, NULL), RESOLVER_READY);
    assert_int_equal(resolver_port(v4), 5432);
    assert_true(resolver_has(v4, loopback_v4));
    assert_false(resolver_has(v4, loopback_v6));
    resolver_hurry(v4);
    resolver_close(v4);
    struct resolver *v6 = resolver_open(machine->loop, NULL, "[::1]:5432", NULL);
    assert_true(resolver_has(v6, loopback_v6));
    assert_false(resolver_has(v6, loopback_v4));
    resolver_close(v6);
    struct resolver *mapped = resolver_open(machine->loop, NULL, "[::ffff:127.0.0.1]:1", NULL);
    assert_true(resolver_has(mapped, loopback_v4));
    resolver_close(mapped);
}

static void a_name_is_looked_up_off_the_loop(void **state)
{
    struct machine *machine = *state;
    struct resolver *resolver = resolver_open(machine->loop, machine->names, "localhost:1", NULL);
    assert_int_equal(resolver_state(resolver, NULL), RESOLVER_WAITING);
    assert_int_equal(settle(machine, resolver, NULL), RESOLVER_READY);
    assert_true(resolver_has(resolver, loopback_v4) || resolver_has(resolver, loopback_v6));
    resolver_close(resolver);
}

static void a_name_that_is_none_fails_with_a_remedy(void **state)
{
    struct machine *machine = *state;
    struct error err = {""};
    struct resolver *resolver = resolver_open(
        machine->loop, machine->names, "no-such-name.invalid:1", NULL);
    assert_int_equal(settle(machine, resolver, &err), RESOLVER_FAILED);
    assert_non_null(strstr(err.text, "no-such-name.invalid"));
    assert_non_null(strstr(err.text, "resolv.conf"));
    resolver_close(resolver);
}

static void it_may_be_closed_during_a_look_up(void **state)
{
    struct machine *machine = *state;
    resolver_close(resolver_open(machine->loop, machine->names, "localhost:1", NULL));
    /* The answer comes at the latest when the thread ends, in tear_down. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_are_taken_apart),
        cmocka_unit_test(what_is_no_endpoint_is_refused_with_its_text),
        cmocka_unit_test(an_address_is_kept_while_sockets_to_it_live),
        cmocka_unit_test(too_many_addresses_push_out_the_longest_unneeded),
        cmocka_unit_test_setup_teardown(an_address_needs_no_look_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_looked_up_off_the_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_is_none_fails_with_a_remedy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_closed_during_a_look_up, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
