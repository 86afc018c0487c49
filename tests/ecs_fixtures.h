/* Answers of ECS's metadata endpoint, of fixtures/ecs/. */
#ifndef TESTS_ECS_FIXTURES_H
#define TESTS_ECS_FIXTURES_H

#include "core/buf.h"
#include "core/fs.h"
#include "sources/ecs/ecs_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND 1000000000LL

static inline void load(const char *name, struct buf *buf)
{
    char path[128];
    snprintf(path, sizeof path, "fixtures/ecs/%s", name);
    assert_int_equal(fs_read(path, 1 << 20, buf, NULL), 0);
}

static inline void load_task(const char *name, struct ecs_task *task)
{
    struct buf buf;
    load(name, &buf);
    assert_int_equal(ecs_task_parse(task, buf.data, buf.size, NULL), 0);
    buf_free(&buf);
}

#endif
