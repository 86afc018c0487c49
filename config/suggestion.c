#include "config/suggestion.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WORD_MAX = 64 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, replacements and swaps of neighbours, the four
 * slips of typing. Words of at most WORD_MAX bytes. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = smaller(above[j], row[j - 1]) + 1;
            row[j] = smaller(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

void suggestion_init(struct suggestion *suggestion, const char *word)
{
    *suggestion = (struct suggestion){.word = word};
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    size_t length = strlen(suggestion->word), candidate_length = strlen(candidate);
    if (length == 0 || length > WORD_MAX || candidate_length > WORD_MAX)
        return;
    size_t distance = 0;
    if (strcasecmp(suggestion->word, candidate) != 0)
        distance = edit_distance(suggestion->word, length, candidate, candidate_length);
    /* Two slips in a long word, one in a short one; of a word of two letters nothing is left. */
    size_t limit = length >= 6 ? 2 : length >= 3 ? 1 : 0;
    if (distance > limit || (suggestion->best && distance >= suggestion->distance))
        return;
    suggestion->best = candidate;
    suggestion->distance = distance;
}

const char *suggestion_format(const struct suggestion *suggestion, char text[SUGGESTION_TEXT_SIZE])
{
    text[0] = '\0';
    if (suggestion->best)
        snprintf(text, SUGGESTION_TEXT_SIZE, "; did you mean \"%s\"?", suggestion->best);
    return text;
}
