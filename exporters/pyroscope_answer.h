/* What an answer of a Pyroscope server, or of what stands before it, means: done, worth another
 * try, a matter for a person, or a profile that it will never take; and then what to do. */
#ifndef EXPORTERS_PYROSCOPE_ANSWER_H
#define EXPORTERS_PYROSCOPE_ANSWER_H

#include "core/http.h"
#include "exporters/exporter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pyroscope_answer {
    enum http_outcome outcome;
    int status;
    const char *error; /* http's sentence, when there was no whole answer */
    const char *body;
    size_t size;
    const char *host;                       /* who is asked; NULL: not known */
    const char *content_type, *retry_after; /* NULL: there was none */
    int64_t now_ms;                         /* wall */
    bool with_tenant, with_ca_file;         /* the configuration has it */
    bool empty; /* no profile was sent, only to see whether it would be taken */
};

void pyroscope_answer_judge(const struct pyroscope_answer *answer, struct send_result *result);

#endif
