/* What every page has: the head, the bar at the top, and the page that says what went wrong. */
#ifndef REVIEW_WEB_PAGE_H
#define REVIEW_WEB_PAGE_H

struct web_reply;
struct web_site;

/* Up to <main>; `class` is that of the body. */
void web_page_begin(
    const struct web_site *site, struct web_reply *reply, const char *title, const char *class);
void web_page_end(struct web_reply *reply);

/* A page with that status that says what is wrong and what to do, both plain text. */
void web_page_problem(
    const struct web_site *site, struct web_reply *reply, unsigned status, const char *text);

#endif
