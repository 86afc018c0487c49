#include "config/config_parts.h"
#include "config/fields_text.h"
#include "core/alloc.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

enum { SETS_MAX = 64, ENTRIES_MAX = 32, CPU_SECONDS = 25, TRACE_SECONDS = 5, SECONDS_MAX = 3600 };
enum { PATH_MAX_LENGTH = 1024, NAME_LENGTH = 64 };

const char *config_entry_name(const struct capture_entry *entry)
{
    return entry->name ? entry->name : entry->profile;
}

/* The last part of a path before its query: where it begins, and its length. */
static const char *last_part(const char *path, size_t *length)
{
    const char *end = path + strcspn(path, "?");
    while (end > path && end[-1] == '/')
        end--;
    const char *begin = end;
    while (begin > path && begin[-1] != '/')
        begin--;
    *length = (size_t)(end - begin);
    return begin;
}

bool config_entry_is_cpu(const struct capture_entry *entry)
{
    return !strcmp(entry->profile, "cpu");
}

/* The ? or & before "seconds=" in a path's query, or NULL. */
static char *seconds_of_query(char *path)
{
    char *at = strchr(path, '?');
    while (at && strncmp(at + 1, "seconds=", 8) != 0)
        at = strchr(at + 1, '&');
    return at;
}

/* Takes "seconds=N" out of a path's query; what stands there and is no such number stays. */
static bool take_seconds(char *path, int64_t *seconds)
{
    char *at = seconds_of_query(path);
    if (!at)
        return false;
    const char *number = at + 9;
    size_t digits = strspn(number, "0123456789");
    const char *rest = number + digits;
    if (digits < 1 || digits > 4 || (*rest && *rest != '&'))
        return false;
    *seconds = strtol(number, NULL, 10);
    if (*rest)
        memmove(at + 1, rest + 1, strlen(rest)); /* the separator before it is now the next one's */
    else
        *at = '\0';
    return true;
}

static bool is_path(const char *path)
{
    bool printable = path[0] == '/' && path[1] != '/';
    for (const char *at = path; *at && printable; at++)
        printable = *at > ' ' && *at < 0x7f && !strchr("#\\\"<>", *at);
    return printable && strlen(path) <= PATH_MAX_LENGTH;
}

/* Go's CPU profile ends like this wherever net/http/pprof is mounted. Under another name it would
 * run beside `cpu` and take the app's one CPU profiler from it. */
static const char cpu_path[] = "profile";

/* What its last part says, unless the entry has a name of its own. */
static void name_by_path(
    struct config_reader *reader, struct capture_entry *entry, const struct node *path)
{
    size_t length;
    const char *last = last_part(entry->path, &length);
    if (length == strlen(cpu_path) && !strncmp(last, cpu_path, length)) {
        node_problem(reader->problems, path,
            "is Go's CPU profile, of which an app takes one at a time: write `profile: cpu` "
            "instead, which takes it from app.debug");
        return;
    }
    char *name = entry->name ? entry->name : xstrndup(last, length);
    if (!fields_is_name(name, NAME_LENGTH)) {
        node_problem(reader->problems, path,
            "its last part is no file's name (letters, digits, . _ -): give the entry a `name`");
        free(name);
        return;
    }
    entry->profile = name;
    entry->name = NULL;
}

static void complete_path(
    struct config_reader *reader, struct capture_entry *entry, const struct node *node)
{
    struct problems *problems = reader->problems;
    const struct node *path = node_get(node, "path"), *seconds = node_get(node, "seconds");
    if (node_get(node, "profile"))
        node_key_problem(problems, path, "an entry has a profile or a path, not both");
    free(entry->profile);
    entry->profile = NULL;
    if (strstr(entry->path, "://")) {
        node_problem(
            problems, path, "is a path on the host of app.debug, such as /debug/fgprof, not a URL");
        return;
    }
    if (!is_path(entry->path)) {
        node_problem(problems, path,
            "must begin with one slash and have only printable characters but # \\ \" < > (1 to "
            "%d), such as /debug/fgprof?seconds=10%s%s%s",
            PATH_MAX_LENGTH, entry->path[0] == '/' ? "" : "; did you mean \"/",
            entry->path[0] == '/' ? "" : entry->path, entry->path[0] == '/' ? "" : "\"?");
        return;
    }
    int64_t in_query = 0;
    if (take_seconds(entry->path, &in_query)) {
        if (seconds && in_query != entry->seconds)
            node_problem(problems, seconds, "the path says seconds=%lld", (long long)in_query);
        else if (in_query < 1 || in_query > SECONDS_MAX)
            node_problem(problems, path, "its seconds may be 1 to %d", SECONDS_MAX);
        entry->seconds = in_query;
    }
    if (entry->seconds && seconds_of_query(entry->path))
        node_problem(problems, path, "has seconds in its query already");
    name_by_path(reader, entry, path);
}

