/* What went wrong, as one whole sentence that a user can act on. The callee fills it, the caller
 * decides whether to print, log or store it. */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

struct error {
    char text[512];
};

/* Formats the sentence into err, which may be NULL, and returns -1, so that a failing function can
 * `return error_set(err, ...)`. Text that does not fit is cut. */
#define error_set(...) error_minus_one(error_format(__VA_ARGS__))

/* Puts "prefix: " (printf form) before the sentence that err already holds. Returns -1. */
#define error_prefix(...) error_minus_one(error_format_prefix(__VA_ARGS__))

int error_format(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_format_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* In the header, so that the compiler and static analysis see in every file that it is -1. */
static inline int error_minus_one(int formatted)
{
    (void)formatted;
    return -1;
}

#endif
