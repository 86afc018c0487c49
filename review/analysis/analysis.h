/* What an incident's files say about it, put into incident->analysis: the headline, the suspect,
 * how much is explained, the sparkline, the group. */
#ifndef REVIEW_ANALYSIS_H
#define REVIEW_ANALYSIS_H

#include "core/buf.h"

struct evidence;
struct error;

/* Replaces what the incident has of an analysis. The same files always give the same. */
void analysis_run(struct evidence *evidence);

/* The same for one that names a suspect, or why there is none, without a headline, as others than
 * this program may write it: what it says stays, and only headline, sparkline and group are added.
 */
void analysis_fill_in(struct evidence *evidence);

/* incident.json with the analysis of `evidence` in place of the one that it has; all else, fields
 * of other versions included, stays as it is. `text` is incident.json as it is stored. The caller
 * frees the result; NULL and err when it is no JSON object. */
char *analysis_rewrite(const struct buf *text, const struct evidence *evidence, struct error *err);

#endif
