/* The two clocks, and times as text. Everything that measures a distance uses the monotonic clock;
 * wall time is only for what people and files see. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { RFC3339_SIZE = 32 };

int64_t clock_mono_ms(void); /* milliseconds since boot, never going back */
int64_t clock_mono_ns(void); /* the same, nanoseconds */
int64_t clock_wall_ms(void); /* milliseconds since 1970, UTC */

/* "2026-11-23T15:04:01.000Z" (RFC 3339, milliseconds, UTC) into text. Returns text. Years outside
 * 0 to 9999 are clamped. */
const char *rfc3339_format(int64_t wall_ms, char text[RFC3339_SIZE]);

/* Parses an RFC 3339 time of exactly `length` bytes, any offset, up to nanoseconds (rounded down to
 * ms). 0, or -1 when it is none. */
int rfc3339_parse(const char *text, size_t length, int64_t *wall_ms);

#endif
