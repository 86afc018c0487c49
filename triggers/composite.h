/* composite: several other triggers are true at about the same time, or any of them is. */
#ifndef TRIGGERS_COMPOSITE_H
#define TRIGGERS_COMPOSITE_H

#include "config/fields.h"

#include <stdint.h>

/* Exactly one of all and any is given. */
struct composite_options {
    struct name_list all, any;
    int64_t within_ms; /* how long ago a member may have been true and still counts */
};

#endif
