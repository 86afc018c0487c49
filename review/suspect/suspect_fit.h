/* What a profile can say: how often it looked, how much that scatters, whether it has names. */
#ifndef REVIEW_SUSPECT_FIT_H
#define REVIEW_SUSPECT_FIT_H

#include <stdbool.h>
#include <stdint.h>

struct evidence;
struct owners;
struct stacks_side;
struct suspect_verdict;

/* Why the spike's profile cannot say anything, as a clause that the caller frees; NULL: it can. */
char *suspect_fit_problem(const struct suspect_verdict *verdict, const struct evidence *evidence,
    const struct owners *owners);

bool suspect_fit_has_base(const struct suspect_verdict *verdict);

/* Whether the baseline was looked at so seldom that its shares say little. */
bool suspect_fit_base_is_thin(const struct suspect_verdict *verdict);

/* How many times as much as in the baseline there is, for the same time; NAN: not known. *scale is
 * what the baseline's values are multiplied with for that. */
double suspect_fit_times(const struct suspect_verdict *verdict, double *scale);

/* One standard deviation of a function's growth that comes from sampling alone, in points. */
double suspect_fit_scatter(const struct suspect_verdict *verdict, uint32_t function);

#endif
