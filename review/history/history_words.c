#include "review/history/history_words.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t day_ms = INT64_C(86400) * 1000;
static const int64_t year_unsaid_ms = INT64_C(300) * 86400 * 1000; /* it is clear which is meant */

enum { WORDS_SIZE = 40 };

/* "2 November", with the year when it is long ago. */
static const char *date_words(int64_t time_ms, int64_t now_ms, char words[WORDS_SIZE])
{
    static const char *const months[] = {"January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December"};
    char text[RFC3339_SIZE];
    rfc3339_format(time_ms, text);
    int month = atoi(text + 5), day = atoi(text + 8);
    const char *name = months[month >= 1 && month <= 12 ? month - 1 : 0];
    if (now_ms - time_ms > year_unsaid_ms || time_ms - now_ms > year_unsaid_ms)
        snprintf(words, WORDS_SIZE, "%d %s %.4s", day, name, text);
    else
        snprintf(words, WORDS_SIZE, "%d %s", day, name);
    return words;
}

/* "three weeks ago", "12 days ago" */
static const char *ago_words(int64_t distance_ms, char words[WORDS_SIZE])
{
    static const char *const numbers[] = {"no", "a", "two", "three", "four", "five", "six", "seven",
        "eight", "nine", "ten", "eleven", "twelve"};
    int64_t days = (distance_ms + day_ms / 2) / day_ms, weeks = (days + 3) / 7;
    if (days < 1)
        snprintf(words, WORDS_SIZE, "today");
    else if (days < 14 && days != 7)
        snprintf(words, WORDS_SIZE, "%lld day%s ago", (long long)days, days == 1 ? "" : "s");
    else if (weeks <= 12)
        snprintf(words, WORDS_SIZE, "%s week%s ago", numbers[weeks], weeks == 1 ? "" : "s");
    else
        snprintf(words, WORDS_SIZE, "%lld weeks ago", (long long)weeks);
    return words;
}

/* 1st, 2nd, 3rd, 4th, 11th */
static const char *ending_of(size_t number)
{
    size_t last = number % 100 / 10 == 1 ? 0 : number % 10;
    return last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th";
}

const char *history_period_words(double period_s, char *words)
{
    double step = period_s < 600 ? 1 : period_s < 36000 ? 60 : 600;
    double rounded = round(period_s / step) * step;
    return metric_format_level(UNIT_SECONDS, rounded > 0 ? rounded : period_s, words);
}

char *history_frequency_words(const struct history *history, int64_t now_ms)
{
    char date[WORDS_SIZE], spacing[VALUE_TEXT_SIZE], every[VALUE_TEXT_SIZE + 8] = "";
    if (isfinite(history->period_s))
        snprintf(
            every, sizeof every, ", every %s", history_period_words(history->period_s, spacing));
    if (history->count == 1)
        return xasprintf("first time%s", every);
    date_words(history->first_ms, now_ms, date);
    if (history->ordinal == history->count)
        return xasprintf(
            "%zu%s time since %s%s", history->count, ending_of(history->count), date, every);
    return xasprintf("%zu%s of %zu times since %s%s", history->ordinal, ending_of(history->ordinal),
        history->count, date, every);
}

static char *change_words(const char *what, const struct history_trend *trend, const char *metric)
{
    char now[VALUE_TEXT_SIZE], then[VALUE_TEXT_SIZE], ago[WORDS_SIZE];
    const struct metric *known = metric ? metric_of_series(metric) : NULL;
    enum unit unit = known ? known->unit : UNIT_NONE;
    double percent = fabs(trend->week_percent);
    return xasprintf("%s %s by %.*f%% a week: %s now, %s %s", what,
        trend->week_percent > 0 ? "grows" : "falls", percent < 1.95 ? 1 : 0, percent,
        metric_format(unit, trend->now, now), metric_format(unit, trend->then, then),
        ago_words(trend->now_ms - trend->then_ms, ago));
}

char *history_trend_words(const struct history *history, const char *metric)
{
    static const char received[] = "db.received";
    const struct metric *known = metric ? metric_of_series(metric) : NULL;
    bool same = known && !strcmp(known->name, received); /* it is said once */
    char *peak = NULL, *volume = NULL, *both;
    if (isfinite(history->peak.week_percent)) {
        char *what = xasprintf("the peak of %s", metric ? metric : "what fired");
        peak = change_words(what, &history->peak, metric);
        free(what);
    }
    if (isfinite(history->volume.week_percent) && !(same && peak))
        volume = change_words("what the database sends", &history->volume, received);
    if (!peak || !volume)
        return peak ? peak : volume;
    both = xasprintf("%s; %s", peak, volume);
    free(peak);
    free(volume);
    return both;
}

char *history_verdict_words(const struct history *history, const char *since, int64_t gone_ms,
    int64_t marked_ms, int64_t now_ms)
{
    char words[WORDS_SIZE];
    switch (history->verdict) {
    case VERDICT_NEW:
        return xstrdup("new: seen for the first time");
    case VERDICT_KNOWN:
        return marked_ms ? xasprintf("known, as marked on %s", date_words(marked_ms, now_ms, words))
                         : xstrdup("known");
    case VERDICT_WORSE:
        return xasprintf("%s: %s", history->known ? "known, and it gets worse" : "it gets worse",
            history->trend ? history->trend : "it grows");
    case VERDICT_GONE:
        return xasprintf(
            "gone since %s, %s", since, ago_words(now_ms > gone_ms ? now_ms - gone_ms : 0, words));
    case VERDICT_SEEN:
        break;
    }
    return xasprintf(
        "seen %zu times since %s", history->count, date_words(history->first_ms, now_ms, words));
}
