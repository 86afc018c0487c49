/* Measures containers by the files of their cgroups: version 1, 2 and both at once. */
#include "sources/cgroup/cgroup_app.h"
#include "sources/cgroup/cgroup_files.h"
#include "sources/measure.h"
#include "sources/source.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/metric.h"

#include <stdlib.h>
#include <string.h>

enum { MOUNTS_MS = 10000 }; /* how often the mounts are read again while a cgroup is missing */

struct measured_app {
    struct cgroup_app cgroup;
    struct measured_series series;
};

struct cgroup {
    char *root; /* "" for / */
    struct cgroup_mounts mounts;
    int64_t mounts_ms; /* when they may be read again */
    struct measured_app *apps;
    size_t app_count;
};

static const char no_mounts[] =
    "no cgroup hierarchy is mounted here: mount the host's /sys/fs/cgroup, read-only";

static int missing(const struct cgroup *self, const struct cgroup_app *app, struct error *err)
{
    if (!self->mounts.count)
        return error_set(err, "%s", no_mounts);
    return error_set(err,
        "there is no cgroup %s below %s: the app does not run, or app.container is not its "
        "cgroup's path below the mount",
        app->container, self->mounts.all[0].path);
}

static void refresh_mounts(struct cgroup *self, int64_t now_ms)
{
    if (now_ms < self->mounts_ms)
        return;
    cgroup_mounts_free(&self->mounts);
    cgroup_mounts_read(&self->mounts, self->root);
    self->mounts_ms = now_ms + MOUNTS_MS;
}

/* Twice, as a cgroup that was removed may have been made anew already. */
static int sample_app(
    struct cgroup *self, struct measured_app *app, int64_t now_ms, struct error *err)
{
    struct cgroup_app *cgroup = &app->cgroup;
    struct measures measures;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!cgroup_app_is_open(cgroup) && !cgroup_app_find(cgroup, &self->mounts)) {
            refresh_mounts(self, now_ms);
            return missing(self, cgroup, err);
        }
        if (cgroup_app_measure(cgroup, &self->mounts, self->root, now_ms, &measures)) {
            measured_series_push(&app->series, now_ms, &measures);
            return 0;
        }
    }
    return error_set(err, "the files of the cgroup %s cannot be read", cgroup->container);
}

static int cgroup_sample(void *arg, int64_t now_ms, struct error *err)
{
    struct cgroup *self = arg;
    int status = 0;
    for (size_t i = 0; i < self->app_count; i++)
        if (sample_app(self, &self->apps[i], now_ms, status < 0 ? NULL : err) < 0)
            status = -1;
    return status;
}

static int no_container(const struct cgroup_mounts *mounts, const char *root, struct error *err)
{
    struct buf names;
    buf_init(&names, 400);
    cgroup_list(mounts, root, &names);
    error_set(err, "it needs app.container, the path of the app's cgroup below the mount%s%s",
        names.size ? "; there are " : "", names.data);
    buf_free(&names);
    return -1;
}

/* A copy without slashes at the ends; NULL when it names no cgroup below the mount. */
static char *clean_container(const char *container)
{
    container += strspn(container, "/");
    char *clean = xstrdup(container);
    for (size_t length = strlen(clean); length > 0 && clean[length - 1] == '/'; length--)
        clean[length - 1] = '\0';
    bool outside = *clean == '\0';
    for (const char *part = clean; part; part = strchr(part, '/')) {
        part += *part == '/';
        outside = outside || (strcspn(part, "/") == 2 && !strncmp(part, "..", 2));
    }
    if (!outside)
        return clean;
    free(clean);
    return NULL;
}

/* Without one the source tells which cgroups there are. */
static int cgroup_check_container(const char *container, struct error *err)
{
    char *clean = container ? clean_container(container) : NULL;
    if (container && !clean)
        return error_set(err,
            "%.100s is not a cgroup's path below the mount, which looks like "
            "system.slice/api.service",
            container);
    free(clean);
    return 0;
}

static int open_app(
    struct cgroup *self, const struct source_app *app, struct series_set *series, struct error *err)
{
    if (!app->container)
        return no_container(&self->mounts, self->root, err);
    struct error why;
    if (cgroup_check_container(app->container, &why) < 0)
        return error_set(err, "app.container %s", why.text);
    char *container = clean_container(app->container);
    struct measured_app *opened = &self->apps[self->app_count++];
    cgroup_app_init(&opened->cgroup, container);
    measured_series_init(&opened->series, series, app->prefix);
    free(container);
    return 0;
}

