/* The suspect: the function of the app's own code that a spike is about. It is the deepest one that
 * still has at least 80% of the largest growth, in percentage points against the baseline; without
 * a baseline, of the largest share. Rather none than a wrong one. */
#ifndef REVIEW_SUSPECT_H
#define REVIEW_SUSPECT_H

struct evidence;
struct incident_analysis;

/* Fills out->suspect or out->no_suspect, out->runners_up and out->explained, which are empty
 * before. Which profile leads depends on the metric that fired: CPU, else the heap for memory,
 * goroutines for their number, and what calls the database for its traffic. Names in out are as the
 * profile has them; go_names_short makes them short. */
void suspect_find(const struct evidence *evidence, struct incident_analysis *out);

#endif
