/* Adds profiles of the same kind up to one, as `go tool pprof -proto A B C` does: samples with the
 * same stack and labels become one, whichever profile they are of. Addresses are compared within
 * their mapping, and a mapping is known by its build id, or else its file, its size and its offset,
 * so that a program that was loaded elsewhere is still the same. */
#ifndef REVIEW_PROFILE_MERGE_H
#define REVIEW_PROFILE_MERGE_H

struct error;
struct profile;
struct profile_merge;

struct profile_merge *profile_merge_open(void);
void profile_merge_free(struct profile_merge *merge);

/* Adds a profile, of which nothing is needed afterwards. Samples of nothing but zeroes are left
 * out. Values and periods in other units of the same measure are converted to the finest. -1 and
 * err, which begins with "the profile", when it is of another kind than those before (it names
 * both) or the sum would be too large; the merge is then as it was. */
int profile_merge_add(
    struct profile_merge *merge, const struct profile *profile, struct error *err);

/* What came of it, and ends the merge: the first profile's types and frames to drop or keep, the
 * earliest time, the sum of durations, the longest period, every comment once. Samples that have
 * added up to nothing are gone, and what only they referred to. The caller frees it with
 * profile_free. Without a single profile it is empty. */
struct profile *profile_merge_close(struct profile_merge *merge);

#endif
