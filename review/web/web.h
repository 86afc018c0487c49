/* The server of `stakeout review`: pages to go through the incidents of a place, on threads of its
 * own (libmicrohttpd, one a connection, so that a page that takes long holds nobody else up).
 *
 * It shows what others have stored, to whoever can reach it: there is no password. So it listens on
 * loopback unless told otherwise, and web_guard.h says what else keeps strangers out. */
#ifndef REVIEW_WEB_H
#define REVIEW_WEB_H

#include <stdint.h>

struct error;
struct listen_address;
struct s3_settings;
struct web;

struct web_options {
    const char *where;            /* as in store_open */
    const struct s3_settings *s3; /* has to outlive the server, with what it points to */
    const struct listen_address *listening;
    const char *host; /* one more name that it goes by, as behind a proxy; NULL */
    /* Told why the place cannot be read, once until it can be again, from a thread of the server's;
     * may quote what is stored. NULL: nobody. */
    void (*tell)(const char *problem);
};

/* Opens the place, listens, and answers from now on. Signals are left to the caller's thread. NULL
 * and err when the place cannot be read or the address not be had. */
struct web *web_open(const struct web_options *options, struct error *err);
uint16_t web_port(const struct web *web);
void web_close(struct web *web);

#endif
