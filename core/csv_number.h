/* The numbers and times in a trace's cells. */
#ifndef CORE_CSV_NUMBER_H
#define CORE_CSV_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* A finite decimal number, correctly rounded: [+-]digits[.digits][e[+-]digits]. 0, or -1 when it is
 * none or has more than 255 bytes. */
int csv_number(const char *text, size_t length, double *value);

/* Unix seconds (rounded to the nearest millisecond) or RFC 3339, as milliseconds since 1970. 0, or
 * -1 when it is none, before 1970 or after 9999. */
int csv_time(const char *text, size_t length, int64_t *time_ms);

#endif
