/* What is remembered of a debug endpoint. */
#include "agent/capture/endpoint.h"
#include "core/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void lengths_are_each_profile_s_own(void **state)
{
    (void)state;
    struct endpoint *endpoint = endpoint_new();
    assert_int_equal(endpoint_longest(endpoint, "cpu"), 0);
    assert_int_equal(endpoint_seconds(endpoint, "cpu", 25), 25);
    endpoint_refuses(endpoint, "cpu", 12);
    endpoint_refuses(endpoint, "cpu", 9);
    endpoint_refuses(endpoint, "trace", 4);
    assert_int_equal(endpoint_longest(endpoint, "cpu"), 9);
    assert_int_equal(endpoint_seconds(endpoint, "cpu", 25), 9);
    assert_int_equal(endpoint_seconds(endpoint, "cpu", 5), 5);
    assert_int_equal(endpoint_seconds(endpoint, "trace", 5), 4);
    assert_int_equal(endpoint_seconds(endpoint, "heap", 0), 0);
    endpoint_allows(endpoint, "cpu", 5); /* less than the limit says nothing about it */
    assert_int_equal(endpoint_seconds(endpoint, "cpu", 25), 9);
    endpoint_allows(endpoint, "cpu", 10);
    assert_int_equal(endpoint_seconds(endpoint, "cpu", 25), 25);
    endpoint_forget(endpoint);
    assert_int_equal(endpoint_seconds(endpoint, "trace", 5), 5);
    endpoint_free(endpoint);
}

static void nobody_s_endpoint_knows_nothing(void **state)
{
    (void)state;
    struct http_result result = {.outcome = HTTP_ANSWERED};
    endpoint_refuses(NULL, "cpu", 9);
    endpoint_allows(NULL, "cpu", 9);
    endpoint_note(NULL, &result);
    assert_int_equal(endpoint_longest(NULL, "cpu"), 0);
    assert_int_equal(endpoint_seconds(NULL, "cpu", 25), 25);
    endpoint_free(NULL);
}

static void what_drops_half_closed_requests_is_known_once_it_did(void **state)
{
    (void)state;
    struct endpoint *endpoint = endpoint_new();
    assert_true(endpoint_keeps_half_closed(endpoint));
    endpoint_drops_half_closed(endpoint);
    assert_false(endpoint_keeps_half_closed(endpoint));
    endpoint_forget(endpoint); /* what is before the app stays */
    assert_false(endpoint_keeps_half_closed(endpoint));
    endpoint_free(endpoint);
    endpoint_drops_half_closed(NULL);
    assert_true(endpoint_keeps_half_closed(NULL));
}

static void an_end_is_told_from_a_beginning(void **state)
{
    (void)state;
    static const struct {
        enum http_outcome outcome;
        unsigned losses;
        bool gone;
    } steps[] = {
        {HTTP_UNREACHED, 0, false}, /* not there yet */
        {HTTP_BROKEN, 0, false},
        {HTTP_ANSWERED, 0, false},
        {HTTP_TIMEOUT, 0, false},
        {HTTP_BROKEN, 1, false},
        {HTTP_UNREACHED, 1, true}, /* the same loss */
        {HTTP_UNREACHED, 1, true},
        {HTTP_ANSWERED, 1, false},
        {HTTP_UNREACHED, 2, true},
    };
    struct endpoint *endpoint = endpoint_new();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct http_result result = {.outcome = steps[i].outcome};
        endpoint_note(endpoint, &result);
        if (endpoint_losses(endpoint) != steps[i].losses ||
            endpoint_is_gone(endpoint) != steps[i].gone)
            fail_msg("step %zu: %u losses", i, endpoint_losses(endpoint));
    }
    endpoint_free(endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_drops_half_closed_requests_is_known_once_it_did),
        cmocka_unit_test(lengths_are_each_profile_s_own),
        cmocka_unit_test(nobody_s_endpoint_knows_nothing),
        cmocka_unit_test(an_end_is_told_from_a_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
