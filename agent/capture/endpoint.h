/* What is known of an app's debug endpoint by those who ask it: the longest profiles that fit the
 * app's WriteTimeout, so that no request of a spike is spent on finding that out again, and whether
 * it has gone away. One an app; nothing is known of a new one. */
#ifndef AGENT_CAPTURE_ENDPOINT_H
#define AGENT_CAPTURE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct endpoint;
struct http_result;

struct endpoint *endpoint_new(void);
void endpoint_free(struct endpoint *endpoint); /* NULL is allowed */

/* Of this profile more than `seconds` are refused, and that much is not. endpoint NULL: nobody
 * asks, here and below. */
void endpoint_refuses(struct endpoint *endpoint, const char *profile, int64_t seconds);

/* So much is allowed: a shorter limit that was learned is none. */
void endpoint_allows(struct endpoint *endpoint, const char *profile, int64_t seconds);

/* The longest that the app allows; 0: none was refused. */
int64_t endpoint_longest(const struct endpoint *endpoint, const char *profile);

/* What to ask for where `wanted` seconds are wished for: these or fewer. */
int64_t endpoint_seconds(const struct endpoint *endpoint, const char *profile, int64_t wanted);

/* The app was started anew, perhaps with another WriteTimeout: no length is known any more. */
void endpoint_forget(struct endpoint *endpoint);

/* A half-closed request got no answer: a proxy before the app takes that for the client's end.
 * Whether that has never been seen. */
void endpoint_drops_half_closed(struct endpoint *endpoint);
bool endpoint_keeps_half_closed(const struct endpoint *endpoint);

/* Notes how a request ended. */
void endpoint_note(struct endpoint *endpoint, const struct http_result *result);

/* Whether the last request found nobody there, though one before was answered. */
bool endpoint_is_gone(const struct endpoint *endpoint);

/* How often a connection was refused or broke off after one that was not: each may have been the
 * app's end. */
unsigned endpoint_losses(const struct endpoint *endpoint);

#endif
