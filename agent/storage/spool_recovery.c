#include "agent/storage/spool_recovery.h"

#include "agent/capture/cpu_merge.h"
#include "agent/capture/profile_settle.h"
#include "agent/capture/slice.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char interrupted[] = "the agent was killed before this profile was whole";
static const char gone_prefix[] = ".gone-";
static const char never_told[] = "not known: the agent was killed before it was written down";
const char spool_recorder_prefix[] = ".recorder-";

struct recovery {
    const char *spool;
    const struct config *config;
};

/* Looks at one file that may be there; true when it is worth keeping, with the facts in profile and
 * its name as it is to be. Only gzip has a mark at its end, so anything else that did not get its
 * final name counts as cut. */
static bool adopt(
    struct incident_profile *profile, const char *path, enum profile_form wanted, bool final_name)
{
    struct profile_facts facts;
    struct stat info;
    if (stat(path, &info) < 0 || profile_settle_file(path, wanted, &facts, NULL) < 0 ||
        facts.soundness == PROFILE_FOREIGN)
        return false;
    bool marked = !facts.plain &&
                  (facts.form == PROFILE_FORM_PPROF || facts.form == PROFILE_FORM_GZIP);
    bool whole = facts.soundness == PROFILE_WHOLE && (final_name || marked);
    profile->status = whole ? PROFILE_OK : PROFILE_TRUNCATED;
    profile->error = whole ? NULL : xstrdup(interrupted);
    profile->file = profile_file_name(profile->name, facts.form);
    profile->bytes = facts.bytes;
    memcpy(profile->sha256, facts.sha256, sizeof profile->sha256);
    if (facts.duration_ns > 0)
        profile->seconds = (double)facts.duration_ns / 1e9;
    if (profile->finished_ms == 0)
        profile->finished_ms = (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
    if (profile->requested_ms == 0 && !isnan(profile->seconds))
        profile->requested_ms = profile->finished_ms - (int64_t)(profile->seconds * 1000);
    return true;
}

static void forget_file(struct incident_profile *profile)
{
    free(profile->file);
    profile->file = NULL;
}

/* What the killed agent wrote may not be on the disk yet. */
static bool sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return synced;
}

/* The same for where it may be under another name; then it is where it belongs. */
static bool adopt_from(struct incident_profile *profile, const char *to, const char *folder,
    const char *prefix, const char *file, enum profile_form wanted, bool final_name)
{
    char *from = xasprintf("%s/%s%s", folder, prefix, file);
    bool kept = adopt(profile, from, wanted, final_name);
    char *path = kept ? xasprintf("%s/%s", to, profile->file) : NULL;
    if (kept && (!sync_file(from) || (strcmp(from, path) != 0 && rename(from, path) < 0))) {
        forget_file(profile);
        kept = false;
    }
    free(path);
    free(from);
    return kept;
}

/* Whole under its name, whatever it turned out to be, or in part. */
static bool adopt_own(struct incident_profile *profile, const char *folder)
{
    bool kept = false;
    for (int part = 0; part < 2 && !kept; part++)
        for (int form = 0; form < PROFILE_FORMS && !kept; form++) {
            char *file = profile_file_name(profile->name, (enum profile_form)form);
            kept = adopt_from(
                profile, folder, folder, part ? "." : "", file, (enum profile_form)form, !part);
            free(file);
        }
    return kept;
}

/* A slice that was to be moved from the recorder's folder: its file has its name there. */
static bool adopt_slice(
    struct incident_profile *profile, const char *folder, const char *recorder, const char *file)
{
    return recorder && file && slice_is_profile(profile->name) && slice_is_profile(file) &&
           (adopt_from(profile, folder, recorder, "", file, PROFILE_FORM_PPROF, true) ||
               adopt_from(profile, folder, recorder, ".", file, PROFILE_FORM_PPROF, false));
}

