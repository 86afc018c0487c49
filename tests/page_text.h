/* What a page says, and what it does not. */
#ifndef TESTS_PAGE_TEXT_H
#define TESTS_PAGE_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static inline void must_have(const char *page, const char *text)
{
    if (!strstr(page, text))
        fail_msg("%s is not in %s", text, page);
}

static inline void must_not_have(const char *page, const char *text)
{
    if (strstr(page, text))
        fail_msg("%s is in %s", text, page);
}

#endif
