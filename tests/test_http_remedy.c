#include "core/http_remedy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* Sentences as libcurl 7.88 with OpenSSL 3.0 says them. */
static const struct {
    enum http_outcome outcome;
    const char *error, *host;
    bool ca_file;
    const char *says;
} cases[] = {
    {HTTP_BROKEN, "CONNECT tunnel failed, response 407", "a", false, "wants a user"},
    {HTTP_BROKEN, "CONNECT tunnel failed, response 403", "a", false, "refuses: mend HTTPS_PROXY"},
    {HTTP_UNREACHED, "Could not resolve proxy: p.internal", "a", false, "mend HTTPS_PROXY"},
    {HTTP_UNREACHED, "Could not resolve host: a", "a", false, "is its name right"},
    {HTTP_BROKEN, "Empty reply from server", "a", false, "does it want https://"},
    {HTTP_BAD_TLS, "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number", "a", false,
        "is it http://"},
    {HTTP_BAD_TLS, "error setting certificate file: /x.pem", "a", true, "a PEM file"},
    {HTTP_BAD_TLS, "SSL: no alternative certificate subject name matches target host name 'b.a'",
        "b.a", true, "for another host"},
    {HTTP_BAD_TLS, "SSL: certificate subject name 'x' does not match target host name 'a'", "a",
        true, "for another host"},
    {HTTP_BAD_TLS, "SSL certificate problem: certificate has expired", "a", true, "be renewed"},
    {HTTP_BAD_TLS, "SSL certificate problem: self-signed certificate", "a", true,
        "does ca_file hold"},
    {HTTP_BAD_TLS, "SSL certificate problem: self-signed certificate", "a", false, "set ca_file"},
    {HTTP_NOT_HTTP, "Received HTTP/0.9 when not allowed", "a", false, "does not speak HTTP"},
    {HTTP_UNREACHED, "Failed to connect to p port 3128 after 0 ms: Couldn't connect to server",
        "a.internal:443", false, "that is the proxy"},
    {HTTP_UNREACHED,
        "Failed to connect to a.internal port 443 after 0 ms: Couldn't connect to "
        "server",
        "a.internal:443", false, "is it up"},
    {HTTP_UNREACHED, "Failed to connect to ::1 port 443 after 0 ms: Couldn't connect to server",
        "[::1]:443", false, "is it up"},
    {HTTP_UNREACHED, "Failed to connect to p port 3128 after 0 ms: Couldn't connect to server",
        NULL, false, "is it up"},
    {HTTP_UNREACHED, "Connection timed out after 5000 milliseconds", "a", false, "is it up"},
    {HTTP_TIMEOUT, "no whole answer within 30 s", "a", false, ""},
    {HTTP_BROKEN, "Recv failure: Connection reset by peer", "a", false, ""},
};

static void every_sentence_has_its_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *remedy = http_remedy(
            cases[i].outcome, cases[i].error, cases[i].host, cases[i].ca_file);
        if (*cases[i].says ? !strstr(remedy, cases[i].says) : *remedy)
            fail_msg("%s: %s", cases[i].error, remedy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_sentence_has_its_remedy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
