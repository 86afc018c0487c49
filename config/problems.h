/* What is wrong with a configuration: collected while it is read, so that a user sees all of it in
 * one go, in the file's order. */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdarg.h>
#include <stddef.h>

struct buf;

struct problem {
    int line, column;
    char *text; /* "KEY: what is wrong" */
};

struct problems {
    struct problem *kept;
    size_t kept_count;
    size_t count; /* all of them; the first PROBLEMS_MAX are kept */
};

enum { PROBLEMS_MAX = 100 };

void problems_free(struct problems *problems);

/* Adds one; lines and columns count from 1, key may be NULL. Control characters of what is quoted
 * are replaced, so that each problem is one harmless line. */
void problems_add(struct problems *problems, int line, int column, const char *key,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
void problems_vadd(struct problems *problems, int line, int column, const char *key,
    const char *format, va_list args) __attribute__((format(printf, 5, 0)));

/* Appends a line "FILE:LINE:COLUMN: KEY: what is wrong" for each to out, ordered by position. */
void problems_write(const struct problems *problems, const char *file, struct buf *out);

#endif
