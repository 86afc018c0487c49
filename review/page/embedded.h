/* Files that are built into the program (stakeout_embed in cmake/embed.cmake): styles, scripts. */
#ifndef REVIEW_EMBEDDED_H
#define REVIEW_EMBEDDED_H

#include <stdint.h>

/* Declares `extern const char NAME[]`, with a NUL behind the last byte, and NAME_size without it.
 */
#define EMBEDDED(name)                                                                             \
    extern const char name[];                                                                      \
    extern const uint64_t name##_size

#endif
