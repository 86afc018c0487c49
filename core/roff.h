/* Manual pages: texts as roff, for the macros of man(7), https://man.openbsd.org/man.7. */
#ifndef CORE_ROFF_H
#define CORE_ROFF_H

#include <stdio.h>

/* Text of one line (ASCII) that may stand anywhere, its first character at the start of a line,
 * too. */
void roff_text(const char *text, FILE *out);

/* Text that is laid out as the help of a command is: paragraphs between empty lines, and entries
 *
 *   HEAD  what is said of it, which goes on
 *         in lines that are indented further
 *
 * HEAD begins after two blanks and ends before two blanks or the line's end. */
void roff_layout(const char *text, FILE *out);

#endif
