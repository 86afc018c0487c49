/* How often each group of incidents was stored, for "5 times since ...":
 * <state>/notices/tally.json,
 *   {"schema": 1, "groups": [{"group": "group 0123456789abcdef", "times": 5, "first": RFC 3339,
 *     "last": the newest one's id}]}
 * the one that was stored last at the end. */
#ifndef AGENT_NOTICES_TALLY_H
#define AGENT_NOTICES_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct error;

enum { TALLY_MAX = 200, TALLY_TEXT_MAX = 256 * 1024 };

struct tally_group {
    char *group, *last;
    uint64_t times;
    int64_t first_ms; /* wall, when the first fired */
};

struct tally {
    struct tally_group groups[TALLY_MAX];
    size_t count;
};

void tally_free(struct tally *tally);

/* Counts one more, unless it is the one that was counted last; valid until the next change. The
 * group that was stored longest ago goes when there are too many. */
const struct tally_group *tally_add(
    struct tally *tally, const char *group, const char *id, int64_t fired_ms);

/* The text, which the caller frees; and back: -1 and err when it is none, tally is empty then. */
char *tally_text(const struct tally *tally);
int tally_parse(struct tally *tally, const char *text, size_t size, struct error *err);

#endif
