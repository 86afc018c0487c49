#include "agent/capture/cpu_merge.h"

#include "agent/capture/profile_check.h"
#include "agent/capture/slice.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/offload.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char merged_name[] = ".cpu.merged";
/* What the inputs may inflate to in all: a merge takes three and a half times that (see
 * commands/merge.c), and a little before it begins. */
static const int64_t most_inflated_bytes = 16 << 20, begin_bytes = 6 << 20;
static const int64_t longest_gap_ms = 100;
static const char cpu_file[] = "cpu.pb.gz";

static char *path_in(const char *folder, const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static bool is_sound(const struct incident_profile *profile)
{
    return profile->status == PROFILE_OK &&
           (slice_is_profile(profile->name) || !strcmp(profile->name, "cpu"));
}

/* The run of the app that is merged: that of the capture's own profile, if there is any of it, else
 * the newest one that slices are of. */
static unsigned run_of(const struct incident *incident)
{
    const struct incident_profile *own = incident_find_profile(incident, "cpu");
    unsigned newest = 0;
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        if (!is_sound(profile))
            continue;
        if (own && profile->run == own->run)
            return own->run;
        newest = profile->run > newest ? profile->run : newest;
    }
    return newest;
}

/* Profiles of different processes never become one. */
static bool is_input(const struct incident *incident, const struct incident_profile *profile)
{
    return is_sound(profile) && profile->run == run_of(incident);
}

bool cpu_merge_leaves_slices(const struct incident *incident)
{
    for (size_t i = 0; i < incident->profile_count; i++)
        if (is_sound(&incident->profiles[i]) && slice_is_profile(incident->profiles[i].name) &&
            !is_input(incident, &incident->profiles[i]))
            return true;
    return false;
}

static char *merge_limit(int64_t memory_bytes)
{
    int64_t bytes = most_inflated_bytes;
    if (memory_bytes && (memory_bytes - begin_bytes) / 7 * 2 < bytes)
        bytes = (memory_bytes - begin_bytes) / 7 * 2;
    return xasprintf("%lldKiB", (long long)(bytes < 1024 ? 1 : bytes / 1024));
}

char **cpu_merge_command(const struct incident *incident, const char *folder, int64_t memory_bytes)
{
    const struct incident_profile *own = incident_find_profile(incident, "cpu");
    size_t count = 0, slices = 0;
    char **argv = xcalloc(incident->profile_count + 7, sizeof *argv);
    argv[count++] = xstrdup("stakeout");
    argv[count++] = xstrdup("merge");
    argv[count++] = xstrdup("--limit");
    argv[count++] = merge_limit(memory_bytes);
    argv[count++] = xstrdup("-o");
    argv[count++] = path_in(folder, merged_name);
    for (size_t i = 0; i < incident->profile_count; i++) {
        if (!is_input(incident, &incident->profiles[i]))
            continue;
        argv[count++] = path_in(folder, incident->profiles[i].file);
        slices += &incident->profiles[i] != own;
    }
    if (slices && own && own->status != PROFILE_TRUNCATED)
        return argv;
    cpu_merge_free_command(argv);
    return NULL;
}

void cpu_merge_free_command(char **argv)
{
    for (char **arg = argv; arg && *arg; arg++)
        free(*arg);
    free(argv);
}

/* Whether one of the inputs was being recorded then, or one had just ended and the next begun: the
 * app needs a moment between two. They are in the order of time. */
static bool is_covered(const struct incident *incident)
{
    int64_t onset_ms = incident->onset_ms, before_ms = INT64_MIN / 2;
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        if (!is_input(incident, profile))
            continue;
        bool in_gap = before_ms <= onset_ms && onset_ms <= profile->requested_ms &&
                      profile->requested_ms - before_ms <= longest_gap_ms;
        if (in_gap || incident_profile_covers(profile, onset_ms))
            return true;
        before_ms = profile->finished_ms;
    }
    return false;
}

/* The profile "cpu" becomes the merged one, and the slices that are in it leave the list. */
static void apply(struct incident *incident, const struct profile_facts *facts)
{
    int64_t requested_ms = INT64_MAX, finished_ms = 0;
    double seconds = 0;
    bool covered = is_covered(incident);
    for (size_t i = 0; i < incident->profile_count; i++) {
        const struct incident_profile *profile = &incident->profiles[i];
        if (!is_input(incident, profile))
            continue;
        requested_ms = profile->requested_ms < requested_ms ? profile->requested_ms : requested_ms;
        finished_ms = profile->finished_ms > finished_ms ? profile->finished_ms : finished_ms;
        seconds += isnan(profile->seconds) ? 0 : profile->seconds;
    }
    unsigned run = run_of(incident);
    for (size_t i = incident->profile_count; i-- > 0;)
        if (is_sound(&incident->profiles[i]) && incident->profiles[i].run == run &&
            slice_is_profile(incident->profiles[i].name))
            incident_remove_profile(incident, i);
    struct incident_profile *cpu = incident_find_profile(incident, "cpu");
    if (cpu->status == PROFILE_FAILED) {
        char *why = xasprintf(
            "it has only what the recorder had around the fire; after that: %s", cpu->error);
        free(cpu->error);
        cpu->error = why;
        cpu->status = PROFILE_TRUNCATED;
    }
    free(cpu->file);
    cpu->file = xstrdup(cpu_file);
    cpu->requested_ms = requested_ms;
    cpu->finished_ms = finished_ms;
    cpu->seconds = seconds;
    cpu->bytes = facts->bytes;
    memcpy(cpu->sha256, facts->sha256, sizeof cpu->sha256);
    cpu->onset_covered = covered;
}

