/* What SNS's answer means, with the remedy. Pure. */
#ifndef EXPORTERS_SNS_ANSWER_H
#define EXPORTERS_SNS_ANSWER_H

#include "core/http.h"
#include "exporters/exporter.h"

#include <stdbool.h>
#include <stddef.h>

struct sns_question {
    const char *topic;  /* its ARN */
    const char *region; /* of the topic */
    const char *host;   /* who is asked; NULL: not known */
    bool ca_file;       /* the configuration has one */
};

struct sns_answer {
    enum http_outcome outcome;
    int status;        /* HTTP_ANSWERED */
    const char *error; /* else: a sentence */
    const char *body;
    size_t size;
    const char *retry_after; /* NULL: none */
    int64_t now_ms;
};

void sns_answer_judge(const struct sns_question *question, const struct sns_answer *answer,
    struct send_result *result);

#endif
