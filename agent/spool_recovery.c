#include "agent/spool_recovery.h"

#include "agent/cpu_merge.h"
#include "agent/profile_check.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char interrupted[] = "the agent was killed before this profile was whole";
static const char gone_prefix[] = ".gone-";
const char spool_recorder_prefix[] = ".recorder-";

/* Looks at one file that may be there; true when it is worth keeping, with the facts in profile. A
 * trace has no mark at its end, so one that did not get its final name counts as cut. */
static bool adopt(struct incident_profile *profile, const char *path, bool final_name)
{
    struct profile_facts facts;
    struct stat info;
    enum profile_form form = profile_form_of(profile->name);
    if (stat(path, &info) < 0 || profile_check_file(path, form, &facts, NULL) < 0 ||
        facts.soundness == PROFILE_FOREIGN)
        return false;
    bool whole = facts.soundness == PROFILE_WHOLE && (final_name || form == PROFILE_FORM_PPROF);
    profile->status = whole ? PROFILE_OK : PROFILE_TRUNCATED;
    profile->error = whole ? NULL : xstrdup(interrupted);
    profile->bytes = facts.bytes;
    memcpy(profile->sha256, facts.sha256, sizeof profile->sha256);
    if (facts.duration_ns > 0)
        profile->seconds = (double)facts.duration_ns / 1e9;
    if (profile->finished_ms == 0)
        profile->finished_ms = (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
    return true;
}

/* What the checkpoint calls pending may have been finished since, or be there in part. */
static void settle_profile(struct incident_profile *profile, const char *folder, int64_t onset_ms)
{
    if (profile->status != PROFILE_PENDING)
        return;
    free(profile->file);
    profile->file = profile_file_name(profile->name);
    char *path = xasprintf("%s/%s", folder, profile->file);
    char *partial = xasprintf("%s/.%s", folder, profile->file);
    bool kept = adopt(profile, path, true) ||
                (adopt(profile, partial, false) && rename(partial, path) == 0);
    profile->onset_covered = kept && incident_profile_covers(profile, onset_ms);
    if (!kept) {
        profile->status = PROFILE_FAILED;
        free(profile->error);
        profile->error = xstrdup(interrupted);
        free(profile->file);
        profile->file = NULL;
        fs_remove(partial, NULL);
    }
    free(path);
    free(partial);
}

static struct incident *read_checkpoint(const char *folder, struct error *err)
{
    char *path = xasprintf("%s/incident.json", folder);
    struct buf text;
    struct incident *incident = NULL;
    if (fs_read(path, 1 << 20, &text, err) == 0)
        incident = incident_from_text(text.data, text.size, err);
    buf_free(&text);
    free(path);
    return incident;
}

static int write_settled(const struct incident *incident, const char *folder, struct error *err)
{
    char *path = xasprintf("%s/incident.json", folder);
    char *text = incident_to_text(incident);
    int status = fs_write(path, text, strlen(text), err);
    free(text);
    free(path);
    return status;
}

static void settle(struct incident *incident, const char *folder)
{
    size_t kept = 0;
    cpu_merge_recover(incident, folder);
    for (size_t i = 0; i < incident->profile_count; i++) {
        settle_profile(&incident->profiles[i], folder, incident->onset_ms);
        kept += incident->profiles[i].status != PROFILE_FAILED;
    }
    if (incident->finished_ms == 0)
        incident->finished_ms = clock_wall_ms();
    log_warn("incident %s was cut off when the agent was killed: %zu of %zu profiles are kept",
        incident->id, kept, incident->profile_count);
}

static int note_catch(void *arg, const char *name)
{
    bool *caught = arg;
    *caught = *caught || (name[0] != '.' && strcmp(name, "metrics.csv") != 0);
    return 0;
}

/* Only a folder without incident.json and without a profile holds nothing. All else stays: what
 * this version cannot read now (a newer schema, a bad disk), a person or another version may. */
static void give_up(const char *folder, const char *id, const struct error *why)
{
    struct error err = {0};
    bool caught = false;
    if (fs_each(folder, note_catch, &caught, &err) == 0 && !caught) {
        log_warn("incident %s was cut off before anything was caught: removed", id);
        if (fs_remove(folder, &err) < 0)
            log_error("%s", err.text);
    } else {
        log_error("incident %s is left as it is in %s: %s", id, folder,
            err.text[0] ? err.text : why->text);
    }
}

/* `name` is ".<id>". What cannot be written now is left for the next start. */
static void complete(const char *spool, const char *name)
{
    char *from = xasprintf("%s/%s", spool, name);
    char *to = xasprintf("%s/%s", spool, name + 1);
    struct error err = {0};
    struct incident *incident = read_checkpoint(from, &err);
    if (!incident) {
        give_up(from, name + 1, &err);
    } else {
        settle(incident, from);
        if (write_settled(incident, from, &err) < 0)
            log_error("incident %s stays in the spool: %s", name + 1, err.text);
        else if (rename(from, to) < 0)
            log_error(
                "incident %s stays in the spool: cannot rename it: %s", name + 1, strerror(errno));
    }
    incident_free(incident);
    free(from);
    free(to);
}

static bool begins_with(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

static int recover_entry(void *arg, const char *name)
{
    const char *spool = arg;
    if (begins_with(name, gone_prefix) || begins_with(name, spool_recorder_prefix)) {
        char *path = xasprintf("%s/%s", spool, name);
        fs_remove(path, NULL);
        free(path);
    } else if (name[0] == '.' && incident_id_valid(name + 1)) {
        complete(spool, name);
    }
    return 0;
}

int spool_recover(const char *path, struct error *err)
{
    char *folder = xstrdup(path);
    int status = fs_each(folder, recover_entry, folder, err);
    if (status == 0)
        status = fs_sync_folder(folder, err);
    free(folder);
    return status;
}
