/* Puts what was found into words and into the incident. */
#ifndef REVIEW_SUSPECT_TELL_H
#define REVIEW_SUSPECT_TELL_H

struct incident_analysis;
struct suspect_verdict;

/* Fills out->suspect and out->runners_up, which are empty before; a verdict without a suspect has
 * only runners-up. */
void suspect_tell(const struct suspect_verdict *verdict, struct incident_analysis *out);

#endif
