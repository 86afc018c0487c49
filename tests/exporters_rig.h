/* A loop, a disk and a temporary folder for exporters. */
#ifndef TESTS_EXPORTERS_RIG_H
#define TESTS_EXPORTERS_RIG_H

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/loop.h"
#include "core/offload.h"
#include "exporters/exporter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct loop *loop;
static struct offload *disk;
static char folder[64];

static inline int setup(void **state)
{
    (void)state;
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("http_proxy");
    setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    strcpy(folder, "/tmp/stakeout-test-exporters-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    loop = loop_open(NULL);
    disk = offload_open(loop, "disk", NULL);
    return loop && disk ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    offload_close(disk);
    loop_close(loop);
    return fs_remove(folder, NULL);
}

static inline char *in_folder(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static inline void *open_exporter(const struct exporter_kind *kind, const void *options)
{
    struct exporter_setup exporter_setup = {
        .loop = loop, .disk = disk, .options = options, .service = "woogles"};
    void *self = kind->open(&exporter_setup, NULL);
    assert_non_null(self);
    return self;
}

/* What `done` of a send was told. */
struct sent {
    bool done;
    struct send_result result;
};

static inline void note_sent(void *arg, const struct send_result *result)
{
    struct sent *sent = arg;
    assert_false(sent->done);
    *sent = (struct sent){true, *result};
}

static inline void wait_sent(const struct sent *sent)
{
    assert_true(loop_run_until(loop, &sent->done, clock_mono_ms() + 60000));
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
