/* Everything below "/incident/": the page of one, its files, and what people say about it. */
#ifndef REVIEW_WEB_INCIDENT_H
#define REVIEW_WEB_INCIDENT_H

struct web_reply;
struct web_request;
struct web_site;

/* Sends a request for "/incident/<id>" and what is below it to one of these. */
void web_incident(
    struct web_site *site, const struct web_request *request, struct web_reply *reply);

/* The report, with what can be done about the incident. */
void web_incident_page(struct web_site *site, const char *id, struct web_reply *reply);

/* A file that the incident lists, as it is stored and to be saved: what a bucket holds is nobody's
 * page. */
void web_incident_file(
    struct web_site *site, const char *id, const char *name, struct web_reply *reply);

/* What the forms say: "looked" and "known" are "yes" or "no", "note" is any text. */
void web_incident_note(struct web_site *site, const struct web_request *request, const char *id,
    const char *what, struct web_reply *reply);

#endif
