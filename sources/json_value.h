/* Members of JSON objects out of answers that may hold anything: what is missing, null or of
 * another type than wanted is unknown. `object` may be NULL. */
#ifndef SOURCES_JSON_VALUE_H
#define SOURCES_JSON_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Any value, all numbers as reals; NULL and err when it is no JSON. */
json_t *json_value_parse(const char *json, size_t length, struct error *err);

/* A copy; NULL when it is unknown or empty. */
char *json_value_text(const json_t *object, const char *key);

/* NAN: unknown. */
double json_value_number(const json_t *object, const char *key);

/* What cannot be negative, nor as large as what stands for "unlimited"; else NAN. */
double json_value_amount(const json_t *object, const char *key);
bool json_value_counter(const json_t *object, const char *key, uint64_t *counter);

/* From 0 to 1e9; -1: unknown. */
int64_t json_value_small(const json_t *object, const char *key);

/* Nanoseconds since 1970 of an RFC 3339 time; 0 when it is none, or Docker's zero time. */
int64_t json_value_time_ns(const json_t *object, const char *key);

#endif
