/* Two incidents side by side: what happened in each, their metrics, and which functions differ. */
#ifndef REVIEW_WEB_COMPARE_H
#define REVIEW_WEB_COMPARE_H

struct web_reply;
struct web_request;
struct web_site;

/* ?a=ID&b=ID, or the two of ?id=ID&id=ID; &profile=NAME, &sample=TYPE. The older is the base. */
void web_compare_page(
    struct web_site *site, const struct web_request *request, struct web_reply *reply);

#endif
