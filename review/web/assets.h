/* Files of others that are built into the program: speedscope, which the review page opens a whole
 * profile in. See speedscope.cmake for where they come from.
 *
 * Measured in Chromium, speedscope needs no more than this policy, and asks no other origin:
 *   default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:;
 *   style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; font-src 'self';
 *   connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
 * The hash is that of nothing: it inserts an empty style element and fills it by script. It tries
 * eval twice, to look for a require(), and goes on without. Its address opens a profile of this
 * origin, gzip or not: /speedscope/#profileURL=<its URL, encoded>&title=<encoded>&view=left-heavy
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
