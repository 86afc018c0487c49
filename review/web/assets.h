/* Files of others that are built into the program: speedscope, which the review page opens a whole
 * profile in. See speedscope.cmake for where they come from.
 *
 * The pages of /speedscope/ need, beyond default-src 'none':
 *   script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self';
 *   connect-src 'self'
 */
#ifndef REVIEW_ASSETS_H
#define REVIEW_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

struct asset {
    const char *path; /* as in a URL: "/speedscope/index.html" */
    const char *content_type;
    const unsigned char *data;
    size_t size;
    bool gzip; /* data is what goes with "Content-Encoding: gzip" */
};

/* The file of that path, or NULL. "/speedscope/" is its index.html; as "/speedscope/LICENSE" there
 * is what all of it may be used under. */
const struct asset *asset_find(const char *path);

/* Whether speedscope is built in: without npm at build time it is not. */
bool asset_has_speedscope(void);

#endif
