/* What people are told of an incident, before it is text: exporters/notice_text.h makes sentences
 * of it, and each notifier its own message. */
#ifndef EXPORTERS_NOTICE_H
#define EXPORTERS_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct incident;

/* Strings are valid as long as the notice; NULL and 0: does not apply. Times are wall ms. */
struct notice {
    const struct incident *incident; /* the newest of those that the message stands for */
    bool test;                       /* of `check --notify`: nothing has happened */
    const char *stored;              /* "s3://woogles-profiles/prod/service=.../<id>" */
    size_t more;                     /* others of the same group in this message */
    int64_t more_since_ms;           /* when the first of them fired */
    uint64_t times;            /* its group was stored so often by this agent, this one included */
    int64_t times_since_ms;    /* when the first of them fired */
    const char *review_url;    /* where it can be looked at */
    const char *report_url;    /* a link to report.html that ends */
    int64_t report_expires_ms; /* its true end */
};

#endif