static void remove_parts(const struct incident_profile *profile, const char *folder)
{
    for (int form = 0; form < PROFILE_FORMS; form++) {
        char *file = profile_file_name(profile->name, (enum profile_form)form);
        char *path = xasprintf("%s/.%s", folder, file);
        fs_remove(path, NULL);
        free(path);
        free(file);
    }
}

/* What the checkpoint calls pending may have been finished since, or be there in part. recorder:
 * the folder of the app's recorder; NULL: not known. */
static void settle_profile(
    struct incident_profile *profile, const char *folder, const char *recorder, int64_t onset_ms)
{
    if (profile->status != PROFILE_PENDING)
        return;
    char *source = profile->file;
    profile->file = NULL;
    bool kept = adopt_own(profile, folder) || adopt_slice(profile, folder, recorder, source);
    profile->onset_covered = kept && incident_profile_covers(profile, onset_ms);
    if (!kept) {
        profile->status = PROFILE_FAILED;
        free(profile->error);
        profile->error = xstrdup(interrupted);
        remove_parts(profile, folder);
    }
    free(source);
}

/* NULL without err: nothing is written down; what has no content was not synced when the machine
 * went down. */
static struct incident *read_checkpoint(const char *folder, struct error *err)
{
    char *path = xasprintf("%s/incident.json", folder);
    struct stat info;
    bool none = stat(path, &info) < 0 ? errno == ENOENT : info.st_size == 0;
    struct incident *incident = none ? NULL : incident_read(path, err);
    free(path);
    return incident;
}

static int list_profile(void *arg, const char *file)
{
    struct incident *incident = arg;
    enum profile_form form;
    file += file[0] == '.';
    char *name = profile_file_split(file, &form);
    if (name && incident_name_valid(name) && !incident_find_profile(incident, name) &&
        incident->profile_count < INCIDENT_PROFILES_MAX) {
        struct incident_profile *profile = incident_add_profile(incident, name);
        profile->file = xstrdup(file);
    }
    free(name);
    return 0;
}

static int by_name(const void *left, const void *right)
{
    return strverscmp(((const struct incident_profile *)left)->name,
        ((const struct incident_profile *)right)->name);
}

/* Its app is the trigger's; one that no trigger opened is of the only one. */
static void name_trigger(struct incident *incident, const struct config *config)
{
    const char *app = config->app_count == 1 ? config->apps[0].name : NULL;
    bool manual = incident_id_is_of(incident->id, "manual");
    bool baseline = incident_id_is_of(incident->id, "baseline");
    const char *trigger = baseline ? "baseline" : "manual";
    for (size_t i = 0; i < config->trigger_count; i++) {
        if (!incident_id_is_of(incident->id, config->triggers[i].name))
            continue;
        trigger = config->triggers[i].name;
        app = config->apps[config->triggers[i].app].name;
        manual = false;
    }
    incident->kind = xstrdup(manual ? "manual" : baseline ? "baseline" : "spike");
    incident->trigger.name = xstrdup(trigger);
    incident->trigger.reason = xstrdup(never_told);
    incident->app = app ? xstrdup(app) : NULL;
}

/* What is known without incident.json. */
static struct incident *rebuild(const struct recovery *recovery, const char *folder, const char *id)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup(recovery->config->service);
    incident->agent_version = xstrdup(STAKEOUT_VERSION);
    incident->metrics_file = xstrdup("metrics.csv");
    incident_id_time(id, &incident->fired_ms);
    name_trigger(incident, recovery->config);
    fs_each(folder, list_profile, incident, NULL);
    if (incident->app) {
        char *recorder = xasprintf(
            "%s/%s%s", recovery->spool, spool_recorder_prefix, incident->app);
        fs_each(recorder, list_profile, incident, NULL);
        free(recorder);
    }
    if (incident->profile_count)
        qsort(incident->profiles, incident->profile_count, sizeof *incident->profiles, by_name);
    return incident;
}

