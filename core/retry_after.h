/* The header Retry-After of an HTTP answer: seconds, or a date (RFC 9110, 10.2.3). */
#ifndef CORE_RETRY_AFTER_H
#define CORE_RETRY_AFTER_H

#include <stdint.h>

/* How long is to be waited, ms, at most an hour; 0: nothing says so. text NULL: there is no such
 * header; now_ms (wall): what a date is compared with. */
int64_t retry_after_ms(const char *text, int64_t now_ms);

#endif
