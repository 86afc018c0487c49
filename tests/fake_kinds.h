/* A few kinds for the tests of config/: what the real ones look like, and nothing behind them. */
#ifndef TESTS_FAKE_KINDS_H
#define TESTS_FAKE_KINDS_H

#include "config/config.h"
#include "core/error.h"

struct fake_threshold {
    struct level above, below, clear;
    int64_t for_ms;
};

struct fake_counter {
    int64_t increases;
};

struct fake_directory {
    char *path;
    int64_t keep_ms;
};

struct fake_s3 {
    char *bucket, *endpoint, *secret;
    int path_style;
    struct {
        char *kms_key;
    } encryption;
};

static const struct field fake_threshold_fields[] = {
    {.key = "above", .type = FIELD_LEVEL, .offset = offsetof(struct fake_threshold, above)},
    {.key = "below", .type = FIELD_LEVEL, .offset = offsetof(struct fake_threshold, below)},
    {.key = "for",
        .type = FIELD_DURATION,
        .offset = offsetof(struct fake_threshold, for_ms),
        .otherwise = "0s",
        .max = 3600000},
    {.key = "clear", .type = FIELD_LEVEL, .offset = offsetof(struct fake_threshold, clear)},
    {.key = NULL},
};

static const struct field fake_counter_fields[] = {
    {.key = "increases",
        .type = FIELD_INTEGER,
        .offset = offsetof(struct fake_counter, increases),
        .min = 1,
        .max = 100},
    {.key = NULL},
};

static const struct field fake_directory_fields[] = {
    {.key = "path",
        .type = FIELD_STRING,
        .offset = offsetof(struct fake_directory, path),
        .required = 1,
        .help = "the folder"},
    {.key = "keep", .type = FIELD_DURATION, .offset = offsetof(struct fake_directory, keep_ms)},
    {.key = NULL},
};

static const struct field fake_encryption_fields[] = {
    {.key = "kms_key", .type = FIELD_STRING, .offset = 0},
    {.key = NULL},
};

static const char *const fake_styles[] = {"auto", "yes", "no", NULL};

static const struct field fake_s3_fields[] = {
    {.key = "bucket",
        .type = FIELD_NAME,
        .offset = offsetof(struct fake_s3, bucket),
        .required = 1,
        .help = "the bucket"},
    {.key = "endpoint", .type = FIELD_URL, .offset = offsetof(struct fake_s3, endpoint)},
    {.key = "secret", .type = FIELD_SECRET, .offset = offsetof(struct fake_s3, secret)},
    {.key = "path_style",
        .type = FIELD_CHOICE,
        .offset = offsetof(struct fake_s3, path_style),
        .otherwise = "auto",
        .choices = fake_styles},
    {.key = "encryption",
        .type = FIELD_STRUCT,
        .offset = offsetof(struct fake_s3, encryption),
        .fields = fake_encryption_fields},
    {.key = NULL},
};

static int fake_validate(const void *data, const char **key, struct error *err)
{
    const struct fake_threshold *options = data;
    if (options->above.text && options->below.text) {
        *key = "below";
        return error_set(err, "cannot stand beside above");
    }
    if (options->clear.text && options->above.text && options->clear.value > options->above.value) {
        *key = "clear";
        return error_set(err, "is above the level");
    }
    return 0;
}

static const char *const fake_threshold_marks[] = {"above", "below", NULL};
static const char *const fake_counter_marks[] = {"increases", NULL};
static const struct kind fake_threshold = {.name = "threshold",
    .help = "a level is crossed",
    .fields = fake_threshold_fields,
    .options_size = sizeof(struct fake_threshold),
    .marks = fake_threshold_marks,
    .validate = fake_validate};
static const struct kind fake_counter = {.name = "counter",
    .help = "a counter rises",
    .fields = fake_counter_fields,
    .options_size = sizeof(struct fake_counter),
    .marks = fake_counter_marks};
static const struct kind fake_directory = {.name = "directory",
    .help = "a folder",
    .fields = fake_directory_fields,
    .options_size = sizeof(struct fake_directory),
    .short_key = "path"};
static const struct kind fake_s3 = {.name = "s3",
    .help = "a bucket",
    .fields = fake_s3_fields,
    .options_size = sizeof(struct fake_s3)};

static const struct kind fake_ecs = {.name = "ecs"}, fake_cgroup = {.name = "cgroup"};
static const struct kind *const fake_sources[] = {&fake_ecs, &fake_cgroup, NULL};
static const struct kind *const fake_triggers[] = {&fake_threshold, &fake_counter, NULL};
static const struct kind *const fake_exporters[] = {&fake_directory, &fake_s3, NULL};

static const struct config_kinds fake_kinds = {
    .sources = fake_sources, .triggers = fake_triggers, .exporters = fake_exporters};

#endif
