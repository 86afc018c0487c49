/* How long an exporter is left alone after a failure. */
#ifndef AGENT_STORAGE_BACKOFF_H
#define AGENT_STORAGE_BACKOFF_H

#include <stdint.h>

struct send_result;

/* The wait before the next try, ms, at least what the store asked for. Doubling from a second to a
 * minute, with up to a half more by chance, so that a fleet does not come back in step. *wait_ms:
 * how far it has come; 0: the last try worked. */
int64_t backoff_next_ms(int64_t *wait_ms, const struct send_result *result);

#endif