/* What depends on the profile: how long is recorded, and gc. */
static void complete_profile(
    struct config_reader *reader, struct capture_entry *entry, const struct node *node)
{
    if (!entry->seconds && config_entry_is_cpu(entry))
        entry->seconds = CPU_SECONDS;
    if (!entry->seconds && !strcmp(entry->profile, "trace"))
        entry->seconds = TRACE_SECONDS;
    if (!strcmp(entry->profile, "profile"))
        node_problem(reader->problems, node, "the CPU profile is called cpu here");
    if (entry->name && config_entry_is_cpu(entry))
        node_problem(reader->problems, node, "the CPU profile is always called cpu");
}

static void complete_entry(
    struct config_reader *reader, struct capture_entry *entry, const struct node *node)
{
    struct problems *problems = reader->problems;
    bool mapping = node->type == NODE_MAPPING;
    const struct node *gc = mapping ? node_get(node, "gc") : NULL;
    const struct node *at = mapping ? node_get(node, "at") : NULL;
    if (entry->path)
        complete_path(reader, entry, node);
    else if (entry->profile)
        complete_profile(reader, entry, node);
    if (!entry->profile)
        return;
    bool heap = !entry->path && !strcmp(entry->profile, "heap");
    if (!gc)
        entry->gc = heap;
    else if (!heap)
        node_key_problem(problems, gc, "is only for the profile heap");
    if (!mapping || !node_get(node, "optional"))
        entry->optional = !entry->path && !strcmp(entry->profile, "goroutineleak");
    if (config_entry_is_cpu(entry) && entry->at == CAPTURE_AT_END)
        node_problem(problems, at,
            "a CPU profile at a spike's end would show the calm after it: it is taken at the "
            "start");
    const char *name = config_entry_name(entry);
    bool reserved = !strcmp(name, "cpu") || !strncmp(name, "cpu.", 4);
    if (reserved && (entry->path || strcmp(name, "cpu") != 0))
        node_problem(
            problems, node, "\"%s\" is what the CPU profile and its parts are called", name);
}

static void read_entry(
    struct config_reader *reader, struct capture_set *set, const struct node *node)
{
    static const struct field short_form = {.type = FIELD_NAME};
    struct problems *problems = reader->problems;
    struct capture_entry *entry = &set->entries[set->count++];
    struct error err;
    if (node->wrong)
        return;
    if (node->type == NODE_SCALAR) {
        if (fields_read_text(&short_form, &entry->profile, node->text, &err) < 0)
            node_problem(problems, node, "%s", err.text);
    } else {
        struct binding binding = {config_capture_fields, entry};
        fields_bind(&binding, 1, node, problems);
        if (node->type == NODE_MAPPING && !node_get(node, "profile") && !node_get(node, "path"))
            node_missing(problems, node, "profile",
                "is missing (a Go profile's name: cpu, heap, goroutine, allocs, mutex, block, "
                "trace, ...; or path: /debug/fgprof, of any other)");
    }
    complete_entry(reader, entry, node);
}

/* One before it that is called the same, or NULL. */
static const struct capture_entry *same_name(const struct capture_set *set, size_t index)
{
    const struct capture_entry *entry = &set->entries[index];
    for (size_t i = 0; entry->profile && i < index; i++)
        if (set->entries[i].profile &&
            !strcmp(config_entry_name(&set->entries[i]), config_entry_name(entry)))
            return &set->entries[i];
    return NULL;
}

/* A profile that is taken at the start and at the end has two names. What is the same otherwise
 * cannot be told apart. */
