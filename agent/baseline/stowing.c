#include "agent/baseline/stowing.h"

#include "agent/baseline/parcel.h"
#include "agent/capture/profile_check.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/incident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one may take on the disk. */
static const uint64_t max_bytes = 64 << 20;

/* A store's clock and ours may differ a little. */
static const int64_t ahead_ms = 60 * 60 * 1000;

static const char manifest[] = "incident.json";

int stowing_check(const struct config *config, const struct incident *incident, struct error *err)
{
    bool known = false;
    for (size_t i = 0; i < config->app_count; i++)
        known = known || (incident->app && !strcmp(incident->app, config->apps[i].name));
    if (strcmp(incident->kind, "baseline") != 0)
        return error_set(err, "it is not a baseline");
    if (strcmp(incident->service, config->service) != 0)
        return error_set(err, "it is of another service");
    if (!known)
        return error_set(err, "it is of an app that is not in the configuration");
    if (incident->fired_ms > clock_wall_ms() + ahead_ms)
        return error_set(err, "it is of a time that has not come yet");
    return 0;
}

/* What was cut or never came is nothing to compare with; why it failed is worth knowing. */
static void lose(struct incident_profile *profile, const char *why)
{
    profile->status = PROFILE_FAILED;
    free(profile->file);
    profile->file = NULL;
    if (!profile->error)
        profile->error = xstrdup(why);
}

/* Whether the file that was put there is what the incident says, byte for byte. */
static bool is_as_told(const char *path, const struct incident_profile *profile)
{
    struct profile_facts facts;
    enum profile_form form;
    free(profile_file_split(profile->file, &form));
    return profile_check_file(path, form, &facts, NULL) == 0 && facts.form == form &&
           facts.soundness == PROFILE_WHOLE && facts.bytes == profile->bytes &&
           !strcmp(facts.sha256, profile->sha256);
}

static int write_packed_file(const struct parcel *parcel, const struct incident_profile *profile,
    const char *to, struct error *err)
{
    for (size_t i = 0; i < parcel->count; i++)
        if (!strcmp(parcel->files[i].name, profile->file))
            return fs_write(to, parcel->files[i].data, parcel->files[i].size, err);
    return error_set(err, "it lacks %s", profile->file);
}

/* Brings one profile's file into the folder. What is in a packed one is checked: it may come from
 * anybody who can write into the bucket. */
static int bring(const struct stowing *stowing, const struct parcel *parcel, const char *folder,
    struct incident_profile *profile, struct error *err)
{
    enum profile_form form;
    char *name = profile_file_split(profile->file, &form);
    char *to = xasprintf("%s/%s", folder, profile->file);
    int status;
    if (!name || strcmp(name, profile->name) != 0) {
        status = error_set(err, "its file is not named as a profile's is");
    } else if (parcel) {
        status = write_packed_file(parcel, profile, to, err);
        if (status == 0 && !is_as_told(to, profile)) {
            fs_remove(to, NULL);
            status = error_set(err, "it is not what incident.json says");
        }
    } else {
        char *from = xasprintf("%s/%s", stowing->from, profile->file);
        status = fs_copy(from, to, err);
        free(from);
    }
    free(name);
    free(to);
    return status;
}

/* How many profiles there are in the end. */
static size_t bring_all(struct stowing *stowing, const struct parcel *parcel, const char *folder)
{
    size_t kept = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < stowing->incident->profile_count; i++) {
        struct incident_profile *profile = &stowing->incident->profiles[i];
        struct error err;
        if (profile->status != PROFILE_OK || !profile->file)
            lose(profile, "it was not whole");
        else if (profile->bytes > max_bytes - bytes)
            lose(profile, "it is too large to be kept for comparison");
        else if (bring(stowing, parcel, folder, profile, &err) < 0)
            lose(profile, err.text);
        else {
            bytes += profile->bytes;
            kept++;
        }
    }
    return kept;
}

/* The draft in the place of the final one, which takes the draft's. Where a file system cannot do
 * that in one step, there is none for the moment between two. */
