#include "agent/notices/notice_heirs.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/offload.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char record_name[] = "notifiers.json";
enum { RECORD_MAX = 256 * 1024, FOLDER_LENGTH = 16 };

static bool is_same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static int likeness(const struct notice_party *a, const struct notice_party *b)
{
    return is_same(a->folder, b->folder) ? 3
           : is_same(a->label, b->label) ? 2
           : is_same(a->kind, b->kind)   ? 1
                                         : 0;
}

void notice_heirs_choose(const struct notice_party *left, size_t left_count,
    const struct notice_party *parties, size_t count, size_t *heirs)
{
    size_t *heritages = xcalloc(count + 1, sizeof *heritages);
    for (size_t i = 0; i < left_count; i++) {
        heirs[i] = count;
        int best = -1;
        for (size_t j = 0; j < count; j++) {
            int like = likeness(&left[i], &parties[j]);
            bool better = like > best || (like == best && heritages[j] < heritages[heirs[i]]);
            if (!parties[j].came || !better)
                continue;
            best = like;
            heirs[i] = j;
        }
        heritages[heirs[i]]++;
    }
    free(heritages);
}

struct move {
    char *from, *to;
    struct error err;
};

static int move_file(void *arg, const char *name)
{
    struct move *move = arg;
    if (name[0] == '.')
        return 0;
    char *from = xasprintf("%s/%s", move->from, name), *to = xasprintf("%s/%s", move->to, name);
    int status = rename(from, to);
    if (status < 0)
        error_set(&move->err, "cannot move %s to %s: %s", from, to, strerror(errno));
    free(from);
    free(to);
    return status;
}

/* A folder that nobody has yet is moved as a whole. */
static int move_all(struct move *move)
{
    if (rename(move->from, move->to) == 0)
        return fs_sync_parent(move->to, &move->err);
    if (errno == ENOENT) /* nothing was ever written for it */
        return 0;
    if (fs_each(move->from, move_file, move, &move->err) != 0 ||
        fs_sync_folder(move->to, &move->err) < 0)
        return -1;
    return fs_remove(move->from, &move->err);
}

static void work_move(void *arg)
{
    move_all(arg);
}

static void moved(void *arg)
{
    struct move *move = arg;
    if (move->err.text[0])
        log_warn(
            "what waited to be told stays where it was until the next start: %s", move->err.text);
    free(move->from);
    free(move->to);
    free(move);
}

void notice_heirs_move(struct offload *disk, const char *from, const char *to)
{
    struct move *move = xcalloc(1, sizeof *move);
    move->from = xstrdup(from);
    move->to = xstrdup(to);
    offload_submit(disk, work_move, moved, move);
}

struct note {
    char *notices, *path, *text;
    struct error err;
};

static void work_note(void *arg)
{
    struct note *note = arg;
    if (fs_make_folders(note->notices, &note->err) == 0)
        fs_write(note->path, note->text, strlen(note->text), &note->err);
}

static void noted(void *arg)
{
    struct note *note = arg;
    if (note->err.text[0])
        log_warn("which webhook or topic has which messages waiting is not noted, should it be "
                 "replaced before the next start: %s",
            note->err.text);
    free(note->notices);
    free(note->path);
    free(note->text);
    free(note);
}

static const char *name_of(const char *folder)
{
    return strrchr(folder, '/') + 1;
}

void notice_heirs_note(
    struct offload *disk, const char *notices, const struct notice_party *parties, size_t count)
{
    if (!count && !fs_exists(notices))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o}", "folder", name_of(parties[i].folder), "kind",
                      parties[i].kind, "name", json_text(parties[i].label)));
    json_t *root = json_pack("{s:i, s:o}", "schema", 1, "notifiers", list);
    struct note *note = xcalloc(1, sizeof *note);
    note->notices = xstrdup(notices);
    note->path = xasprintf("%s/%s", notices, record_name);
    char *text = json_dumps(root, JSON_COMPACT);
    note->text = xstrdup(text ? text : "");
    free(text);
    json_decref(root);
    offload_submit(disk, work_note, noted, note);
}

/* Folders that are nobody's. */
struct orphans {
    const char *notices;
    const struct notice_party *parties;
    size_t party_count;
    json_t *record; /* NULL: there is none */
    struct orphan *all;
    size_t count;
};

struct orphan {
    char *folder;
    size_t place; /* in the record */
    const char *kind, *label;
    size_t files;
};

