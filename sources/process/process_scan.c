#include "sources/process/process_scan.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LISTED = 32768, MAX_NAMED = 8 };

struct scan {
    struct process_list *list;
    size_t capacity;
    const char *root, *name;
    unsigned long own;
};

/* What stands in front of the arguments of its command line, without the folder. The kernel's own
 * name of a program is cut; scripts have that of their interpreter. */
static bool is_called(const struct scan *scan, unsigned long pid, const struct process_stat *stat)
{
    if (!scan->name)
        return false;
    if (strlen(scan->name) < PROCESS_NAME_SIZE && !strcmp(stat->name, scan->name))
        return true;
    char text[PROCESS_TEXT_MAX];
    if (!process_read(scan->root, pid, "cmdline", text))
        return false;
    const char *slash = strrchr(text, '/');
    return !strcmp(slash ? slash + 1 : text, scan->name);
}

static int see(void *arg, const char *name)
{
    struct scan *scan = arg;
    struct process_list *list = scan->list;
    struct process_stat stat;
    unsigned long pid = process_pid_parse(name);
    if (!pid || pid == scan->own || !process_stat_read(&stat, scan->root, pid) ||
        process_stat_ended(&stat))
        return 0;
    if (list->count == MAX_LISTED)
        return 1;
    if (list->count == scan->capacity) {
        scan->capacity = scan->capacity ? scan->capacity * 2 : 64;
        list->all = xrealloc(list->all, scan->capacity, sizeof *list->all);
    }
    list->all[list->count++] = (struct process_seen){
        pid, stat.parent, stat.started_ticks, is_called(scan, pid, &stat)};
    return 0;
}

static int by_pid(const void *a, const void *b)
{
    const struct process_seen *left = a, *right = b;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

void process_list_read(struct process_list *list, const char *root, const char *name)
{
    *list = (struct process_list){0};
    struct scan scan = {.list = list, .root = root, .name = name, .own = process_own_pid(root)};
    char *folder = xasprintf("%s/proc", root);
    fs_each(folder, see, &scan, NULL);
    free(folder);
    if (list->count)
        qsort(list->all, list->count, sizeof *list->all, by_pid);
}

void process_list_free(struct process_list *list)
{
    free(list->all);
    *list = (struct process_list){0};
}

static const struct process_seen *with_pid(const struct process_list *list, unsigned long pid)
{
    const struct process_seen key = {.pid = pid};
    return list->count ? bsearch(&key, list->all, list->count, sizeof key, by_pid) : NULL;
}

/* Whether one above it has the name, too, or is the agent. */
static bool descends(
    const struct process_list *list, const struct process_seen *process, unsigned long own)
{
    enum { MAX_DEPTH = 64 };
    for (int depth = 0; process && depth < MAX_DEPTH; depth++) {
        if (own && process->parent == own)
            return true;
        process = with_pid(list, process->parent);
        if (process && process->matches)
            return true;
    }
    return false;
}

static int not_there(const char *wanted, struct error *err)
{
    return error_set(err,
        "there is no process %s: it does not run, is called otherwise, or its PID namespace is not "
        "shared with stakeout (ECS: pidMode: task; Kubernetes: shareProcessNamespace: true)",
        wanted);
}

static void ambiguous(const struct process_list *list, const size_t *candidates, size_t count,
    const char *wanted, struct error *err)
{
    struct buf names;
    buf_init(&names, 400);
    for (size_t i = 0; i < count && i < MAX_NAMED; i++) {
        const struct process_seen *process = &list->all[candidates[i]];
        char since[RFC3339_SIZE];
        rfc3339_format(process_started_wall_ms(process->started_ticks), since);
        buf_printf(&names, "%s%lu (since %.19sZ)", i ? ", " : "", process->pid, since);
    }
    error_set(err,
        "%zu processes are called %s: set app.container to the pid of one, or give the app's a "
        "name "
        "of its own: %s%s",
        count, wanted, names.data, count > MAX_NAMED ? ", ..." : "");
    buf_free(&names);
}

static int find_by_pid(struct process_seen *found, const char *root, const char *wanted,
    unsigned long pid, struct error *err)
{
    struct process_stat stat;
    if (pid == process_own_pid(root))
        return error_set(err, "app.container: %s is the pid of stakeout itself", wanted);
    if (!process_stat_read(&stat, root, pid) || process_stat_ended(&stat))
        return not_there(wanted, err);
    *found = (struct process_seen){pid, stat.parent, stat.started_ticks, true};
    return 0;
}

enum process_choice process_find(
    struct process_seen *found, const char *root, const char *wanted, struct error *err)
{
    unsigned long pid = process_pid_parse(wanted), own = process_own_pid(root);
    if (pid)
        return find_by_pid(found, root, wanted, pid, err) < 0 ? PROCESS_NONE : PROCESS_FOUND;
    struct process_list list;
    process_list_read(&list, root, wanted);
    size_t *candidates = xcalloc(list.count + 1, sizeof *candidates), count = 0;
    for (size_t i = 0; i < list.count; i++)
        if (list.all[i].matches && !descends(&list, &list.all[i], own))
            candidates[count++] = i;
    if (count == 1)
        *found = list.all[candidates[0]];
    else if (count)
        ambiguous(&list, candidates, count, wanted, err);
    else
        not_there(wanted, err);
    free(candidates);
    process_list_free(&list);
    return count == 1 ? PROCESS_FOUND : count ? PROCESS_SEVERAL : PROCESS_NONE;
}
