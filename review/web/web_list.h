/* The list: "/" as a page, "/api/list" as only the part of it that changes, and "/api/changes",
 * which answers once there is news. */
#ifndef REVIEW_WEB_LIST_H
#define REVIEW_WEB_LIST_H

struct web_reply;
struct web_request;
struct web_site;

void web_list_page(
    struct web_site *site, const struct web_request *request, struct web_reply *reply);
void web_list_part(
    struct web_site *site, const struct web_request *request, struct web_reply *reply);

/* {"version": 7} once it is another than ?after=, or after a while. */
void web_list_changes(
    struct web_site *site, const struct web_request *request, struct web_reply *reply);

#endif
