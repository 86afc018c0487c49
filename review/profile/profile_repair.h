/* A profile whose file ends in the middle, as when its app dies while it sends it: what is whole of
 * it as a profile that others read, too. `go tool pprof` reads no gzip file that is cut. */
#ifndef REVIEW_PROFILE_REPAIR_H
#define REVIEW_PROFILE_REPAIR_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/* What a repaired profile has, and what it lacks. */
struct profile_repair {
    uint64_t samples, samples_lost; /* the latter: whose locations are behind the end */
    uint64_t names_lost;            /* strings that it refers to: "lost 12" stands for them */
};

/* Writes what the beginning of a profile (gzip or not) has in whole fields to the end of out, as
 * gzip. Go writes the table of strings last, so that of a shorter beginning the stacks are there
 * and names are not. max_bytes: that it may inflate to. -1 and err, which begins with "the
 * profile", when there is no sample in it or it is no profile. */
int profile_repair(const void *data, size_t size, size_t max_bytes, struct buf *out,
    struct profile_repair *repair, struct error *err);

#endif
