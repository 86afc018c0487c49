/* The app's profiler as its debug endpoint offers it (Go's net/http/pprof): where each profile is,
 * and what an answer that is no profile teaches. */
#ifndef AGENT_CAPTURE_PROFILER_H
#define AGENT_CAPTURE_PROFILER_H

#include "core/error.h"

#include <stdbool.h>
#include <stdint.h>

struct app_config;
struct capture_entry;
struct http_result;

/* The URL to ask for a profile with (0 seconds: without a length), and "Name: value" lines of
 * app.headers, ended by NULL. The caller frees. */
char *profiler_url(
    const struct app_config *app, const struct capture_entry *entry, int64_t seconds);
char **profiler_headers(const struct app_config *app);
void profiler_free_headers(char **lines);

/* What to do after an answer that is no profile. */
enum profiler_advice {
    PROFILER_GIVE_UP,
    PROFILER_AGAIN,  /* after wait_ms */
    PROFILER_SHORTER /* at once, with `seconds` */
};
struct profiler_lesson {
    enum profiler_advice advice;
    int64_t wait_ms, seconds;
    bool busy;        /* somebody else is profiling the app: perhaps for a moment only */
    struct error why; /* with the remedy */
};

/* `seconds` is what was asked for (0: a profile of a moment), elapsed_ms how long the answer took.
 */
void profiler_learn(const struct http_result *result, const struct capture_entry *entry,
    int64_t seconds, int64_t elapsed_ms, struct profiler_lesson *lesson);

/* Whether an answer is a web page, which a profile never is: a login, for instance. */
bool profiler_is_page(const struct http_result *result);

#endif
