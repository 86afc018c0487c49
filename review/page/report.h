/* One incident as one page: report.html in its folder, and the incident page of `stakeout review`.
 * It needs nothing beside it and no script; with script, times are shown as local ones too and
 * flame graphs can be searched and zoomed.
 *
 * Everything below respects a Content-Security-Policy without 'unsafe-inline': no style attributes,
 * no handlers; sizes and colours that depend on data are attributes of SVG. */
#ifndef REVIEW_REPORT_H
#define REVIEW_REPORT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct evidence;
struct history;

enum {
    REPORT_MAX = 500 * 1000 /* bytes that a report may have at most; what does not fit is told */
};

/* Addresses for one of the incident's profiles; NULL: there is none. */
struct report_link {
    char *download, *speedscope;
};

/* What only a server knows. All of it may be 0: the page is a file then. */
struct report_extras {
    const struct history *history; /* NULL: not known here */
    /* NULL: the page has a policy of its own, with the hashes of its styles and scripts. Else the
     * answer's header has one, and the styles and scripts this nonce. */
    const char *nonce;
    const struct report_link *links; /* as many as the incident has profiles; NULL: none */
    /* Page of another incident of the store; the caller frees. NULL: ids are not linked. */
    char *(*incident_link)(void *arg, const char *id);
    /* Puts more into the page: navigation at its very top; what one can do with the incident (its
     * mark, its note) below the headline. NULL: nothing. */
    void (*put_navigation)(void *arg, struct buf *out);
    void (*put_actions)(void *arg, struct buf *out);
    void *arg;
    /* More styles and scripts, ended by NULL; NULL: none. */
    const char *const *styles, *const *scripts;
};

/* Puts the whole document, of at most REPORT_MAX bytes, into out. */
void report_write(
    struct buf *out, const struct evidence *evidence, const struct report_extras *extras);

#endif
