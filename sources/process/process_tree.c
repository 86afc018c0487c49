#include "sources/process/process_tree.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/descriptors.h"
#include "core/fs.h"
#include "sources/cgroup/cgroup_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NEARBY = 256,      /* so many new ids are looked at one by one, else all processes are */
    LOOK_MS = 60000,   /* how often all processes are looked at anyway */
    SOON_MS = 1000,    /* and when some may have been missed */
    MOST_OF_TIME = 100 /* looking at all takes at most one of so many ms */
};

static uint64_t ticks_to_ns(uint64_t ticks)
{
    return ticks * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static uint64_t ticks_now(void)
{
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    return (uint64_t)boot.tv_sec * per_second + (uint64_t)boot.tv_nsec / (1000000000 / per_second);
}

static int open_of(const char *root, unsigned long pid, const char *name)
{
    char *path = xasprintf("%s/proc/%lu/%s", root, pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    return fd;
}

static bool read_stat(const struct process_member *member, struct process_stat *stat)
{
    char text[PROCESS_TEXT_MAX];
    ssize_t size = pread(member->stat_fd, text, sizeof text, 0);
    return size > 0 && process_stat_parse(stat, text, (size_t)size);
}

/* The kernel's own clock of a process counts without its children, and to the nanosecond. */
static void take_cpu(struct process_member *member, const struct process_stat *stat)
{
    struct timespec used;
    member->own_ns = ticks_to_ns(stat->own_ticks);
    member->reaped_ns = ticks_to_ns(stat->reaped_ticks);
    if (member->precise && clock_gettime(member->clock, &used) == 0)
        member->own_ns = (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void take_memory(struct process_member *member)
{
    static uint64_t page_bytes;
    char text[128];
    uint64_t anonymous = 0, file = 0;
    if (!page_bytes)
        page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    ssize_t size = pread(member->statm_fd, text, sizeof text, 0);
    if (size > 0)
        process_memory_parse(text, (size_t)size, &anonymous, &file);
    member->anonymous_bytes = anonymous * page_bytes;
    member->file_bytes = file * page_bytes;
}

static void close_member(const struct process_member *member)
{
    if (member->stat_fd >= 0)
        close(member->stat_fd);
    if (member->statm_fd >= 0)
        close(member->statm_fd);
}

/* Threads have ids and files, too. */
static bool is_process(const struct process_tree *tree, unsigned long pid)
{
    char text[PROCESS_TEXT_MAX];
    uint64_t group;
    size_t size = process_read(tree->root, pid, "status", text);
    return cgroup_parse_key(text, size, "Tgid:", &group) && group == pid;
}

/* What descends from the app can be done without, and captures cannot. */
static bool is_too_many(struct process_tree *tree, const struct process_member *member)
{
    int newest = member->stat_fd > member->statm_fd ? member->stat_fd : member->statm_fd;
    bool scarce = tree->count > 0 && (descriptors_are_scarce(newest) ||
                                         (member->statm_fd < 0 && descriptors_are_out(NULL)));
    tree->scarce = tree->scarce || scarce;
    return scarce;
}

/* Opens a process as the next member. False when it is another one than the one that was seen. */
static bool join(struct process_tree *tree, const struct process_seen *seen)
{
    if (tree->count == PROCESS_TREE_MAX) {
        tree->full = true;
        return false;
    }
    struct process_member member = {.pid = seen->pid,
        .stat_fd = open_of(tree->root, seen->pid, "stat"),
        .statm_fd = open_of(tree->root, seen->pid, "statm")};
    struct process_stat stat;
    if (is_too_many(tree, &member) || member.stat_fd < 0 || member.statm_fd < 0 ||
        !read_stat(&member, &stat) || stat.started_ticks != seen->started_ticks ||
        process_stat_ended(&stat) || !is_process(tree, seen->pid)) {
        close_member(&member);
        return false;
    }
    member.precise = !*tree->root && seen->pid <= INT32_MAX &&
                     clock_getcpuclockid((pid_t)seen->pid, &member.clock) == 0;
    take_cpu(&member, &stat);
    /* What began after the last reading used all its time since then. */
    if (!tree->read_ticks || stat.started_ticks < tree->read_ticks)
        tree->before_ns += member.own_ns + member.reaped_ns;
    tree->members[tree->count++] = member;
    return true;
}

static bool is_member(const struct process_tree *tree, unsigned long pid)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->members[i].pid == pid)
            return true;
    return false;
}

/* Those whose parents are members; again until there are none, as ids start over. */
static void join_descendants(struct process_tree *tree, const struct process_list *list)
{
    for (bool any = true; any;) {
        any = false;
        for (size_t i = 0; i < list->count; i++) {
            const struct process_seen *seen = &list->all[i];
            if (is_member(tree, seen->parent) && !is_member(tree, seen->pid))
                any = join(tree, seen) || any;
        }
    }
}

static void look_at_all(struct process_tree *tree, int64_t now_ms)
{
    struct process_list list;
    int64_t began_ms = clock_mono_ms();
    process_list_read(&list, tree->root, NULL);
    join_descendants(tree, &list);
    process_list_free(&list);
    int64_t took_ms = clock_mono_ms() - began_ms;
    tree->look_all = false;
    tree->looked_ms = now_ms;
    tree->look_ms = now_ms + (took_ms * MOST_OF_TIME > LOOK_MS ? took_ms * MOST_OF_TIME : LOOK_MS);
}

static void look_at_new(struct process_tree *tree, unsigned long newest)
{
    struct process_seen all[NEARBY];
    struct process_list list = {.all = all};
    for (unsigned long pid = tree->newest + 1; pid <= newest; pid++) {
        struct process_stat stat;
        if (pid != tree->own && process_stat_read(&stat, tree->root, pid))
            all[list.count++] = (struct process_seen){pid, stat.parent, stat.started_ticks, false};
    }
    join_descendants(tree, &list);
}

/* Ids are given out in rising order, so those since the last look are the new processes. */
static void find_new(struct process_tree *tree, int64_t now_ms)
{
    char text[PROCESS_TEXT_MAX], *path = xasprintf("%s/proc/loadavg", tree->root);
    size_t size = fs_read_text(path, text, sizeof text);
    free(path);
    unsigned long newest = 0;
    if (!size || !process_newest_parse(text, size, &newest))
        newest = 0;
    if (!newest || newest < tree->newest || newest - tree->newest > NEARBY)
        tree->look_all = true;
    else
        look_at_new(tree, newest);
    tree->newest = newest;
    bool soon = tree->look_all && now_ms >= tree->looked_ms + SOON_MS &&
                now_ms >= tree->looked_ms + (tree->look_ms - tree->looked_ms) / 10;
    if (soon || now_ms >= tree->look_ms)
        look_at_all(tree, now_ms);
}

/* What has ended leaves, and its parent's time of ended children has what it used. -1 when the
 * process itself has ended, else how many have. */
static int read_members(struct process_tree *tree)
{
    int left = 0;
    for (size_t i = 0; i < tree->count;) {
        struct process_member *member = &tree->members[i];
        struct process_stat stat;
        bool there = read_stat(member, &stat);
        if (i == 0 && (!there || process_stat_ended(&stat)))
            return -1;
        if (!there) {
            close_member(member);
            memmove(member, member + 1, (--tree->count - i) * sizeof *member);
            left++;
            continue;
        }
        take_cpu(member, &stat);
        take_memory(member);
        i++;
    }
    return left;
}

static void sum_up(struct process_tree *tree, int left, struct process_usage *usage)
{
    /* The time of ended children is counted in whole ticks. */
    uint64_t slack_ns = (uint64_t)(left + 1) * 2 * ticks_to_ns(1);
    uint64_t cpu_ns = 0, largest_bytes = 0;
    *usage = (struct process_usage){0};
    for (size_t i = 0; i < tree->count; i++) {
        const struct process_member *member = &tree->members[i];
        cpu_ns += member->own_ns + member->reaped_ns;
        usage->anonymous_bytes += member->anonymous_bytes;
        if (member->file_bytes > largest_bytes)
            largest_bytes = member->file_bytes;
    }
    cpu_ns = cpu_ns > tree->before_ns ? cpu_ns - tree->before_ns : 0;
    if (cpu_ns < tree->cpu_ns && tree->cpu_ns - cpu_ns <= slack_ns)
        cpu_ns = tree->cpu_ns;
    tree->cpu_ns = usage->cpu_ns = cpu_ns;
    usage->memory_bytes = usage->anonymous_bytes + largest_bytes;
}

bool process_tree_open(
    struct process_tree *tree, const char *root, const struct process_seen *process)
{
    *tree = (struct process_tree){.root = root, .own = process_own_pid(root), .look_all = true};
    return join(tree, process);
}

void process_tree_close(struct process_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        close_member(&tree->members[i]);
    tree->count = 0;
}

bool process_tree_is_open(const struct process_tree *tree)
{
    return tree->count > 0;
}

bool process_tree_read(struct process_tree *tree, int64_t now_ms, struct process_usage *usage)
{
    enum { PASSES = 4 };
    find_new(tree, now_ms);
    int left = 0;
    /* Again after some have ended: their parents were read before that. */
    for (int pass = 0; pass < PASSES; pass++) {
        int now_left = read_members(tree);
        if (now_left < 0)
            return false;
        left += now_left;
        if (!now_left)
            break;
    }
    tree->read_ticks = ticks_now();
    sum_up(tree, left, usage);
    return true;
}
