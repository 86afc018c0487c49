/* Which incidents a list shows: what stands in the URL of the page, so that it can be sent to
 * somebody. */
#ifndef REVIEW_WEB_FILTER_H
#define REVIEW_WEB_FILTER_H

#include "review/history/history.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct web_form;
struct web_summary;

enum { WEB_PAGE_MAX = 10000 };

enum web_looked { WEB_LOOKED_ANY, WEB_LOOKED_YES, WEB_LOOKED_NO };

/* Texts belong to the form; NULL: all. */
struct web_filter {
    const char *service, *trigger, *app;
    const char *kind;  /* "all": also baselines and duplicates, hidden otherwise */
    const char *group; /* the incidents of one group, each in a row of its own */
    const char *since; /* "7d", "12h", "2026-11-23" or RFC 3339 */
    int64_t since_ms;  /* what that means now; INT64_MIN: all */
    const char *q;     /* what every incident's texts must contain, whatever the case */
    bool has_verdict;
    enum verdict verdict;
    enum web_looked looked;
    size_t page; /* from 1 */
};

/* Empty values are as if they were not there, unknown fields are ignored. -1 and err when a value
 * means nothing; the filter shows everything then. */
int web_filter_parse(
    const struct web_form *form, int64_t now_ms, struct web_filter *filter, struct error *err);

/* Appends its query to a path, "?service=...&page=2"; that of another page of the same list with
 * another page number (0: none is written). */
void web_filter_format(const struct web_filter *filter, size_t page, struct buf *out);

/* Whether anything narrows the list down. */
bool web_filter_is_set(const struct web_filter *filter);

/* Everything but `verdict`, which is a group's. */
bool web_filter_matches(const struct web_filter *filter, const struct web_summary *summary);

#endif
