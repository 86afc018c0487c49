/* What triggers have learned, as the text of learned.json:
 *
 *   {"schema": 1, "saved": "2026-11-23T15:04:01.000Z",
 *    "learned": {"rounds": {"of": "cpu-spike", "onsets": ["2026-11-23T14:00:01.250Z"]}}}
 *
 * and "partial": true where it was not known yet what every store has.
 */
#ifndef AGENT_DETECTION_LEARNED_JSON_H
#define AGENT_DETECTION_LEARNED_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;

enum { LEARNED_MAX_BYTES = 1 << 18 };

/* Of one trigger: wall times, ms since 1970, the oldest first, none twice. */
struct learned_onsets {
    int64_t *wall_ms;
    size_t count;
};

/* Into zeroed onsets, one for each trigger of the configuration. What is said of a trigger that the
 * configuration does not have, or whose onsets are of another trigger now, is dropped; so is what
 * lies after now, as the clock was set back, and all but the newest of very many. *partial:
 * whether the text says so. 0, or -1 with err and nothing filled. */
int learned_parse(const struct config *config, const char *text, size_t size, int64_t now_wall_ms,
    struct learned_onsets *onsets, bool *partial, struct error *err);

/* The text, of less than LEARNED_MAX_BYTES; the caller frees it. Triggers without onsets are left
 * out. */
char *learned_text(const struct config *config, const struct learned_onsets *onsets, bool partial,
    int64_t saved_wall_ms);

/* Frees the onsets of that many triggers and forgets them. */
void learned_onsets_clear(struct learned_onsets *onsets, size_t count);

/* Puts times in order and takes out what is there twice; the new count. */
size_t learned_sort(int64_t *times_ms, size_t count);

#endif
