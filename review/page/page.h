/* Inside the report: one function a section of the page, each in a file of its own, and what they
 * share. Each puts whole elements or nothing. */
#ifndef REVIEW_PAGE_H
#define REVIEW_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct evidence;
struct incident_profile;
struct owners;
struct report_extras;
struct source_links;

struct page {
    const struct evidence *evidence;
    const struct report_extras *extras;
    const struct owners *owners;
    const struct source_links *sources; /* NULL: functions are not linked */
};

void page_headline(struct buf *out, const struct page *page);
void page_suspect(struct buf *out, const struct page *page);
void page_charts(struct buf *out, const struct page *page);
void page_difference(struct buf *out, const struct page *page);
void page_goroutines(struct buf *out, const struct page *page);
void page_statements(struct buf *out, const struct page *page);
void page_history(struct buf *out, const struct page *page);
void page_caught(struct buf *out, const struct page *page);
void page_rest(struct buf *out, const struct page *page);

/* <time> of a wall time: the date as well when `dated`. */
void page_time(struct buf *out, int64_t wall_ms, bool dated);

/* At most `most` bytes of the text, with an ellipsis when there are more: names in profiles may
 * have any length. */
void page_clipped(struct buf *out, const char *text, size_t most);

/* A link to another incident, or its id where there are no links. */
void page_incident(struct buf *out, const struct page *page, const char *id);

/* "cpu" as people call it: "CPU profile". The profile's own name in quotes when it is none of Go's.
 */
void page_profile_name(struct buf *out, const char *name);

#endif
