/* What the answer to a webhook means: whether another try may help, and what somebody can do. Pure.
 */
#ifndef EXPORTERS_WEBHOOK_ANSWER_H
#define EXPORTERS_WEBHOOK_ANSWER_H

#include "core/http.h"
#include "exporters/exporter.h"

#include <stdbool.h>

struct webhook_answer {
    enum http_outcome outcome;
    int status;              /* HTTP_ANSWERED */
    const char *error;       /* else: a sentence without the URL */
    const char *body;        /* NUL-terminated */
    const char *retry_after; /* the header; NULL: none */
    bool ca_file;            /* the configuration has one */
    bool slack;              /* it is one of Slack's incoming webhooks */
    const char *host;        /* for sentences; the path is a secret */
    int64_t now_ms;          /* wall, for a Retry-After that is a date */
};

void webhook_answer_judge(const struct webhook_answer *answer, struct send_result *result);

#endif
