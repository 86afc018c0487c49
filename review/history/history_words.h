/* A history in words. */
#ifndef REVIEW_HISTORY_WORDS_H
#define REVIEW_HISTORY_WORDS_H

#include "review/history/history.h"

/* "30 min" for 29 min 58 s: rounded to about a hundredth. Returns words, which have room for
 * VALUE_TEXT_SIZE. */
const char *history_period_words(double period_s, char *words);

/* "14th time since 2 November, every 30 min"; for one that is not the newest "3rd of 14 times since
 * 2 November". The caller frees all of these. */
char *history_frequency_words(const struct history *history, int64_t now_ms);

/* "the peak of cpu grows by 3% a week: 97.2% now, 89.0% three weeks ago; ..."; NULL: nothing to
 * say. metric: that the peak is of. */
char *history_trend_words(const struct history *history, const char *metric);

/* "new: seen for the first time". since: the revision that it is gone since, gone_ms when;
 * marked_ms: when it was marked as known; 0: not said. */
char *history_verdict_words(const struct history *history, const char *since, int64_t gone_ms,
    int64_t marked_ms, int64_t now_ms);

#endif
