#include "sources/process/process_stat.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fs.h"
#include "sources/cgroup/cgroup_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The next word of a text that need not end in NUL; NULL at its end. */
static const char *next_word(const char **at, const char *end, size_t *length)
{
    while (*at < end && (**at == ' ' || **at == '\t' || **at == '\n'))
        ++*at;
    const char *word = *at;
    while (*at < end && **at != ' ' && **at != '\t' && **at != '\n')
        ++*at;
    *length = (size_t)(*at - word);
    return *length ? word : NULL;
}

static bool next_number(const char **at, const char *end, uint64_t *value)
{
    size_t length;
    const char *word = next_word(at, end, &length);
    return word && cgroup_parse_number(word, length, value) && *value != UINT64_MAX;
}

static bool skip_words(const char **at, const char *end, int count)
{
    size_t length;
    for (; count > 0; count--)
        if (!next_word(at, end, &length))
            return false;
    return true;
}

/* "42 (a name) S 1 ..."; the name may hold anything, blanks and brackets, too. */
bool process_stat_parse(struct process_stat *stat, const char *text, size_t length)
{
    *stat = (struct process_stat){0};
    const char *open = memchr(text, '(', length), *close = memrchr(text, ')', length);
    if (!open || !close || close < open)
        return false;
    size_t name = (size_t)(close - open - 1);
    memcpy(stat->name, open + 1, name < PROCESS_NAME_SIZE ? name : PROCESS_NAME_SIZE - 1);
    const char *at = close + 1, *end = text + length;
    size_t size;
    const char *state = next_word(&at, end, &size);
    uint64_t parent, user, system, reaped_user, reaped_system;
    if (!state || size != 1 || !next_number(&at, end, &parent) || !skip_words(&at, end, 9) ||
        !next_number(&at, end, &user) || !next_number(&at, end, &system) ||
        !next_number(&at, end, &reaped_user) || !next_number(&at, end, &reaped_system) ||
        !skip_words(&at, end, 2) || !next_number(&at, end, &stat->threads) ||
        !skip_words(&at, end, 1) || !next_number(&at, end, &stat->started_ticks))
        return false;
    stat->state = *state;
    stat->parent = parent;
    stat->own_ticks = user + system;
    stat->reaped_ticks = reaped_user + reaped_system;
    return true;
}

/* A process whose first thread has ended is a zombie to look at while others go on. */
bool process_stat_ended(const struct process_stat *stat)
{
    return stat->state == 'X' || (stat->state == 'Z' && stat->threads <= 1);
}

bool process_memory_parse(
    const char *text, size_t length, uint64_t *anonymous_pages, uint64_t *file_pages)
{
    const char *at = text, *end = text + length;
    uint64_t size, resident, file;
    if (!next_number(&at, end, &size) || !next_number(&at, end, &resident) ||
        !next_number(&at, end, &file))
        return false;
    /* The kernel counts the two one after the other. */
    *anonymous_pages = resident > file ? resident - file : 0;
    *file_pages = file;
    return true;
}

bool process_newest_parse(const char *text, size_t length, unsigned long *pid)
{
    const char *at = text, *end = text + length;
    uint64_t newest;
    if (!skip_words(&at, end, 4) || !next_number(&at, end, &newest))
        return false;
    *pid = newest;
    return true;
}

unsigned long process_pid_parse(const char *text)
{
    uint64_t pid;
    size_t length = strlen(text);
    if (length > 10 || strspn(text, "0123456789") != length ||
        !cgroup_parse_number(text, length, &pid))
        return 0;
    return pid;
}

size_t process_read(
    const char *root, unsigned long pid, const char *name, char text[PROCESS_TEXT_MAX])
{
    char *path = xasprintf("%s/proc/%lu/%s", root, pid, name);
    size_t size = fs_read_text(path, text, PROCESS_TEXT_MAX);
    free(path);
    return size;
}

bool process_stat_read(struct process_stat *stat, const char *root, unsigned long pid)
{
    char text[PROCESS_TEXT_MAX];
    size_t size = process_read(root, pid, "stat", text);
    return process_stat_parse(stat, text, size);
}

int64_t process_started_wall_ms(uint64_t started_ticks)
{
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    int64_t up_ms = (int64_t)boot.tv_sec * 1000 + boot.tv_nsec / 1000000;
    return clock_wall_ms() - up_ms +
           (int64_t)(started_ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

unsigned long process_own_pid(const char *root)
{
    char target[16], *path = xasprintf("%s/proc/self", root);
    ssize_t size = readlink(path, target, sizeof target - 1);
    free(path);
    target[size > 0 ? size : 0] = '\0';
    return process_pid_parse(target);
}
