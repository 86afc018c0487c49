/* A row of the list, and what it opens to. */
#ifndef REVIEW_WEB_ROWS_H
#define REVIEW_WEB_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct history;
struct web_group;
struct web_groups;
struct web_site;
struct web_summary;

struct web_rows {
    const struct web_site *site;
    const struct web_groups *groups;
    const char *back; /* the address of the list, to come back to */
    int64_t now_ms;   /* wall */
};

/* One <li>, while the index is held. */
void web_rows_write(struct buf *out, const struct web_rows *rows, size_t group);

/* What is known of a group by now; -1 when it is none. history_free in any case. */
int web_rows_history(
    const struct web_rows *rows, const struct web_group *group, struct history *history);

/* The metric that fired as a small picture: the time in which profiles were taken shaded. */
void web_rows_spark(struct buf *out, const struct web_summary *summary);

/* The incident in a few words: the suspect and its share, else what happened. */
void web_rows_words(struct buf *out, const struct web_summary *summary);

#endif
