/* Values of a profile as people read them: 1.25 s, 310 MiB, 15,000. */
#ifndef REVIEW_AMOUNT_H
#define REVIEW_AMOUNT_H

#define AMOUNT_MINUS "\xe2\x88\x92" /* U+2212 */

enum { AMOUNT_MAX = 64 };

/* Three digits or a little more, with the unit: bytes as KiB, MiB, GiB; times as ns to h; other
 * units and counts with thousands apart. The unit is the profile's ("nanoseconds", "bytes",
 * "count"); one that is not known is left out. Writes text and a NUL, and returns it. */
char *amount_text(char text[AMOUNT_MAX], double value, const char *unit);

/* The same with a sign in front; the minus is U+2212. */
char *amount_change(char text[AMOUNT_MAX], double value, const char *unit);

/* "61.2%", "<0.1%", "0.0%". */
char *amount_percent(char text[AMOUNT_MAX], double percent);

/* Percentage points: "+60.9", "−0.4", "0.0". */
char *amount_points(char text[AMOUNT_MAX], double points);

#endif