static void cgroup_close(void *arg)
{
    struct cgroup *self = arg;
    for (size_t i = 0; i < self->app_count; i++)
        cgroup_app_free(&self->apps[i].cgroup);
    cgroup_mounts_free(&self->mounts);
    free(self->apps);
    free(self->root);
    free(self);
}

static bool cgroup_present(const struct source_setup *setup, struct error *why)
{
    struct cgroup_mounts mounts;
    cgroup_mounts_read(&mounts, setup->root);
    bool any = mounts.count > 0;
    cgroup_mounts_free(&mounts);
    if (!any)
        error_set(why, "%s", no_mounts);
    return any;
}

static void *cgroup_open(const struct source_setup *setup, struct error *err)
{
    struct cgroup *self = xcalloc(1, sizeof *self);
    self->root = xstrdup(strcmp(setup->root, "/") ? setup->root : "");
    self->apps = xcalloc(setup->app_count, sizeof *self->apps);
    cgroup_mounts_read(&self->mounts, self->root);
    for (size_t i = 0; i < setup->app_count; i++) {
        if (open_app(self, &setup->apps[i], setup->series, err) < 0) {
            cgroup_close(self);
            return NULL;
        }
    }
    return self;
}

static void cgroup_identify(void *arg, size_t index, struct source_identity *identity)
{
    const struct cgroup *self = arg;
    const struct cgroup_app *app = &self->apps[index].cgroup;
    *identity = (struct source_identity){
        .container = app->container, .started_wall_ms = app->started_wall_ms};
}

static void cgroup_life(void *arg, size_t index, struct source_life *life)
{
    const struct cgroup *self = arg;
    const struct cgroup_app *app = &self->apps[index].cgroup;
    *life = (struct source_life){.known = app->procs.starts > 0,
        .gone = !app->procs.populated,
        .starts = app->procs.starts,
        .oom_kills = cgroup_app_kills(app),
        .exit_code = -1};
}

static void cgroup_look_again(void *arg)
{
    struct cgroup *self = arg;
    for (size_t i = 0; i < self->app_count; i++)
        cgroup_app_look_again(&self->apps[i].cgroup);
}

static void describe_app(
    const struct cgroup_app *app, void (*say)(void *arg, const char *sentence), void *arg)
{
    const struct cgroup_limits *limits = &app->limits;
    char size[VALUE_TEXT_SIZE], cores[VALUE_TEXT_SIZE];
    metric_format(UNIT_BYTES, limits->memory_bytes, size);
    char *sentence = xasprintf("%s: cpu is a share of %s (%s), memory of %s (%s)", app->container,
        metric_format_level(UNIT_CORES, limits->cores, cores),
        limits->quota_folder ? "the quota" : "the online CPUs", size,
        limits->memory_folder ? "the limit" : "the machine's memory");
    say(arg, sentence);
    free(sentence);
    const char *net = app->fds[KEPT_NET] >= 0
                          ? "net.* counts all traffic of its network namespace, which with host "
                            "networking is that of its neighbours, too"
                          : "net.* is not measured: /proc shows no process of it, so share the "
                            "host's PID namespace to have it";
    sentence = xasprintf("%s: %s", app->container, net);
    say(arg, sentence);
    free(sentence);
    if (pressure_is_open(&app->pressure))
        return;
    sentence = xasprintf("%s: %s", app->container, pressure_remedy);
    say(arg, sentence);
    free(sentence);
}

static void cgroup_describe(void *arg, void (*say)(void *arg, const char *sentence), void *say_arg)
{
    const struct cgroup *self = arg;
    for (size_t i = 0; i < self->app_count; i++)
        if (cgroup_app_is_open(&self->apps[i].cgroup))
            describe_app(&self->apps[i].cgroup, say, say_arg);
}

const struct source_kind source_cgroup = {
    .kind = {.name = "cgroup",
        .help = "the files of the container's cgroup, version 1 or 2, on this machine",
        .check_container = cgroup_check_container},
    .present = cgroup_present,
    .open = cgroup_open,
    .sample = cgroup_sample,
    .identify = cgroup_identify,
    .life = cgroup_life,
    .look_again = cgroup_look_again,
    .describe = cgroup_describe,
    .close = cgroup_close,
};
