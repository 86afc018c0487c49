/* What the S3 exporter may be configured with, and what is wrong with it. */
#ifndef EXPORTERS_S3_OPTIONS_H
#define EXPORTERS_S3_OPTIONS_H

#include "config/fields.h"
#include "core/s3/s3.h"

struct error;

extern const struct field s3_options_fields[];

/* As struct kind's. */
int s3_options_validate(const void *options, const char **key, struct error *err);

void s3_options_complete(void *options);

/* The same names and values, which stay the map's. */
struct s3_texts s3_options_texts(const struct string_map *map);

#endif
