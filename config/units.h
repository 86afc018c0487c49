/* Numbers with units as a configuration writes them: 500ms, 64MiB, 20MB/s, 80%. */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include "core/metric.h"

#include <stdint.h>

struct error;

/* 500ms 10s 5m 2h 7d -> milliseconds. */
int units_read_duration(const char *text, int64_t *ms, struct error *err);

/* 512KiB 64MiB 10MB or a bare number -> bytes. */
int units_read_bytes(const char *text, int64_t *bytes, struct error *err);

/* 8, 2.5: not negative, without a unit. */
int units_read_number(const char *text, double *number, struct error *err);

int units_read_integer(const char *text, int64_t *number, struct error *err);

/* A value in the unit of a metric: 80%, 20MB/s, 512MiB, 20ms, 3. The metric's name is for the
 * message. */
int units_read_value(
    const char *text, enum unit unit, const char *metric, double *value, struct error *err);

/* In the largest unit that needs no decimals, so that it reads back as the same. Return text. */
const char *units_format_duration(int64_t ms, char text[VALUE_TEXT_SIZE]);
const char *units_format_bytes(int64_t bytes, char text[VALUE_TEXT_SIZE]);

#endif
