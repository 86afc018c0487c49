#include "core/error.h"
#include "core/listen.h"
#include "review/web/web_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct web_guard guard_on(const char *address, const char *extra)
{
    struct web_guard guard;
    struct listen_address listening;
    struct error err;
    if (listen_address_parse(address, &listening, &err) < 0)
        fail_msg("%s", err.text);
    web_guard_init(&guard, &listening, extra);
    listen_address_free(&listening);
    return guard;
}

static int check(const struct web_guard *guard, const struct web_headers *headers)
{
    const char *why = "";
    int status = web_guard_check(guard, headers, &why);
    assert_int_equal(status != 0, *why != '\0');
    return status;
}

static void only_its_own_names_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *listening, *extra, *host;
        int status;
    } cases[] = {
        {"127.0.0.1:8642", NULL, "127.0.0.1:8642", 0},
        {"127.0.0.1:8642", NULL, "127.0.0.1", 0},
        {"127.0.0.1:8642", NULL, "localhost:8642", 0},
        {"127.0.0.1:8642", NULL, "LocalHost:9000", 0}, /* ssh -L 9000:localhost:8642 */
        {"[::1]:8642", NULL, "[::1]:8642", 0},
        {"127.0.0.1:8642", NULL, NULL, 403},
        {"127.0.0.1:8642", NULL, "", 403},
        {"127.0.0.1:8642", NULL, "evil.example", 403},
        {"127.0.0.1:8642", NULL, "evil.example:8642", 403},
        {"127.0.0.1:8642", NULL, "localhost.evil.example:8642", 403},
        {"127.0.0.1:8642", NULL, "localhost:8642@evil.example", 403},
        {"127.0.0.1:8642", NULL, "evil.example#localhost", 403},
        {"127.0.0.1:8642", NULL, "127.0.0.2:8642", 403},
        {"127.0.0.1:8642", NULL, "10.0.0.5:8642", 403},
        {"127.0.0.1:8642", NULL, ":8642", 403},
        {"127.0.0.1:8642", NULL, "[::1", 403},
        {"127.0.0.1:8642", NULL, "localhost:", 0},
        {"127.0.0.1:8642", "review.internal", "review.internal", 0},
        {"127.0.0.1:8642", "review.internal", "other.internal", 403},
        {"10.0.0.5:8642", NULL, "10.0.0.5:8642", 0},
        {"10.0.0.5:8642", NULL, "10.0.0.6:8642", 403},
        {"0.0.0.0:8642", NULL, "10.0.0.6:8642", 0}, /* no name, so nothing to rebind */
        {"0.0.0.0:8642", NULL, "evil.example:8642", 403},
        {":8642", NULL, "[2001:db8::1]:8642", 0},
        {":8642", NULL, "[not an address]:8642", 403},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct web_guard guard = guard_on(cases[i].listening, cases[i].extra);
        const struct web_headers headers = {.method = "GET", .host = cases[i].host};
        int status = check(&guard, &headers);
        if (status != cases[i].status)
            fail_msg("%s on %s: %d", cases[i].host, cases[i].listening, status);
        web_guard_free(&guard);
    }
}

#define HOST .host = "localhost:8642"

static void other_sites_pages_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct web_headers headers;
        int status;
    } cases[] = {
        {{.method = "GET", HOST}, 0},
        {{.method = "HEAD", HOST}, 0},
        {{.method = "POST", HOST}, 0}, /* no browser: the token decides */
        {{.method = "PUT", HOST}, 405},
        {{.method = "DELETE", HOST}, 405},
        {{.method = "OPTIONS", HOST}, 405},
        {{.method = "get", HOST}, 405},
        {{.method = "POST", HOST, .origin = "http://localhost:8642"}, 0},
        {{.method = "POST", HOST, .origin = "https://localhost:8642"}, 0},
        {{.method = "POST", HOST, .origin = "http://localhost:3000"}, 403},
        {{.method = "POST", HOST, .origin = "http://evil.example"}, 403},
        {{.method = "POST", HOST, .origin = "http://localhost:8642.evil.example"}, 403},
        {{.method = "POST", HOST, .origin = "null"}, 403},
        {{.method = "POST", HOST, .origin = "null", .fetch_site = "same-origin"}, 0},
        {{.method = "POST", HOST, .origin = "null", .fetch_site = "cross-site"}, 403},
        {{.method = "POST", HOST, .origin = ""}, 403},
        {{.method = "POST", HOST, .fetch_site = "same-origin"}, 0},
        {{.method = "POST", HOST, .fetch_site = "cross-site"}, 403},
        {{.method = "POST", HOST, .fetch_site = "same-site"}, 403},
        {{.method = "POST",
             HOST,
             .fetch_site = "cross-site",
             .fetch_mode = "navigate",
             .fetch_dest = "document"},
            403},
        {{.method = "GET", HOST, .fetch_site = "none"}, 0},
        {{.method = "GET", HOST, .fetch_site = "same-origin"}, 0},
        {{.method = "GET", HOST, .fetch_site = "cross-site"}, 403},
        {{.method = "GET", HOST, .fetch_site = "same-site", .fetch_mode = "cors"}, 403},
        /* A link in a message, but no frame. */
        {{.method = "GET",
             HOST,
             .fetch_site = "cross-site",
             .fetch_mode = "navigate",
             .fetch_dest = "document"},
            0},
        {{.method = "GET",
             HOST,
             .fetch_site = "cross-site",
             .fetch_mode = "navigate",
             .fetch_dest = "iframe"},
            403},
    };
    struct web_guard guard = guard_on("127.0.0.1:8642", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = check(&guard, &cases[i].headers);
        if (status != cases[i].status)
            fail_msg("case %zu: %d", i, status);
    }
    web_guard_free(&guard);
}

static void a_token_is_of_one_start(void **state)
{
    (void)state;
    struct web_guard one = guard_on("127.0.0.1:8642", NULL), other = guard_on("127.0.0.1:1", NULL);
    char longer[WEB_TOKEN_SIZE + 1], another[WEB_TOKEN_SIZE];
    strcpy(longer, one.token);
    strcat(longer, "0");
    strcpy(another, one.token);
    another[WEB_TOKEN_SIZE - 2] ^= 1;
    assert_int_equal(strlen(one.token), WEB_TOKEN_SIZE - 1);
    assert_true(web_guard_token_valid(&one, one.token));
    assert_false(web_guard_token_valid(&one, other.token));
    assert_false(web_guard_token_valid(&one, longer));
    assert_false(web_guard_token_valid(&one, another));
    assert_false(web_guard_token_valid(&one, ""));
    assert_false(web_guard_token_valid(&one, NULL));
    web_guard_free(&one);
    web_guard_free(&other);
}

static void a_name_is_one_without_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"review.internal", true},
        {"review-1", true},
        {"192.0.2.1", true},
        {"[2001:db8::1]", true},
        {"2001:db8::1", false},
        {"review:8642", false},
        {"a b", false},
        {"http://review", false},
        {"[review]", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (web_guard_name_valid(cases[i].name) != cases[i].valid)
            fail_msg("%s", cases[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_own_names_are_answered),
        cmocka_unit_test(other_sites_pages_are_refused),
        cmocka_unit_test(a_name_is_one_without_a_port),
        cmocka_unit_test(a_token_is_of_one_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
