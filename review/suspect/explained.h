/* How much of the CPU time of the container a CPU profile accounts for. */
#ifndef REVIEW_EXPLAINED_H
#define REVIEW_EXPLAINED_H

struct evidence;
struct evidence_profile;
struct incident_explained;

/* Percent: above it the profile has more than the container used, beyond what sampling does. */
enum { EXPLAINED_MOST = 120 };

/* Fills explained: the seconds of the profile, those that the container used while it was recorded
 * (the series cpu.cores summed up over that time; NAN when it does not have nearly all of it), and
 * the one as a percentage of the other. cpu NULL: nothing is known. */
void explained_find(const struct evidence *evidence, const struct evidence_profile *cpu,
    struct incident_explained *explained);

#endif
