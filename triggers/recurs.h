/* recurs: the onsets of another trigger come back after a period. It never fires: it recognises,
 * says when to be armed for the next onset, and notes whether that came. */
#ifndef TRIGGERS_RECURS_H
#define TRIGGERS_RECURS_H

#include "config/fields.h"

struct recurs {
    char *of;                     /* the name of the trigger whose onsets they are */
    struct duration_range period; /* that is looked for */
};

/* The kind's only key is a mapping. */
struct recurs_options {
    struct recurs recurs;
};

#endif
