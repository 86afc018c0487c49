/* The cgroup source on a tree of files of a test's own: for test_cgroup.c and test_cgroup_real.c.
 */
#ifndef TESTS_CGROUP_RIG_H
#define TESTS_CGROUP_RIG_H

#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/series.h"
#include "sources/source.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A source on a tree of files of our own. */
struct tree {
    char root[64];
    struct series_set series;
    struct source_app app;
    struct source_setup setup;
    void *source;
    int64_t now_ms;
};

static inline void put(const struct tree *tree, const char *path, const char *text)
{
    char *whole = xasprintf("%s/%s", tree->root, path);
    char *folder = xstrdup(whole);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(fs_make_folders(folder, NULL), 0);
    /* Written in place, as the kernel's files change: they are kept open. */
    int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    free(folder);
    free(whole);
}

static inline int make_tree(void **state)
{
    struct tree *tree = xcalloc(1, sizeof *tree);
    strcpy(tree->root, "/tmp/test_cgroup.XXXXXX");
    assert_non_null(mkdtemp(tree->root));
    series_set_init(&tree->series, 10);
    tree->app = (struct source_app){.prefix = "", .container = "/task/api/"};
    tree->setup = (struct source_setup){.series = &tree->series,
        .root = tree->root,
        .apps = &tree->app,
        .app_count = 1,
        .interval_ms = 1000};
    tree->now_ms = 1000;
    put(tree, "proc/meminfo", "MemTotal:       1000 kB\nMemFree:        500 kB\n");
    put(tree, "sys/devices/system/cpu/online", "0-3\n");
    *state = tree;
    return 0;
}

static inline int remove_tree(void **state)
{
    struct tree *tree = *state;
    if (tree->source)
        source_cgroup.close(tree->source);
    fs_remove(tree->root, NULL);
    series_set_free(&tree->series);
    free(tree);
    return 0;
}

static inline int sample(struct tree *tree, struct error *err)
{
    if (!tree->source) {
        tree->source = source_cgroup.open(&tree->setup, err);
        assert_non_null(tree->source);
    }
    tree->now_ms += 1000;
    return source_cgroup.sample(tree->source, tree->now_ms, err);
}

/* The value of this tick, NAN for a gap. */
static inline double value(const struct tree *tree, const char *name)
{
    const struct series *series = series_set_find(&tree->series, name);
    const struct sample *newest = series ? series_at(series, 0) : NULL;
    return newest && newest->time_ms == tree->now_ms ? newest->value : NAN;
}

#define ON_TREE(test) cmocka_unit_test_setup_teardown(test, make_tree, remove_tree)

#endif