static int take_place(const char *draft, const char *final, struct error *err)
{
    if (renameat2(AT_FDCWD, draft, AT_FDCWD, final, RENAME_EXCHANGE) == 0)
        return 0;
    char *aside = xasprintf("%s.old", draft);
    int status = fs_remove(aside, err);
    bool is_aside = status == 0 && rename(final, aside) == 0;
    if (status == 0 && rename(draft, final) < 0)
        status = error_set(err, "cannot rename %s: %s", draft, strerror(errno));
    if (status < 0 && is_aside && rename(aside, final) == 0)
        is_aside = false;
    if (is_aside)
        fs_remove(aside, NULL);
    free(aside);
    return status;
}

/* In a folder of its own first: one rename puts it on the shelf. */
static int put(struct stowing *stowing, const struct parcel *parcel)
{
    const char *id = stowing->incident->id;
    char *draft = xasprintf("%s/.%s", stowing->shelf, id);
    char *final = xasprintf("%s/%s", stowing->shelf, id);
    struct error *err = &stowing->err;
    int status = fs_remove(draft, err);
    if (status == 0)
        status = fs_make_folders(draft, err);
    if (status == 0 && bring_all(stowing, parcel, draft) == 0)
        status = -1; /* without an error: there is nothing to keep */
    if (status == 0)
        status = incident_save_in(stowing->incident, draft, err);
    if (status == 0)
        status = take_place(draft, final, err);
    if (status == 0)
        status = fs_sync_folder(stowing->shelf, err);
    fs_remove(draft, NULL); /* what failed, or what was there before */
    free(draft);
    free(final);
    return status;
}

/* One file more; what does not fit is left out, and whoever unpacks it finds that out. */
static void pack_file(
    struct buf *out, const char *folder, const char *id, const char *name, int64_t time_s)
{
    struct buf content;
    char *path = xasprintf("%s/%s", folder, name);
    if (fs_read(path, PARCEL_MAX_BYTES, &content, NULL) == 0)
        parcel_add(out, id, name, content.data, content.size, time_s);
    buf_free(&content);
    free(path);
}

static int pack(const struct stowing *stowing, struct error *err)
{
    const struct incident *incident = stowing->incident;
    char *folder = xasprintf("%s/%s", stowing->shelf, incident->id);
    char *name = parcel_file_name(incident->app);
    char *path = xasprintf("%s/%s", stowing->shelf, name);
    struct buf out;
    buf_init(&out, PARCEL_MAX_BYTES);
    pack_file(&out, folder, incident->id, manifest, incident->fired_ms / 1000);
    for (size_t i = 0; i < incident->profile_count; i++)
        if (incident->profiles[i].status == PROFILE_OK)
            pack_file(
                &out, folder, incident->id, incident->profiles[i].file, incident->fired_ms / 1000);
    parcel_end(&out);
    int status = fs_write(path, out.data, out.size, err);
    buf_free(&out);
    free(folder);
    free(name);
    free(path);
    return status;
}

static struct incident *find_manifest(const struct parcel *parcel, struct error *err)
{
    for (size_t i = 0; i < parcel->count; i++) {
        if (strcmp(parcel->files[i].name, manifest) != 0)
            continue;
        struct incident *incident = incident_from_text(
            parcel->files[i].data, parcel->files[i].size, err);
        if (incident && strcmp(incident->id, parcel->id) != 0) {
            error_set(err, "its id is not that of its folder");
            incident_free(incident);
            return NULL;
        }
        return incident;
    }
    error_set(err, "it has no %s", manifest);
    return NULL;
}

void stowing_work(struct stowing *stowing)
{
    struct parcel parcel;
    struct error *err = &stowing->err;
    err->text[0] = '\0';
    if (stowing->from)
        stowing->incident = incident_read_in(stowing->from, err);
    else if (parcel_read(stowing->data, stowing->size, &parcel, err) == 0)
        stowing->incident = find_manifest(&parcel, err);
    if (!stowing->incident || stowing_check(stowing->config, stowing->incident, err) < 0)
        return;
    stowing->kept = put(stowing, stowing->from ? NULL : &parcel) == 0;
    if (stowing->kept && stowing->from)
        pack(stowing, err);
}
