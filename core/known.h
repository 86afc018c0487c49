/* The groups of incidents (review/history/group.h) that somebody has marked as known, as they are
 * kept in <prefix>/service=<service>/_state/known.json. Readers write it, agents read it: of a
 * known group one incident a week is enough.
 *
 *   {"schema": 1, "groups": [{"group": "0123456789abcdef", "app": "app", "trigger": "cpu-high",
 *     "metric": "cpu", "peak": 97.2, "suspect": "main.decode",
 *     "marked": "2026-11-23T15:04:01.000Z"}]}
 */
#ifndef CORE_KNOWN_H
#define CORE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum { KNOWN_GROUP_SIZE = 16 + 1, KNOWN_GROUPS_MAX = 256, KNOWN_TEXT_MAX = 1 << 20 };

struct known_group {
    char group[KNOWN_GROUP_SIZE]; /* 16 hex digits */
    char *app, *trigger, *metric; /* of its incidents; NULL: not said */
    double peak;                  /* the highest of the metric among them; NAN: not known */
    char *suspect;                /* for people; NULL: there is none */
    int64_t marked_ms;            /* wall; 0: not said */
};

struct known {
    struct known_group *groups;
    size_t count;
};

/* Whether this is the form of a group. */
bool known_group_valid(const char *text);

/* Fills known (zeroed before), which known_free frees in any case. -1 and err when it is not of
 * this form; a group that is none, or is there twice, is dropped, and so is all past
 * KNOWN_GROUPS_MAX. */
int known_parse(const char *text, size_t size, struct known *known, struct error *err);
void known_free(struct known *known);

/* The file's text, of at most KNOWN_TEXT_MAX bytes; the caller frees. */
char *known_text(const struct known *known);

/* NULL: it is not known. */
const struct known_group *known_find(const struct known *known, const char *group);

/* Adds a copy, or replaces what is said of that group; the higher peak stays. -1 and err when there
 * are too many. */
int known_add(struct known *known, const struct known_group *group, struct error *err);

/* False: it was not there. */
bool known_remove(struct known *known, const char *group);

#endif
