/* All incidents of a place, newest first, as summaries: read by a thread of its own and kept up to
 * date, so that a page never waits for a listing. */
#ifndef REVIEW_WEB_INDEX_H
#define REVIEW_WEB_INDEX_H

#include "review/web/web_summary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct history_book;
struct known;
struct mark;
struct store_incident;
struct web_index;
struct web_stores;

/* About 100 MB. The newest count. */
enum { WEB_INDEX_MAX = 200000 };

/* What a reader sees while it holds the index. */
struct web_index_view {
    struct web_summary *const *summaries; /* newest first */
    size_t count;
    uint64_t version;    /* rises with every change */
    bool complete;       /* everything has been read once */
    bool full;           /* there are more than WEB_INDEX_MAX */
    const char *problem; /* why the last listing failed; "": it did not */
};

struct web_index_pace {
    int64_t recent_ms, all_ms; /* from one listing to the next: of what can change, of everything */
};

/* Starts to read. tell (NULL: nobody) hears from its thread why a listing failed, once until one
 * succeeds. NULL and err when there is no thread to be had. */
struct web_index *web_index_open(struct web_stores *stores, const struct web_index_pace *pace,
    void (*tell)(const char *problem), struct error *err);
void web_index_close(struct web_index *index);

/* Everybody who waits returns at once, from now on. */
void web_index_wake(struct web_index *index);

/* Holds the index: nothing changes until it is released, which should be soon. */
struct web_index_view web_index_hold(struct web_index *index);
void web_index_release(struct web_index *index);

/* Waits until there is enough for a first page, or all, but no longer than that. */
void web_index_wait_first(struct web_index *index, size_t enough, int64_t within_ms);

/* Waits until its version is another than the given one, but no longer than that. */
void web_index_wait_change(struct web_index *index, uint64_t version, int64_t within_ms);

/* While it is held: the incident of that id, or NULL. */
const struct web_summary *web_index_find(const struct web_index_view *view, const char *id);

/* While it is held: the book of all that is in it. */
const struct history_book *web_index_book(struct web_index *index);

/* While it is held: the groups of that service that somebody has marked as known. */
const struct known *web_index_known(struct web_index *index, const char *service);

/* What was noted about an incident is this now. */
void web_index_mark(struct web_index *index, const char *id, const struct mark *mark);

/* More is known of an incident than when it was listed. */
void web_index_replace(struct web_index *index, const struct store_incident *stored);

/* Waits until everything is listed and there is an incident that can be read and is not analysed:
 * the id of the newest, which the caller frees. NULL: it is over. */
char *web_index_wait_unanalysed(struct web_index *index);

/* It is not to be returned by that again. */
void web_index_set_analysed(struct web_index *index, const char *id);

/* The known groups of that service are these now; takes over what `known` holds. */
void web_index_set_known(struct web_index *index, const char *service, struct known *known);

#endif
