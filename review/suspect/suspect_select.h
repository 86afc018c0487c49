/* Which own function stands out in the samples of a profile: the rule behind the suspect and the
 * runners-up, without any judgement whether it is enough. */
#ifndef REVIEW_SUSPECT_SELECT_H
#define REVIEW_SUSPECT_SELECT_H

#include <stdbool.h>
#include <stdint.h>

struct stacks;
struct stacks_sample;

#define SUSPECT_NONE UINT32_MAX

/* Growth is in percent of the total of the spike's profile. */
enum suspect_growth {
    SUSPECT_SHARE,   /* no baseline: the share itself */
    SUSPECT_POINTS,  /* share minus share in the baseline */
    SUSPECT_ABSOLUTE /* minus what the baseline has, times `scale`: for when the mix is the same */
};

struct suspect_question {
    const struct stacks *stacks;
    enum suspect_growth growth;
    double scale;                /* of the baseline's values, with SUSPECT_ABSOLUTE */
    unsigned marks;              /* only samples with any of these marks; 0: all */
    const bool *is_excluded;     /* by function; samples with one are left out. NULL: none */
    const double *spike_weights; /* instead of the samples' own; NULL: their own */
    const double *base_weights;
};

struct suspect_choice {
    uint32_t function;     /* SUSPECT_NONE: there is none */
    double growth;         /* its own */
    double share;          /* percent of the spike's profile, of the samples that were asked for */
    uint32_t largest;      /* the function with the largest growth, on the same stacks */
    double largest_growth; /* its growth */
};

/* The deepest own function, of those that are on the same stacks as the one with the largest growth
 * and have at least 80% of it. Of functions that call one another in a circle, the outermost. */
void suspect_select(const struct suspect_question *question, struct suspect_choice *choice);

/* What no own code is on the stack of. */
enum suspect_rest { SUSPECT_COLLECTOR, SUSPECT_SCHEDULER, SUSPECT_OTHERS, SUSPECT_OWN };

/* Which of these a sample is. */
enum suspect_rest suspect_rest_of(const struct stacks_sample *sample);

/* What those samples grew by, in percent. */
double suspect_growth_of_rest(const struct suspect_question *question, enum suspect_rest rest);

/* What they have of the spike's profile, in percent. */
double suspect_rest_percent(const struct suspect_question *question, enum suspect_rest rest);

/* Whether the function merely contains what others do: it is the outermost on nearly all stacks of
 * own code and leads to three or more other own functions, one of which has half of it or more; or
 * it is a router by its name and leads to two or more. */
bool suspect_contains_all(const struct suspect_question *question, uint32_t function);

/* Percent of the total of the spike (base: of the baseline; NAN without one, 0 of an empty one)
 * that has the function. */
double suspect_share(const struct suspect_question *question, uint32_t function, bool base);

#endif
