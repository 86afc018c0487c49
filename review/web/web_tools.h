/* What an incident's page has around the report. */
#ifndef REVIEW_WEB_TOOLS_H
#define REVIEW_WEB_TOOLS_H

struct buf;
struct web_site;

/* The bar at the top: the list, the newer and the older incident. */
void web_tools_navigation(struct buf *out, struct web_site *site, const char *id);

/* Its mark and note, what to compare it with, what to download. */
void web_tools_actions(struct buf *out, struct web_site *site, const char *id);

#endif
