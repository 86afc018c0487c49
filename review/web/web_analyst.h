/* Analyses what nobody has analysed yet (`limits.analyse: reader`), the newest first and beside
 * everything else, so that the list tells suspects and groups of it as well. */
#ifndef REVIEW_WEB_ANALYST_H
#define REVIEW_WEB_ANALYST_H

struct error;
struct web_analyst;
struct web_site;

/* Starts once everything is listed. At most so many incidents: profiles in a bucket cost money.
 * NULL and err when there is no thread to be had. */
struct web_analyst *web_analyst_open(struct web_site *site, int most, struct error *err);

/* After web_index_wake. */
void web_analyst_close(struct web_analyst *analyst);

#endif