static void tell_apart(
    struct config_reader *reader, struct capture_set *set, const struct node *node)
{
    for (size_t i = 0; i < set->count; i++) {
        struct capture_entry *entry = &set->entries[i];
        bool at_start = false;
        for (size_t j = 0; entry->profile && j < set->count; j++)
            at_start = at_start ||
                       (set->entries[j].profile && set->entries[j].at != entry->at &&
                           !strcmp(config_entry_name(&set->entries[j]), config_entry_name(entry)));
        if (entry->at == CAPTURE_AT_END && at_start) {
            char *name = xasprintf("%s-end", config_entry_name(entry));
            free(entry->name);
            entry->name = name;
        }
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct capture_entry *entry = &set->entries[i], *other = same_name(set, i);
        if (other)
            node_problem(reader->problems, node->children[i], "%s is in this set twice%s",
                config_entry_name(entry),
                entry->path || other->path ? "; give one of them a `name`" : "");
    }
}

/* The set of that name, emptied when it is there (one of the file replaces a default one). */
static struct capture_set *set_of_name(struct config *config, const char *name)
{
    for (size_t i = 0; i < config->capture_count; i++) {
        struct capture_set *set = &config->captures[i];
        if (strcmp(set->name, name) != 0)
            continue;
        for (size_t j = 0; j < set->count; j++)
            fields_free(config_capture_fields, &set->entries[j]);
        set->count = 0;
        return set;
    }
    config->captures = xrealloc(
        config->captures, config->capture_count + 1, sizeof *config->captures);
    struct capture_set *set = &config->captures[config->capture_count++];
    *set = (struct capture_set){.name = xstrdup(name)};
    return set;
}

static void read_set(struct config_reader *reader, const struct node *node)
{
    struct capture_set *set = set_of_name(reader->config, node->key);
    set->line = node->key_line;
    set->column = node->key_column;
    if (!fields_is_name(node->key, 64))
        node_key_problem(reader->problems, node,
            "a set's name is letters, digits, . _ - (1 to 64), no dot first");
    if (node->wrong)
        return;
    if (node->type != NODE_SEQUENCE || node->count == 0 || node->count > ENTRIES_MAX) {
        node_problem(reader->problems, node,
            "must be a list of 1 to %d profiles, such as [cpu, heap, goroutine]", ENTRIES_MAX);
        return;
    }
    free(set->entries);
    set->entries = xcalloc(node->count, sizeof *set->entries);
    for (size_t i = 0; i < node->count; i++)
        read_entry(reader, set, node->children[i]);
    tell_apart(reader, set, node);
}

static void read_sets(struct config_reader *reader, const struct node *sets)
{
    if (sets->count > SETS_MAX)
        node_problem(
            reader->problems, sets, "holds %zu sets; %d are allowed", sets->count, SETS_MAX);
    else
        for (size_t i = 0; i < sets->count; i++)
            read_set(reader, sets->children[i]);
}

void config_read_captures(struct config_reader *reader, const struct node *root)
{
    const struct node *captures = node_get(root, "captures");
    struct node *defaults = document_parse(
        config_default_captures, strlen(config_default_captures), reader->problems);
    if (defaults)
        read_sets(reader, defaults);
    document_free(defaults);
    for (size_t i = 0; i < reader->config->capture_count; i++)
        reader->config->captures[i].line = reader->config->captures[i].column = 0;
    if (captures && config_is_mapping(reader, captures, "a mapping of names to lists"))
        read_sets(reader, captures);
}

/* off, or a mapping; without the key the defaults of the mapping hold. */
void config_read_baseline(struct config_reader *reader, const struct node *root)
{
    const struct node *node = node_get(root, "baseline"), none = {.type = NODE_MAPPING};
    if (node && node->wrong)
        return;
    bool scalar = node && node->type == NODE_SCALAR && !node_not_given(node);
    if (scalar && !node_is_null(node) && fields_is_off(node->text))
        return;
    struct binding binding = {config_baseline_fields, &reader->config->baseline};
    if (scalar || (node && node->type == NODE_SEQUENCE))
        node_key_problem(reader->problems, node, "must be off or a mapping, such as {every: 6h}");
    else
        fields_bind(&binding, 1, node && !scalar && node->type == NODE_MAPPING ? node : &none,
            reader->problems);
}
