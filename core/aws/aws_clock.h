/* AWS's clock, as its answers tell it: what is signed by another one is refused. */
#ifndef CORE_AWS_CLOCK_H
#define CORE_AWS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* What was signed for sent_ms (wall) has an answer with this Date (NULL: none). Where the two are
 * far apart, notes in *offset_ms AWS's clock minus ours, says so once for that, and returns true:
 * a refusal may be about the clock, and another try signed by AWS's may do. `service`: "AWS STS".
 */
bool aws_clock_learn(int64_t *offset_ms, int64_t sent_ms, const char *date, const char *service);

#endif