/* First a look at what the child wrote, then the change itself. */
struct commit {
    struct offload *disk;
    struct incident *incident;
    char *folder;
    struct incident *merged; /* the incident as it will be */
    char *before, *text;     /* incident.json as it is, and as it will be */
    bool undone;             /* false after an error: incident.json may speak of the merged file */
    struct profile_facts facts;
    struct error error; /* "": it worked */
    void (*done)(void *arg, const char *why);
    void *arg;
};

static void commit_done(struct commit *commit)
{
    if (commit->error.text[0] && commit->undone)
        cpu_merge_discard(commit->disk, commit->folder);
    commit->done(commit->arg, commit->error.text[0] ? commit->error.text : NULL);
    incident_free(commit->merged);
    free(commit->folder);
    free(commit->before);
    free(commit->text);
    free(commit);
}

struct sweep {
    const char *folder;
    const struct incident *incident; /* what it lists stays */
};

static int remove_slice(void *arg, const char *name)
{
    const struct sweep *sweep = arg;
    if (!slice_is_profile(name))
        return 0;
    for (size_t i = 0; i < sweep->incident->profile_count; i++) {
        const char *file = sweep->incident->profiles[i].file;
        if (file && !strcmp(file, name))
            return 0;
    }
    char *path = path_in(sweep->folder, name);
    fs_remove(path, NULL);
    free(path);
    return 0;
}

/* What is in no list any more goes. */
static void remove_unlisted(const char *folder, const struct incident *incident)
{
    struct sweep sweep = {folder, incident};
    fs_each(folder, remove_slice, &sweep, NULL);
}

static int take_place(const char *folder, struct error *err)
{
    char *merged = path_in(folder, merged_name), *cpu = path_in(folder, cpu_file);
    int status = 0;
    if (rename(merged, cpu) < 0)
        status = error_set(err, "cannot rename %s: %s", merged, strerror(errno));
    free(merged);
    free(cpu);
    return status;
}

static void work_commit(void *arg)
{
    struct commit *commit = arg;
    char *json = path_in(commit->folder, "incident.json");
    int status = fs_write(json, commit->text, strlen(commit->text), &commit->error);
    if (status == 0 && take_place(commit->folder, &commit->error) == 0) {
        remove_unlisted(commit->folder, commit->merged);
        fs_sync_folder(commit->folder, NULL);
    } else {
        commit->undone = fs_write(json, commit->before, strlen(commit->before), NULL) == 0;
    }
    free(json);
}

static void committed(void *arg)
{
    struct commit *commit = arg;
    if (!commit->error.text[0])
        apply(commit->incident, &commit->facts);
    commit_done(commit);
}

static void work_inspect(void *arg)
{
    struct commit *commit = arg;
    char *path = path_in(commit->folder, merged_name);
    if (profile_check_file(path, PROFILE_FORM_PPROF, &commit->facts, &commit->error) == 0 &&
        commit->facts.soundness != PROFILE_WHOLE)
        error_set(&commit->error, "what came of it is no profile: %s", commit->facts.why);
    free(path);
}

/* The incident that is written is a copy: until it is on disk nothing has changed. */
static void inspected(void *arg)
{
    struct commit *commit = arg;
    commit->before = incident_to_text(commit->incident);
    if (!commit->error.text[0])
        commit->merged = incident_from_text(commit->before, strlen(commit->before), &commit->error);
    if (!commit->merged) {
        commit->undone = true;
        commit_done(commit);
        return;
    }
    for (size_t i = 0; i < commit->merged->profile_count; i++) /* which is not stored */
        commit->merged->profiles[i].run = commit->incident->profiles[i].run;
    apply(commit->merged, &commit->facts);
    commit->text = incident_to_text(commit->merged);
    offload_submit(commit->disk, work_commit, committed, commit);
}

void cpu_merge_commit(struct offload *disk, struct incident *incident, const char *folder,
    void (*done)(void *arg, const char *why), void *arg)
{
    struct commit *commit = xcalloc(1, sizeof *commit);
    commit->disk = disk;
    commit->incident = incident;
    commit->folder = xstrdup(folder);
    commit->done = done;
    commit->arg = arg;
    offload_submit(disk, work_inspect, inspected, commit);
}

static void work_discard(void *arg)
{
    fs_remove(arg, NULL);
}

void cpu_merge_discard(struct offload *disk, const char *folder)
{
    offload_submit(disk, work_discard, free, path_in(folder, merged_name));
}

void cpu_merge_recover(const struct incident *incident, const char *folder)
{
    const struct incident_profile *cpu = incident_find_profile(incident, "cpu");
    struct profile_facts facts;
    char *merged = path_in(folder, merged_name);
    bool written_down = cpu && cpu->file &&
                        profile_check_file(merged, PROFILE_FORM_PPROF, &facts, NULL) == 0 &&
                        !strcmp(facts.sha256, cpu->sha256);
    if (!written_down || take_place(folder, NULL) < 0)
        fs_remove(merged, NULL);
    remove_unlisted(folder, incident);
    free(merged);
}
