/* A profile in memory, as github.com/google/pprof/blob/main/proto/profile.proto has it: every
 * profiler that writes pprof writes this.
 *
 * Everything is in flat arrays that refer to one another by index: a sample has a range of `stacks`
 * (indices of locations, the leaf first), a location a range of `lines` (the innermost of inlined
 * functions first). The ids of the file are gone once it is read. Strings are indices of `strings`;
 * 0 is the empty one. Every index in here is valid: profile_decode has checked them. */
#ifndef REVIEW_PROFILE_H
#define REVIEW_PROFILE_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

#define PROFILE_NO_MAPPING UINT32_MAX

struct profile_string {
    const char *text; /* NUL-terminated; may hold more NULs */
    uint32_t size;    /* bytes without the last NUL */
};

struct profile_value_type {
    uint32_t type, unit; /* "cpu", "nanoseconds" */
};

/* Sample i has the values[i * sample_type_count] and on, one a sample type. */
struct profile_sample {
    uint32_t first_location, location_count; /* in stacks */
    uint32_t first_label, label_count;       /* in labels */
};

struct profile_label {
    int64_t number;
    uint32_t key;
    uint32_t text; /* 0: the label is a number */
    uint32_t unit; /* of the number; 0: none was said */
};

struct profile_mapping {
    uint64_t start, limit, offset; /* addresses; the offset in the file */
    uint32_t file, build_id;
    bool has_functions, has_filenames, has_line_numbers, has_inline_frames;
};

struct profile_location {
    uint64_t address;
    uint32_t mapping; /* PROFILE_NO_MAPPING: none */
    uint32_t first_line, line_count;
    bool is_folded; /* several locations became this one */
};

struct profile_line {
    int64_t line, column; /* 0: not known */
    uint32_t function;
};

struct profile_function {
    int64_t start_line;
    uint32_t name, system_name, file;
};

/* Memory that strings point into. */
struct profile_block {
    struct profile_block *next;
    char *bytes;
};

struct profile {
    uint32_t string_count, sample_type_count, sample_count, stack_count, label_count;
    uint32_t mapping_count, location_count, line_count, function_count, comment_count;
    struct profile_string *strings;
    struct profile_value_type *sample_types;
    struct profile_sample *samples;
    int64_t *values;
    uint32_t *stacks;
    struct profile_label *labels;
    struct profile_mapping *mappings;
    struct profile_location *locations;
    struct profile_line *lines;
    struct profile_function *functions;
    uint32_t *comments; /* strings */

    struct profile_value_type period_type;
    int64_t period;       /* between two samples, in units of period_type */
    int64_t time_ns;      /* when it was taken, Unix; 0: not said */
    int64_t duration_ns;  /* 0: not said */
    uint32_t drop_frames; /* regular expressions */
    uint32_t keep_frames;
    uint32_t default_sample_type; /* the type of one of sample_types, or the empty string */
    uint32_t doc_url;

    size_t inflated_bytes;        /* of the file that it was read from */
    struct profile_block *blocks; /* owned, like all of the above */
};

/* Reads a profile, gzip or not. max_bytes is the most that it may have when it is inflated (and at
 * most 4 GiB, whatever is asked for); memory is a small multiple of what it really has. Takes what
 * pprof takes: ids may be any but 0 and may come in any order, a mapping that is not there is no
 * mapping. NULL and err, a sentence that begins with "the profile", when it is no profile, is
 * damaged or too large. The caller frees it with profile_free; data is not needed any longer. */
struct profile *profile_decode(const void *data, size_t size, size_t max_bytes, struct error *err);

void profile_free(struct profile *profile);

/* Writes the profile as gzip, with ids that are indices + 1, at the end of out. -1 and err when out
 * becomes full. */
int profile_encode(const struct profile *profile, struct buf *out, struct error *err);

#endif
