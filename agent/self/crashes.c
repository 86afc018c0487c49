#include "agent/self/crashes.h"

#include "agent/self/crash_report.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/crash.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/json_text.h"
#include "core/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char file_start[] = "crash-", file_end[] = ".txt";

enum { KEPT = 5, TEXT_BYTES = 4096 };

struct crashes {
    char *state;
    uint64_t count;
    char *last_file; /* NULL: there was none */
    bool last_readable;
    struct crash_report last;
};

/* A crash's file in the state folder. */
struct crash_file {
    char *name;
    uint64_t number; /* 0: nobody was told of it */
};

struct crash_files {
    struct crash_file *all;
    size_t count;
};

/* crash-2026-11-23T15:04:01.000Z.txt, or with -N behind the Z. False for other names. */
static bool read_name(const char *name, uint64_t *number)
{
    size_t start = strlen(file_start), length = strlen(name),
           time = strlen("2026-11-23T15:04:01.000Z");
    int64_t time_ms;
    if (length < start + time || strncmp(name, file_start, start) != 0 ||
        rfc3339_parse(name + start, time, &time_ms) < 0)
        return false;
    const char *rest = name + start + time;
    *number = 0;
    if (*rest == '-' && rest[1] >= '1' && rest[1] <= '9') {
        char *end;
        *number = strtoull(rest + 1, &end, 10);
        rest = end;
    }
    return !strcmp(rest, file_end);
}

static int take_name(void *arg, const char *name)
{
    struct crash_files *files = arg;
    uint64_t number;
    if (!read_name(name, &number))
        return 0;
    files->all = xrealloc(files->all, files->count + 1, sizeof *files->all);
    files->all[files->count++] = (struct crash_file){xstrdup(name), number};
    return 0;
}

/* Those that were told by their numbers, then the others by their times. */
static int compare(const void *a, const void *b)
{
    const struct crash_file *one = a, *other = b;
    if (one->number != other->number && one->number && other->number)
        return one->number < other->number ? -1 : 1;
    if (!one->number != !other->number)
        return one->number ? -1 : 1;
    return strcmp(one->name, other->name);
}

static char *path_of(const struct crashes *crashes, const char *name)
{
    return xasprintf("%s/%s", crashes->state, name);
}

/* Gives it its number. False with err: it keeps its name. */
static bool mark_told(struct crashes *crashes, struct crash_file *file, struct error *err)
{
    size_t stem = strlen(file->name) - strlen(file_end);
    char *name = xasprintf(
        "%.*s-%llu%s", (int)stem, file->name, (unsigned long long)crashes->count + 1, file_end);
    char *from = path_of(crashes, file->name), *to = path_of(crashes, name);
    bool marked = rename(from, to) == 0;
    if (marked) {
        file->number = ++crashes->count;
        free(file->name);
        file->name = xstrdup(name);
        fs_sync_folder(crashes->state, NULL);
    } else {
        error_set(err, "%s", strerror(errno));
    }
    free(from);
    free(to);
    free(name);
    return marked;
}

/* The last one is what is read last. */
static void read_last(struct crashes *crashes, const struct crash_file *file)
{
    struct buf text;
    struct error err;
    free(crashes->last_file);
    crashes->last_file = path_of(crashes, file->name);
    crashes->last_readable = fs_read(crashes->last_file, CRASH_REPORT_BYTES, &text, &err) == 0 &&
                             crash_report_parse(text.data, text.size, &crashes->last, &err) == 0;
    if (!crashes->last_readable)
        crashes->last = (struct crash_report){0};
    buf_free(&text);
}

static void put_frames(const struct crash_report *report, struct buf *out)
{
    for (size_t i = 0; i < report->frame_count; i++)
        buf_printf(out, "%s%s", i ? " < " : "", report->frames[i]);
}

static void tell(const struct crashes *crashes, const char *not_marked)
{
    struct buf what, frames;
    char time[RFC3339_SIZE];
    buf_init(&what, TEXT_BYTES);
    buf_init(&frames, TEXT_BYTES);
    crash_report_describe(&crashes->last, &what);
    put_frames(&crashes->last, &frames);
    if (!crashes->last_readable)
        log_warn("an earlier run crashed, but its report %s cannot be read", crashes->last_file);
    else
        log_warn(
            "an earlier run crashed at %s: %s; `scripts/crash-lines BINARY %s` tells the lines "
            "of %s%s",
            rfc3339_format(crashes->last.time_ms, time), what.data, crashes->last_file,
            frames.size ? frames.data : "its report", crashes->last.complete ? "" : " (cut short)");
    if (not_marked)
        log_warn("%s cannot be renamed, and will be reported again at the next start: %s",
            crashes->last_file, not_marked);
    buf_free(&what);
    buf_free(&frames);
}

static void tell_new(struct crashes *crashes, struct crash_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct crash_file *file = &files->all[i];
        struct error err;
        if (file->number) {
            crashes->count = file->number;
            if (i + 1 == files->count)
                read_last(crashes, file);
            continue;
        }
        bool marked = mark_told(crashes, file, &err);
        read_last(crashes, file);
        tell(crashes, marked ? NULL : err.text);
    }
}

/* All but the newest. */
static void prune(const struct crashes *crashes, const struct crash_files *files)
{
    for (size_t i = 0; i + KEPT < files->count; i++) {
        char *path = path_of(crashes, files->all[i].name);
        fs_remove(path, NULL);
        free(path);
    }
}

struct crashes *crashes_open(const char *state)
{
    struct crashes *crashes = xcalloc(1, sizeof *crashes);
    struct crash_files files = {0};
    crashes->state = xstrdup(state);
    fs_each(state, take_name, &files, NULL); /* a folder that is not there yet has none */
    if (files.count)
        qsort(files.all, files.count, sizeof *files.all, compare);
    tell_new(crashes, &files);
    prune(crashes, &files);
    for (size_t i = 0; i < files.count; i++)
        free(files.all[i].name);
    free(files.all);
    crash_keep_in(state);
    return crashes;
}

void crashes_close(struct crashes *crashes)
{
    if (!crashes)
        return;
    free(crashes->state);
    free(crashes->last_file);
    free(crashes);
}

uint64_t crashes_count(const struct crashes *crashes)
{
    return crashes->count;
}

int64_t crashes_last_ms(const struct crashes *crashes)
{
    return crashes->last.time_ms;
}

static json_t *last_json(const struct crashes *crashes)
{
    const struct crash_report *last = &crashes->last;
    char time[RFC3339_SIZE];
    struct buf text;
    buf_init(&text, TEXT_BYTES);
    if (crashes->last_readable)
        crash_report_describe(last, &text);
    json_t *frames = json_array();
    for (size_t i = 0; i < last->frame_count; i++)
        json_array_append_new(frames, json_text(last->frames[i]));
    json_t *json = json_pack("{s:o, s:o, s:o}", "file", json_text(crashes->last_file), "text",
        json_text(text.size ? text.data : "its report cannot be read"), "frames", frames);
    if (last->time_ms)
        json_object_set_new(json, "time", json_string(rfc3339_format(last->time_ms, time)));
    buf_free(&text);
    return json;
}

json_t *crashes_json(const struct crashes *crashes)
{
    json_t *json = json_pack("{s:I}", "count", (json_int_t)crashes->count);
    if (crashes->last_file)
        json_object_set_new(json, "last", last_json(crashes));
    return json;
}
