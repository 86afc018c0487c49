/* Links to objects that a browser follows without credentials of its own. */
#ifndef CORE_S3_PRESIGN_H
#define CORE_S3_PRESIGN_H

#include "core/s3/s3.h"

#include <stdint.h>

struct s3_presigning;

struct s3_link {
    const char *url;    /* a secret while it lasts; valid within `done`; NULL: there is none */
    int64_t expires_ms; /* wall time at which it ends: credentials that end earlier end it */
    bool may_recover;   /* without url: another try may work */
    const char *reason; /* without url: a sentence with the remedy */
};

/* Makes a link to get the object of this key for so many seconds (1 to 604,800, the most that S3
 * takes). The object need not be there, and whoever follows the link has the rights of these
 * credentials. Asks nobody but the credential chain, unless the store has not answered anything
 * yet: it is asked something first then, whatever it says to that, as it corrects a wrong region in
 * its answers, and nobody corrects a link. Without an answer the region is as configured. `done`
 * comes later, on the loop, exactly once unless cancelled. */
struct s3_presigning *s3_presign(struct s3 *s3, const char *key, int64_t seconds,
    void (*done)(void *arg, const struct s3_link *link), void *arg);
void s3_presign_cancel(struct s3_presigning *presigning); /* NULL is allowed */

#endif
