/* What the pages share, and how a request reaches them. */
#ifndef REVIEW_WEB_PARTS_H
#define REVIEW_WEB_PARTS_H

#include "core/buf.h"
#include "review/web/web_form.h"
#include "review/web/web_guard.h"

#include <stdbool.h>
#include <stdint.h>

struct web_analyst;
struct web_cache;
struct web_index;
struct web_stores;

struct web_site {
    struct web_stores *stores;
    struct web_index *index;
    struct web_analyst *analyst; /* NULL: nobody analyses beforehand */
    struct web_cache *reports;
    struct web_guard guard;
};

struct web_request {
    bool post;
    const char *path;      /* "/incident/..." as it was sent, without the query */
    struct web_form query; /* empty when it could not be parsed */
    struct web_form form;  /* what was posted */
};

struct web_reply {
    unsigned status;
    const char *type;   /* of the content */
    const char *policy; /* Content-Security-Policy */
    char *location;     /* where to go instead; NULL: nowhere */
    char *attachment;   /* the name of the file that this is to be saved as; NULL: it is shown */
    char *own_policy;   /* what policy points to, when it is not a constant */
    bool gzip;          /* the body is compressed */
    bool keeps;         /* the same as long as this program runs */
    struct buf body;
    int file;           /* a descriptor that is sent instead of the body, and closed; -1: none */
    uint64_t file_size; /* in bytes */
    void (*release)(void *data); /* frees what the body holds once it is sent; NULL: free does */
};

extern const char web_policy[];

/* Answers a request that the guard let through. Thread-safe. */
void web_route(struct web_site *site, const struct web_request *request, struct web_reply *reply);

/* The reply is empty before, and of status 200. */
void web_reply_init(struct web_reply *reply);
void web_reply_free(struct web_reply *reply);

/* Sends the browser to an address of this server after a form (303). Takes the location over. */
void web_reply_see(struct web_reply *reply, char *location);

#endif
