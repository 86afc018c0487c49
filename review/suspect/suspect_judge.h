/* Judges one profile: which own function stands out, and whether by enough to name it. */
#ifndef REVIEW_SUSPECT_JUDGE_H
#define REVIEW_SUSPECT_JUDGE_H

#include "review/suspect/suspect_select.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evidence;
struct evidence_profile;
struct owners;

enum { SUSPECT_RUNNERS_UP_MAX = 3 };

/* What is looked at, and what it takes to be named. */
struct suspect_plan {
    const char *profile, *sample; /* names of the profile and of its sample type */
    const char *what;             /* shares are of: "of the CPU time" */
    double
        observation; /* what the profiler saw at once, in the sample type's unit; 0: its period */
    double points_least; /* growth, or share */
    unsigned marks;      /* only stacks with any of these (enum stacks_mark); 0: all */
    bool is_exact;       /* nothing is sampled */
    bool is_rate;        /* there is more of it in a longer profile */
    bool is_cpu;         /* collector and scheduler take of it */
    bool is_second;      /* not what the trigger was about: it must be much more than usual */
};

struct suspect_verdict {
    const struct suspect_plan *plan;
    const struct evidence_profile *from; /* NULL: there is none */
    struct stacks *stacks;               /* NULL: there was nothing to look at */
    struct suspect_question question;
    struct suspect_choice choice; /* function SUSPECT_NONE: there is no suspect; then: */
    char *problem;                /* why: a clause without an end */
    uint32_t runners_up[SUSPECT_RUNNERS_UP_MAX];
    size_t runner_up_count;
    enum suspect_rest charged; /* whose time was charged to its causes; SUSPECT_OWN: none */
    double charged_percent;    /* what that has of the profile */
    double times;              /* as much as in the baseline; NAN: not known */
    bool is_thin;              /* the baseline's shares say little, only its amounts do */
    double *spike_weights, *base_weights;
    bool *is_excluded;
};

/* Fills the verdict in any case; suspect_verdict_free frees it. */
void suspect_judge(const struct evidence *evidence, const struct owners *owners,
    const struct suspect_plan *plan, struct suspect_verdict *verdict);
void suspect_verdict_free(struct suspect_verdict *verdict);

/* The evidence's profile of that name, also when it cannot be looked at; or NULL. */
const struct evidence_profile *suspect_profile(const struct evidence *evidence, const char *name);

#endif