/* Samples are lost with the agent; every incident has the file. */
static int provide_metrics(const char *folder, struct error *err)
{
    static const char no_samples[] = "time\n";
    char *path = xasprintf("%s/metrics.csv", folder);
    int status = fs_exists(path) ? 0 : fs_write(path, no_samples, strlen(no_samples), err);
    free(path);
    return status;
}

/* Returns how many profiles are there. Slices that wait for nothing any more can go only then. */
static size_t settle(struct incident *incident, const struct recovery *recovery, const char *folder)
{
    size_t kept = 0;
    char *recorder = incident->app && incident_name_valid(incident->app)
                         ? xasprintf(
                               "%s/%s%s", recovery->spool, spool_recorder_prefix, incident->app)
                         : NULL;
    for (size_t i = 0; i < incident->profile_count; i++) {
        settle_profile(&incident->profiles[i], folder, recorder, incident->onset_ms);
        kept += incident->profiles[i].status != PROFILE_FAILED;
    }
    cpu_merge_recover(incident, folder);
    /* Before it is finished: what it was while nobody looked is no part of the spike. */
    incident_note_coverage(incident);
    if (incident->finished_ms == 0)
        incident->finished_ms = clock_wall_ms();
    free(recorder);
    return kept;
}

static int note_catch(void *arg, const char *name)
{
    bool *caught = arg;
    *caught = *caught || (name[0] != '.' && strcmp(name, "metrics.csv") != 0 &&
                             strcmp(name, "incident.json") != 0);
    return 0;
}

/* Nothing was caught; but what is none of ours stays. */
static void remove_empty(const char *folder, const char *id)
{
    struct error err = {0};
    bool caught = false;
    if (fs_each(folder, note_catch, &caught, &err) == 0 && !caught) {
        log_warn("incident %s was cut off before anything was caught: removed", id);
        if (fs_remove(folder, &err) < 0)
            log_error("%s", err.text);
    } else {
        log_error("incident %s is left as it is in %s: %s", id, folder,
            err.text[0] ? err.text : "nothing in it is a profile");
    }
}

/* `name` is ".<id>". What cannot be written now is left for the next start; what cannot be read (a
 * newer schema, a bad disk) stays, as a person or another version may. */
static void complete(const struct recovery *recovery, const char *name)
{
    char *from = xasprintf("%s/%s", recovery->spool, name);
    char *to = xasprintf("%s/%s", recovery->spool, name + 1);
    struct error err = {0};
    struct incident *incident = read_checkpoint(from, &err);
    bool rebuilt = !incident && !err.text[0];
    if (rebuilt)
        incident = rebuild(recovery, from, name + 1);
    size_t kept = incident ? settle(incident, recovery, from) : 0;
    if (!incident) {
        log_error("incident %s is left as it is in %s: %s", name + 1, from, err.text);
    } else if (rebuilt && !kept) {
        remove_empty(from, name + 1);
    } else {
        log_warn("incident %s was cut off when the agent was killed: %zu of %zu profile%s kept",
            incident->id, kept, incident->profile_count, incident->profile_count == 1 ? "" : "s");
        if (provide_metrics(from, &err) < 0 || incident_save_in(incident, from, &err) < 0)
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

static int recover_incident(void *arg, const char *name)
{
    if (name[0] == '.' && incident_id_valid(name + 1))
        complete(arg, name);
    return 0;
}

/* After the incidents, which have what they listed of the recorders'. */
static int remove_rest(void *arg, const char *name)
{
    const struct recovery *recovery = arg;
    if (begins_with(name, gone_prefix) || begins_with(name, spool_recorder_prefix)) {
        char *path = xasprintf("%s/%s", recovery->spool, name);
        fs_remove(path, NULL);
        free(path);
    }
    return 0;
}

int spool_recover(const char *path, const struct config *config, struct error *err)
{
    struct recovery recovery = {path, config};
    int status = fs_each(path, recover_incident, &recovery, err);
    if (status == 0)
        status = fs_each(path, remove_rest, &recovery, err);
    if (status == 0)
        status = fs_sync_folder(path, err);
    return status;
}
