/* A source on a tree of files of a test's own. */
#ifndef TESTS_SOURCE_RIG_H
#define TESTS_SOURCE_RIG_H

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

struct tree {
    const struct source_kind *kind;
    char root[64];
    struct series_set series;
    struct source_app app;
    struct source_setup setup;
    void *source;
    int64_t now_ms, tick_ms;
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

/* A machine of four CPUs and 1000 kB; container: of the one app. */
static inline struct tree *make_source_tree(
    const struct source_kind *kind, const char *container, int64_t tick_ms)
{
    struct tree *tree = xcalloc(1, sizeof *tree);
    strcpy(tree->root, "/tmp/test_source.XXXXXX");
    assert_non_null(mkdtemp(tree->root));
    series_set_init(&tree->series, 10);
    tree->kind = kind;
    tree->tick_ms = tick_ms;
    tree->app = (struct source_app){.prefix = "", .container = container};
    tree->setup = (struct source_setup){.series = &tree->series,
        .root = tree->root,
        .apps = &tree->app,
        .app_count = 1,
        .interval_ms = 1000};
    tree->now_ms = 1000;
    put(tree, "proc/meminfo", "MemTotal:       1000 kB\nMemFree:        500 kB\n");
    put(tree, "sys/devices/system/cpu/online", "0-3\n");
    return tree;
}

static inline int make_cgroup_tree(void **state)
{
    *state = make_source_tree(&source_cgroup, "/task/api/", 1000);
    return 0;
}

static inline int remove_tree(void **state)
{
    struct tree *tree = *state;
    if (tree->source)
        tree->kind->close(tree->source);
    fs_remove(tree->root, NULL);
    series_set_free(&tree->series);
    free(tree);
    return 0;
}

static inline int sample(struct tree *tree, struct error *err)
{
    if (!tree->source) {
        tree->source = tree->kind->open(&tree->setup, err);
        assert_non_null(tree->source);
    }
    tree->now_ms += tree->tick_ms;
    return tree->kind->sample(tree->source, tree->now_ms, err);
}

static inline struct source_life life_of(const struct tree *tree)
{
    struct source_life life;
    tree->kind->life(tree->source, 0, &life);
    return life;
}

/* The value of this tick, NAN for a gap. */
static inline double value(const struct tree *tree, const char *name)
{
    const struct series *series = series_set_find(&tree->series, name);
    const struct sample *newest = series ? series_at(series, 0) : NULL;
    return newest && newest->time_ms == tree->now_ms ? newest->value : NAN;
}

#define ON_TREE(make, test) cmocka_unit_test_setup_teardown(test, make, remove_tree)

#endif
