/* Who may ask. A page that a reviewer has open elsewhere must neither read incidents nor change
 * anything here: requests have to name this server (a name that an attacker points at 127.0.0.1
 * does not, which is what DNS rebinding needs), and what another site's page sends is refused, but
 * for a link that a person follows to a page. */
#ifndef REVIEW_WEB_GUARD_H
#define REVIEW_WEB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct listen_address;

enum { WEB_GUARD_NAMES_MAX = 16, WEB_TOKEN_SIZE = 32 + 1 };

struct web_guard {
    char *names[WEB_GUARD_NAMES_MAX]; /* lower case, as in a Host header, without a port */
    size_t count;
    bool any_ip; /* listens on every address: an IP address is no name that can be rebound */
    char token[WEB_TOKEN_SIZE]; /* in every form: proves that a page of ours sent it */
};

/* Headers of a request; NULL: it has none. */
struct web_headers {
    const char *method;
    const char *host, *origin;
    const char *fetch_site, *fetch_mode, *fetch_dest; /* Fetch Metadata (W3C), Sec-Fetch-... */
};

/* Whether somebody can be known by it: a name or an address as in a Host header, without a port. */
bool web_guard_name_valid(const char *name);

/* `extra` is one more name to be known by, as behind a proxy; NULL: none. */
void web_guard_init(
    struct web_guard *guard, const struct listen_address *listening, const char *extra);
void web_guard_free(struct web_guard *guard);

/* 0, or the status of the refusal and a sentence. */
int web_guard_check(
    const struct web_guard *guard, const struct web_headers *headers, const char **why);

/* Whether a form's token is ours; NULL is not. */
bool web_guard_token_valid(const struct web_guard *guard, const char *token);

/* Fills size - 1 (an even number of) random hex digits and a NUL into hex. */
void web_guard_secret(char *hex, size_t size);

#endif
