#include "sources/cgroup/cgroup_files.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/fs.h"

#include <stdlib.h>
#include <string.h>

/* A word, or the rest, of a text that need not end in NUL. */
struct span {
    const char *at;
    const char *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span next_line(struct span *rest)
{
    struct span line = *rest;
    const char *newline = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
    line.end = newline ? newline : rest->end;
    rest->at = newline ? newline + 1 : rest->end;
    return line;
}

static struct span next_word(struct span *rest)
{
    while (rest->at < rest->end && is_blank(*rest->at))
        rest->at++;
    struct span word = *rest;
    while (rest->at < rest->end && !is_blank(*rest->at) && *rest->at != '\n')
        rest->at++;
    word.end = rest->at;
    return word;
}

static bool span_is(struct span span, const char *text)
{
    size_t length = strlen(text);
    return (size_t)(span.end - span.at) == length && memcmp(span.at, text, length) == 0;
}

/* A whole decimal number, no sign, that fits. */
static bool span_number(struct span span, uint64_t *value)
{
    uint64_t number = 0;
    if (span.at == span.end)
        return false;
    for (; span.at < span.end; span.at++) {
        if (*span.at < '0' || *span.at > '9')
            return false;
        uint64_t digit = (uint64_t)(*span.at - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *value = number;
    return true;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* The kernel writes blanks and backslashes in paths as \040. */
static char *unescape(struct span path)
{
    char *text = xcalloc((size_t)(path.end - path.at) + 1, 1), *to = text;
    while (path.at < path.end) {
        if (path.at[0] == '\\' && path.end - path.at >= 4 && is_octal(path.at[1]) &&
            is_octal(path.at[2]) && is_octal(path.at[3])) {
            *to++ = (char)((path.at[1] - '0') * 64 + (path.at[2] - '0') * 8 + path.at[3] - '0');
            path.at += 4;
        } else {
            *to++ = *path.at++;
        }
    }
    return text;
}

static unsigned controllers_of(struct span options)
{
    static const char *const names[CGROUP_CONTROLLERS] = {"cpu", "cpuacct", "memory"};
    unsigned controllers = 0;
    while (options.at < options.end) {
        const char *comma = memchr(options.at, ',', (size_t)(options.end - options.at));
        struct span option = {options.at, comma ? comma : options.end};
        for (int i = 0; i < CGROUP_CONTROLLERS; i++)
            if (span_is(option, names[i]))
                controllers |= 1u << i;
        options.at = comma ? comma + 1 : options.end;
    }
    return controllers;
}

/* "31 23 0:28 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct" */
static bool parse_mount(struct span line, struct cgroup_mount *mount)
{
    for (int skipped = 0; skipped < 3; skipped++)
        next_word(&line);
    struct span top = next_word(&line), path = next_word(&line), word;
    do {
        word = next_word(&line);
        if (word.at == word.end)
            return false;
    } while (!span_is(word, "-"));
    struct span type = next_word(&line);
    next_word(&line);
    struct span options = next_word(&line);
    *mount = (struct cgroup_mount){.v2 = span_is(type, "cgroup2")};
    if (span_is(type, "cgroup"))
        mount->controllers = controllers_of(options);
    if (!mount->v2 && !mount->controllers)
        return false;
    mount->path = unescape(path);
    mount->top = unescape(top);
    return true;
}

void cgroup_mounts_parse(struct cgroup_mounts *mounts, const char *text, size_t length)
{
    *mounts = (struct cgroup_mounts){0};
    struct span rest = {text, text + length};
    while (rest.at < rest.end && mounts->count < CGROUP_MAX_MOUNTS)
        if (parse_mount(next_line(&rest), &mounts->all[mounts->count]))
            mounts->count++;
}

static void read_mounts(struct cgroup_mounts *mounts, const char *file, const char *before)
{
    enum { MAX_MOUNTINFO = 4 << 20 };
    struct buf text;
    fs_read(file, MAX_MOUNTINFO, &text, NULL);
    cgroup_mounts_parse(mounts, text.data, text.size);
    for (size_t i = 0; i < mounts->count; i++) {
        char *below = mounts->all[i].path;
        mounts->all[i].path = xasprintf("%s%s", before, below);
        free(below);
    }
    buf_free(&text);
}

void cgroup_mounts_read(struct cgroup_mounts *mounts, const char *root)
{
    char *file = xasprintf("%s/proc/self/mountinfo", root);
    read_mounts(mounts, file, strcmp(root, "/") ? root : "");
    free(file);
}

void cgroup_mounts_read_of(struct cgroup_mounts *mounts, const char *root, unsigned long pid)
{
    char *file = xasprintf("%s/proc/%lu/mountinfo", root, pid);
    char *before = xasprintf("%s/proc/%lu/root", root, pid);
    read_mounts(mounts, file, before);
    free(before);
    free(file);
}

void cgroup_mounts_free(struct cgroup_mounts *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        free(mounts->all[i].path);
        free(mounts->all[i].top);
    }
    *mounts = (struct cgroup_mounts){0};
}

bool cgroup_mount_has(
    const struct cgroup_mounts *mounts, size_t index, enum cgroup_controller controller)
{
    unsigned bit = 1u << controller;
    if (!mounts->all[index].v2)
        return mounts->all[index].controllers & bit;
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->all[i].controllers & bit)
            return false;
    return true;
}

bool cgroup_find(struct cgroup_place *place, const struct cgroup_mounts *mounts,
    enum cgroup_controller controller, const char *container)
{
    *place = (struct cgroup_place){0};
    for (size_t i = 0; i < mounts->count; i++) {
        const struct cgroup_mount *mount = &mounts->all[i];
        if (!cgroup_mount_has(mounts, i, controller))
            continue;
        char *folder = xasprintf("%s/%s", mount->path, container);
        char *procs = xasprintf("%s/cgroup.procs", folder);
        bool found = fs_exists(procs);
        free(procs);
        if (found) {
            *place = (struct cgroup_place){folder, strlen(mount->path), mount->v2};
            return true;
        }
        free(folder);
    }
    return false;
}

struct listing {
    const char *folder; /* being walked, "" for the mount itself */
    const char *mount;
    const char *own; /* the agent's cgroup: "a/b" */
    struct buf *names;
    int depth;
    int *visited, *listed;
};

static bool has_processes(const char *mount, const char *cgroup)
{
    char *path = xasprintf("%s/%s/cgroup.procs", mount, cgroup);
    struct buf procs;
    fs_read(path, 1 << 20, &procs, NULL);
    bool any = procs.size > 0;
    buf_free(&procs);
    free(path);
    return any;
}

static int list_folder(void *arg, const char *name)
{
    enum { MAX_DEPTH = 6, MAX_VISITED = 20000, MAX_LISTED = 8 };
    struct listing *listing = arg;
    if (++*listing->visited > MAX_VISITED || *listing->listed >= MAX_LISTED)
        return 1;
    char *cgroup = xasprintf("%s%s%s", listing->folder, *listing->folder ? "/" : "", name);
    char *path = xasprintf("%s/%s", listing->mount, cgroup);
    if (has_processes(listing->mount, cgroup) && strcmp(cgroup, listing->own) != 0) {
        buf_printf(listing->names, "%s%s", *listing->listed ? ", " : "", cgroup);
        ++*listing->listed;
    }
    struct listing inner = *listing;
    inner.folder = cgroup;
    inner.depth++;
    int status = inner.depth < MAX_DEPTH ? fs_each(path, list_folder, &inner, NULL) : 0;
    free(path);
    free(cgroup);
    return status > 0;
}

/* "4:cpu,cpuacct:/docker/1a2b", of version 2 "0::/system.slice/api.service" */
char *cgroup_parse_path(const char *text, size_t size, const struct cgroup_mount *mount)
{
    struct span rest = {text, text + size};
    while (rest.at < rest.end) {
        struct span line = next_line(&rest);
        size_t length = (size_t)(line.end - line.at);
        const char *first = memchr(line.at, ':', length);
        const char *second = first ? memchr(first + 1, ':', (size_t)(line.end - first - 1)) : NULL;
        if (!second || line.end - second < 2 || second[1] != '/')
            continue;
        struct span names = {first + 1, second};
        if (mount->v2 ? names.at == names.end : controllers_of(names) & mount->controllers)
            return xstrndup(second + 1, (size_t)(line.end - second - 1));
    }
    return NULL;
}

/* Without its first slash. */
static char *own_cgroup(const char *root, const struct cgroup_mount *mount)
{
    struct buf text;
    char *path = xasprintf("%s/proc/self/cgroup", root);
    fs_read(path, 1 << 16, &text, NULL);
    char *found = cgroup_parse_path(text.data, text.size, mount);
    char *own = xstrdup(found ? found + 1 : "");
    free(found);
    buf_free(&text);
    free(path);
    return own;
}

void cgroup_list(const struct cgroup_mounts *mounts, const char *root, struct buf *names)
{
    for (size_t i = 0; i < mounts->count; i++) {
        if (!cgroup_mount_has(mounts, i, CGROUP_MEMORY))
            continue;
        char *own = own_cgroup(root, &mounts->all[i]);
        int visited = 0, listed = 0;
        struct listing listing = {.folder = "",
            .mount = mounts->all[i].path,
            .own = own,
            .names = names,
            .visited = &visited,
            .listed = &listed};
        fs_each(listing.mount, list_folder, &listing, NULL);
        free(own);
        return;
    }
}

bool cgroup_parse_number(const char *text, size_t length, uint64_t *value)
{
    struct span rest = {text, text + length};
    struct span word = next_word(&rest);
    if (span_is(word, "max")) {
        *value = UINT64_MAX;
        return true;
    }
    return span_number(word, value);
}

bool cgroup_parse_key(const char *text, size_t length, const char *key, uint64_t *value)
{
    struct span rest = {text, text + length};
    size_t key_length = strlen(key);
    while (rest.at < rest.end) {
        struct span line = next_line(&rest);
        if ((size_t)(line.end - line.at) <= key_length || !is_blank(line.at[key_length]) ||
            memcmp(line.at, key, key_length) != 0)
            continue;
        line.at += key_length;
        return span_number(next_word(&line), value);
    }
    return false;
}

bool cgroup_parse_cpu_max(const char *text, size_t length, double *cores)
{
    struct span rest = {text, text + length};
    uint64_t quota_us, period_us;
    if (!span_number(next_word(&rest), &quota_us) || !span_number(next_word(&rest), &period_us) ||
        quota_us == 0 || period_us == 0)
        return false;
    *cores = (double)quota_us / (double)period_us;
    return true;
}

/* "0-3" or "8" */
static unsigned parse_range(struct span range)
{
    enum { MAX_CPU = 1 << 16 };
    const char *dash = memchr(range.at, '-', (size_t)(range.end - range.at));
    struct span low = {range.at, dash ? dash : range.end};
    struct span high = {dash ? dash + 1 : range.at, range.end};
    uint64_t first, last;
    if (!span_number(low, &first) || !span_number(high, &last) || last < first || last > MAX_CPU)
        return 0;
    return (unsigned)(last - first) + 1;
}

unsigned cgroup_parse_cpu_list(const char *text, size_t length)
{
    struct span whole = {text, text + length};
    struct span rest = next_word(&whole);
    unsigned count = 0;
    while (rest.at < rest.end && count < 1 << 16) {
        const char *comma = memchr(rest.at, ',', (size_t)(rest.end - rest.at));
        struct span range = {rest.at, comma ? comma : rest.end};
        unsigned cpus = parse_range(range);
        if (!cpus)
            return 0;
        count += cpus;
        rest.at = comma ? comma + 1 : rest.end;
    }
    return count;
}

/* "  eth0: 1234 5 0 0 0 0 0 0 987 ..."; the first number may stick to the colon. */
static bool parse_interface(struct span line, uint64_t *received, uint64_t *sent)
{
    struct span name = line;
    const char *colon = memchr(line.at, ':', (size_t)(line.end - line.at));
    if (!colon)
        return false;
    name = (struct span){line.at, colon};
    name = next_word(&name);
    if (span_is(name, "lo"))
        return false;
    line.at = colon + 1;
    if (!span_number(next_word(&line), received))
        return false;
    for (int skipped = 0; skipped < 7; skipped++)
        next_word(&line);
    return span_number(next_word(&line), sent);
}

bool cgroup_parse_net_dev(
    const char *text, size_t length, uint64_t *received_bytes, uint64_t *sent_bytes)
{
    struct span rest = {text, text + length};
    bool any = false;
    *received_bytes = *sent_bytes = 0;
    while (rest.at < rest.end) {
        uint64_t received, sent;
        if (!parse_interface(next_line(&rest), &received, &sent))
            continue;
        any = true;
        *received_bytes += received;
        *sent_bytes += sent;
    }
    return any;
}
