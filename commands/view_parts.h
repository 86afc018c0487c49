/* What commands/view.c puts together. */
#ifndef COMMANDS_VIEW_PARTS_H
#define COMMANDS_VIEW_PARTS_H

struct evidence;
struct incident;
struct table;
struct view;

/* Adds a row of label and text, which it takes over; none for NULL. */
void view_add(struct table *table, const char *label, char *text);

/* The suspect: who, where, how much, the way there, why, who else; or why there is none. */
void view_add_suspect(struct view *view, const struct incident *incident);

/* The functions that grew most, or have most where there is no baseline, in the profile that the
 * suspect was found in, else in the first that there is. */
void view_add_growth(struct view *view, const struct evidence *evidence);

/* What databases did meanwhile; why it is not known is a fact. */
void view_add_statements(struct view *view, const struct incident *incident);

/* Peaks, with a chart where there are samples. evidence NULL: there are none. */
void view_add_peaks(
    struct view *view, const struct incident *incident, const struct evidence *evidence);

#endif
