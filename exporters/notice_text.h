/* What people are told of an incident, in words: the parts that messages of every kind are made of.
 * Pure. All that comes from outside (names of functions, reasons) is cut to a length, and nothing
 * in it can be markup, a mention of somebody, a line of its own, or turn the reading order. */
#ifndef EXPORTERS_NOTICE_TEXT_H
#define EXPORTERS_NOTICE_TEXT_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct incident_function;
struct notice;

/* NOTICE_SLACK: its mrkdwn, https://api.slack.com/reference/surfaces/formatting */
enum notice_style { NOTICE_PLAIN, NOTICE_SLACK };

enum { NOTICE_GROWN_MAX = 3, NOTICE_HEADLINE_CHARACTERS = 600 };

/* Outside text, at most so many characters of it ("…" is the last one then). */
void notice_put(struct buf *out, enum notice_style style, const char *text, size_t characters);

/* Before and while it spiked, in the metric's unit; NAN: not known. */
struct notice_movement {
    double from, to;
};
struct notice_movement notice_movement(const struct notice *notice);

/* The functions that grew most (without a baseline: that have most), the most first; how many. */
size_t notice_grown(
    const struct notice *notice, const struct incident_function *grown[NOTICE_GROWN_MAX]);

/* "woogles: cpu 12.0% → 97.2%". One line, as all of these without a line's end. */
void notice_put_title(struct buf *out, enum notice_style style, const struct notice *notice);

/* The headline of the analysis, else the trigger's reason. */
void notice_put_headline(struct buf *out, enum notice_style style, const struct notice *notice);

/* "GetRematchStreak: 61.2% of cpu, 0.3% on a calm day"; without a suspect why there is none. False:
 * there is nothing to say, as with those below. */
bool notice_put_suspect(struct buf *out, enum notice_style style, const struct notice *notice);

/* "game.Load +60.9 points" */
void notice_put_function(
    struct buf *out, enum notice_style style, const struct incident_function *function);

/* "5 times since 2026-11-20 14:02 UTC; every 30 min, next about 15:34 UTC; seen by 12 copies; 14
 * more since 15:04 UTC"
 */
bool notice_put_often(struct buf *out, enum notice_style style, const struct notice *notice);

/* Which app, trigger and place; when it fired. */
void notice_put_facts(struct buf *out, enum notice_style style, const struct notice *notice);

/* "15:04 UTC" of a time within `near_ms` 12 hours, else with its date. */
void notice_put_time(struct buf *out, enum notice_style style, int64_t wall_ms, int64_t near_ms);

/* The whole as plain lines, and a subject of at most 100 characters of ASCII; the caller frees. */
char *notice_plain(const struct notice *notice);
char *notice_subject(const struct notice *notice);

/* The body of a message to Slack's incoming webhooks: blocks that each keep Slack's limits, and
 * nothing that unfurls. The caller frees. */
char *notice_slack(const struct notice *notice);

/* The documented body of `format: json` (docs/telling.md). The caller frees. */
char *notice_json(const struct notice *notice);

#endif
