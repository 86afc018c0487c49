/* An incident read back from where it is stored, for whoever shows it: what nobody analysed before
 * it was stored, or only in part, is analysed then. */
#ifndef REVIEW_REANALYSIS_H
#define REVIEW_REANALYSIS_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct evidence;
struct incident;
struct store;
struct store_incident;

/* Whether a reader, who has more memory than the agent's child, may find more: it was not analysed,
 * or something was left out for its size. */
bool reanalysis_helps(const struct incident *incident);

/* What all profiles of an incident and its baseline may have when inflated, for a reader. */
#define REANALYSIS_MAX ((size_t)256 << 20)

struct reanalysis_wish {
    bool baseline;         /* the files of the one that it names as well */
    size_t inflated_bytes; /* at most, of all its profiles together */
};

/* All that the incident has and the wish says; analysed
 * where that helps (without the baseline: where it was not analysed at all), and then *analysed is
 * true; a suspect that is stored without a headline stays. NULL and err when nothing can be read.
 */
struct evidence *reanalysis_read(struct store *store, const struct store_incident *stored,
    const struct reanalysis_wish *wish, bool *analysed, struct error *err);

#endif
