/* The likely meant word for a misspelt one: the nearest by edit distance, if it is near enough. */
#ifndef CONFIG_SUGGESTION_H
#define CONFIG_SUGGESTION_H

#include <stddef.h>

enum { SUGGESTION_TEXT_SIZE = 128 };

struct suggestion {
    const char *word; /* as written */
    const char *best; /* the nearest so far; NULL: none is near */
    size_t distance;  /* of best */
};

void suggestion_init(struct suggestion *suggestion, const char *word);

/* Looks at one word that would have been right; it must outlive the suggestion. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

/* "; did you mean \"cooldown\"?", or "" when nothing was near, into text. Returns text. */
const char *suggestion_format(const struct suggestion *suggestion, char text[SUGGESTION_TEXT_SIZE]);

#endif