static bool is_of_party(const struct orphans *orphans, const char *name)
{
    for (size_t i = 0; i < orphans->party_count; i++)
        if (!strcmp(name_of(orphans->parties[i].folder), name))
            return true;
    return false;
}

static int count_file(void *arg, const char *name)
{
    size_t *count = arg;
    *count += name[0] != '.';
    return 0;
}

static int find_orphan(void *arg, const char *name)
{
    struct orphans *orphans = arg;
    if (strlen(name) != FOLDER_LENGTH || strspn(name, "0123456789abcdef") != FOLDER_LENGTH ||
        is_of_party(orphans, name))
        return 0;
    struct orphan orphan = {
        .folder = xasprintf("%s/%s", orphans->notices, name), .place = SIZE_MAX};
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(orphans->record, "notifiers"), i, entry)
    {
        if (!is_same(json_string_value(json_object_get(entry, "folder")), name))
            continue;
        orphan.place = i;
        orphan.kind = json_string_value(json_object_get(entry, "kind"));
        orphan.label = json_string_value(json_object_get(entry, "name"));
    }
    fs_each(orphan.folder, count_file, &orphan.files, NULL);
    orphans->all = xrealloc(orphans->all, orphans->count + 1, sizeof *orphans->all);
    orphans->all[orphans->count++] = orphan;
    return 0;
}

static int by_place(const void *left, const void *right)
{
    const struct orphan *a = left, *b = right;
    int order = (a->place > b->place) - (a->place < b->place);
    return order ? order : strcmp(a->folder, b->folder);
}

static json_t *read_record(const char *notices)
{
    struct buf text;
    json_t *record = NULL;
    char *path = xasprintf("%s/%s", notices, record_name);
    if (fs_read(path, RECORD_MAX, &text, NULL) == 0)
        record = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    buf_free(&text);
    free(path);
    return record;
}

static void remove_orphan(const struct orphan *orphan)
{
    if (orphan->files)
        log_warn("nobody is told of %zu incident%s that waited for %s, which is not in the "
                 "configuration any more",
            orphan->files, orphan->files == 1 ? "" : "s",
            orphan->label ? orphan->label : "a webhook or topic");
    fs_remove(orphan->folder, NULL);
}

/* An orphan before it that has the same heir takes it in: the heir's folder is made last, so the
 * heir is one that came until all is moved. */
static void inherit(const struct orphans *orphans, const size_t *heirs, size_t index)
{
    const struct orphan *orphan = &orphans->all[index];
    const struct notice_party *heir = &orphans->parties[heirs[index]];
    struct move move = {.from = orphan->folder, .to = (char *)heir->folder};
    for (size_t i = 0; i < index; i++)
        if (heirs[i] == heirs[index])
            move.to = orphans->all[i].folder;
    if (move_all(&move) < 0)
        log_error("what waited for %s is not told: %s",
            orphan->label ? orphan->label : "a webhook or topic", move.err.text);
    else if (orphan->files)
        log_info("%zu incident%s that waited for %s: now for %s", orphan->files,
            orphan->files == 1 ? "" : "s", orphan->label ? orphan->label : "a webhook or topic",
            heir->label);
}

static void settle_all(const struct orphans *orphans)
{
    size_t *heirs = xcalloc(orphans->count, sizeof *heirs);
    struct notice_party *left = xcalloc(orphans->count, sizeof *left);
    for (size_t i = 0; i < orphans->count; i++)
        left[i] = (struct notice_party){
            .kind = orphans->all[i].kind, .label = orphans->all[i].label};
    notice_heirs_choose(left, orphans->count, orphans->parties, orphans->party_count, heirs);
    for (size_t i = orphans->count; i-- > 0;)
        if (heirs[i] == orphans->party_count)
            remove_orphan(&orphans->all[i]);
        else
            inherit(orphans, heirs, i);
    free(left);
    free(heirs);
}

void notice_heirs_settle(const char *notices, const struct notice_party *parties, size_t count)
{
    struct orphans orphans = {.notices = notices, .parties = parties, .party_count = count};
    if (!fs_exists(notices))
        return;
    orphans.record = read_record(notices);
    fs_each(notices, find_orphan, &orphans, NULL);
    if (orphans.count) {
        qsort(orphans.all, orphans.count, sizeof *orphans.all, by_place);
        settle_all(&orphans);
    }
    for (size_t i = 0; i < orphans.count; i++)
        free(orphans.all[i].folder);
    free(orphans.all);
    json_decref(orphans.record);
}
