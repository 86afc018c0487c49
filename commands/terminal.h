/* What is printed for people: text that others may have written, tables, colour. */
#ifndef COMMANDS_TERMINAL_H
#define COMMANDS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A copy in which nothing can steer a terminal or turn the reading order: control characters
 * (\n, \x1b), bidirectional overrides (\u202e) and bytes that are not UTF-8 (\xff) are spelled out,
 * all else is as it was. The caller frees it. */
char *terminal_safe(const char *text);

/* JSON text with the same in mind: what JSON lets through raw (DEL and the C1 controls) is written
 * as \u escapes, which mean the same. */
void terminal_print_json(FILE *out, const char *text, size_t size);

/* Whether to use colour: on a terminal, unless NO_COLOR is set. */
bool terminal_colour(FILE *out);

/* Characters in a line, 0 when it is no terminal. */
size_t terminal_columns(FILE *out);

/* Whether text beyond ASCII can be shown: what the locale's variables say. */
bool terminal_unicode(void);

/* A small chart, one character for each of `width` equal parts (its highest value, from 0 or below
 * to the highest of all); a space is a gap. "" when there is no value; the caller frees. */
char *terminal_sparkline(const double *values, size_t count, size_t width);

/* Characters of UTF-8 text. */
size_t terminal_length(const char *text);

#endif
