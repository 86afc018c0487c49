#include "commands/report_repair.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/sha256.h"
#include "review/profile/profile.h"
#include "review/profile/profile_repair.h"
#include "review/store/store_backend.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char readable[] = ".readable";
static const char pprof[] = ".pb.gz";

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && !strcmp(text + length - tail, end);
}

static bool is_listed(const json_t *profiles, const char *name)
{
    for (size_t i = 0; i < json_array_size(profiles); i++)
        if (!strcmp(text_of(json_array_get(profiles, i), "name"), name))
            return true;
    return false;
}

/* Whether nobody could read it; then what can be read of it is in out. */
static bool repair(
    void *opened, const char *file, size_t max_bytes, struct buf *out, struct profile_repair *has)
{
    struct buf bytes;
    struct error err;
    buf_init(&bytes, max_bytes);
    bool read = store_folder.read(opened, file, max_bytes, &bytes, &err) == 0;
    struct profile *whole = read ? profile_decode(bytes.data, bytes.size, max_bytes, &err) : NULL;
    bool repaired = read && !whole &&
                    profile_repair(bytes.data, bytes.size, max_bytes, out, has, &err) == 0;
    profile_free(whole);
    buf_free(&bytes);
    return repaired;
}

/* The entry of the copy: times and length are the original's. */
static json_t *entry_of(const json_t *cut, const char *name, const char *file,
    const struct buf *content, const struct profile_repair *has)
{
    char sha256[SHA256_HEX_SIZE];
    json_t *entry = json_deep_copy(cut);
    char *why = xasprintf("what is whole of %s, which ends in the middle: %llu sample%s%s",
        text_of(cut, "file"), (unsigned long long)has->samples, has->samples == 1 ? "" : "s",
        has->names_lost ? "; names that are lost are called \"lost\" and a number" : "");
    sha256_hash(content->data, content->size, sha256);
    json_object_set_new(entry, "name", json_string(name));
    json_object_set_new(entry, "file", json_string(file));
    json_object_set_new(entry, "bytes", json_integer((json_int_t)content->size));
    json_object_set_new(entry, "sha256", json_string(sha256));
    json_object_set_new(entry, "error", json_string(why));
    free(why);
    return entry;
}

/* The copy is there before it is listed. */
static bool repair_one(
    const char *folder, void *opened, json_t *profiles, const json_t *cut, size_t max_bytes)
{
    struct profile_repair has;
    struct buf out;
    char *name = xasprintf("%s%s", text_of(cut, "name"), readable);
    char *file = xasprintf("%s%s", name, pprof);
    char *path = xasprintf("%s/%s", folder, file);
    buf_init(&out, 2 * max_bytes);
    bool repaired = !is_listed(profiles, name) && incident_name_valid(file) &&
                    repair(opened, text_of(cut, "file"), max_bytes, &out, &has) &&
                    fs_write(path, out.data, out.size, NULL) == 0;
    if (repaired)
        json_array_append_new(profiles, entry_of(cut, name, file, &out, &has));
    buf_free(&out);
    free(path);
    free(file);
    free(name);
    return repaired;
}

void report_repair(const char *folder, void *opened, struct buf *text, size_t max_bytes)
{
    json_t *incident = json_loadb(text->data, text->size, JSON_REJECT_DUPLICATES, NULL);
    json_t *profiles = json_object_get(incident, "profiles");
    size_t count = json_array_size(profiles);
    bool any = false;
    for (size_t i = 0; i < count && json_array_size(profiles) < INCIDENT_PROFILES_MAX; i++) {
        const json_t *cut = json_array_get(profiles, i);
        if (!strcmp(text_of(cut, "status"), "truncated") &&
            ends_with(text_of(cut, "file"), pprof) && !ends_with(text_of(cut, "name"), readable) &&
            incident_name_valid(text_of(cut, "file")))
            any = repair_one(folder, opened, profiles, cut, max_bytes) || any;
    }
    char *changed = any ? json_dumps(incident, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    char *path = xasprintf("%s/incident.json", folder);
    if (changed && fs_write(path, changed, strlen(changed), NULL) == 0) {
        buf_clear(text);
        buf_puts(text, changed);
    }
    free(path);
    free(changed);
    json_decref(incident);
}
