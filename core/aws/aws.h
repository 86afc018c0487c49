/* AWS credentials of the standard chain (core/aws/aws_plan.h), with a role on top where one is
 * wanted. They are fetched on the loop when somebody asks, kept, and fetched anew in the background
 * well before they expire, one fetch at a time. Nothing here ever logs a secret. */
#ifndef CORE_AWS_H
#define CORE_AWS_H

#include "core/aws/aws_plan.h"
#include "core/aws/sigv4.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws;
struct aws_request;
struct loop;

struct aws_setup {
    struct loop *loop;
    struct aws_wishes wishes; /* copied */
    const char *region; /* NULL: the environment's, else the profile's, else what is found out */
    bool find_region;   /* asks where this runs, once, when nothing else says the region */
    bool announce;      /* logs which provider it is, once */
};

struct aws_answer {
    const struct sigv4_credentials *credentials; /* valid within `done`; NULL: none */
    const char *origin; /* with credentials: "the environment (AWS_ACCESS_KEY_ID)", with roles that
                           were assumed */
    int64_t expires_ms; /* with credentials: wall time at which they end; INT64_MAX: unknown, as of
                           keys that are written down */
    const char *region; /* with credentials; NULL: nothing says it, and us-east-1 is taken */
    unsigned number;    /* with credentials: counts them, for aws_renew */
    bool may_recover;   /* without credentials: the provider did not answer, or not well */
    const char *reason; /* without credentials: a sentence with what was tried and the remedy */
};

struct aws *aws_open(const struct aws_setup *setup);
/* The same, with the credentials that are there, on another loop. */
struct aws *aws_open_again(const struct aws *aws, struct loop *loop);
void aws_close(struct aws *aws); /* requests under way end without `done` */

/* Asks for credentials; `done` comes later, on the loop, exactly once unless cancelled. */
struct aws_request *aws_get(
    struct aws *aws, void (*done)(void *arg, const struct aws_answer *answer), void *arg);
void aws_cancel(struct aws_request *request); /* NULL is allowed */

/* The service said that the credentials of this number have expired: the next aws_get gives others.
 * False when there are no others, as the environment's are what they are. */
bool aws_renew(struct aws *aws, unsigned number);

/* AWS's clock minus ours, 0 until it mattered: for what is signed with these credentials, and for
 * aws_clock_learn. */
int64_t *aws_clock_offset_ms(struct aws *aws);

/* What is kept now, for `status`. False: nothing yet. */
struct aws_state {
    const char *origin; /* as in struct aws_answer; valid until the loop runs */
    int64_t expires_ms; /* wall time; INT64_MAX: never */
};
bool aws_state(const struct aws *aws, struct aws_state *state);

#endif
