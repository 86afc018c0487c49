/* A configuration that has to be right, with the real kinds. */
#ifndef TESTS_CONFIG_TEXT_H
#define TESTS_CONFIG_TEXT_H

#include "agent/kinds.h"
#include "config/config.h"
#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The caller frees it with config_free. */
static inline struct config *parse_config(const char *text, struct config_needs needs)
{
    struct buf problems;
    buf_init(&problems, 1 << 16);
    struct config *config = config_parse(
        text, strlen(text), "test", &config_kinds, &needs, &problems);
    if (!config)
        fail_msg("%s\n%s", text, problems.data);
    buf_free(&problems);
    return config;
}

#endif
