/* What a baseline shows of the next spike: the same profiles are taken then, in the same length. */
#ifndef AGENT_BASELINE_REHEARSAL_H
#define AGENT_BASELINE_REHEARSAL_H

#include <stddef.h>

struct config;
struct incident;

/* A phrase for each profile that failed, was cut or came much shorter than the set "spike" wants
 * it, with the remedy: "profile goroutine: the endpoint has no ...". rehearsal_free frees them. */
char **rehearsal_problems(
    const struct config *config, const struct incident *baseline, size_t *count);
void rehearsal_free(char **problems, size_t count);

#endif
