#include "exporters/directory_sweep.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATES_MAX = 100000 };
static const char manifest[] = "incident.json", marks[] = "review.json", gone[] = ".gone-";

void sweep_init(struct sweep *sweep, const char *path, const char *service)
{
    *sweep = (struct sweep){
        .folder = xasprintf("%s/service=%s", path, service),
        .service = service,
        .incidents = xcalloc(SWEEP_LISTED_MAX, sizeof *sweep->incidents),
    };
}

void sweep_free(struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->date_count; i++)
        free(sweep->dates[i]);
    free(sweep->dates);
    free(sweep->incidents);
    free(sweep->folder);
}

static char *join(const char *folder, const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

/* A folder itself, and no link to one. */
static bool is_folder(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Of what begins with "date=". */
static bool is_date(const char *name)
{
    char text[RFC3339_SIZE];
    int64_t wall_ms;
    int length = snprintf(text, sizeof text, "%.10sT00:00:00Z", name + 5);
    return strlen(name) == 15 && rfc3339_parse(text, (size_t)length, &wall_ms) == 0;
}

static int add_date(void *arg, const char *name)
{
    struct sweep *sweep = arg;
    if (!strncmp(name, "date=", 5) && is_date(name) && sweep->date_count < DATES_MAX) {
        sweep->dates = xrealloc(sweep->dates, sweep->date_count + 1, sizeof *sweep->dates);
        sweep->dates[sweep->date_count++] = xstrdup(name);
    }
    return 0;
}

static int in_order(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

int sweep_begin(struct sweep *sweep, struct error *err)
{
    if (fs_each(sweep->folder, add_date, sweep, err) < 0 && errno != ENOENT)
        return -1;
    if (sweep->date_count)
        qsort(sweep->dates, sweep->date_count, sizeof *sweep->dates, in_order);
    return 0;
}

static bool has_note(const char *folder)
{
    char *path = join(folder, marks);
    struct buf text;
    bool note = fs_read(path, RETENTION_MARKS_MAX - 1, &text, NULL) == 0
                    ? retention_is_note(text.data, text.size)
                    : fs_exists(path);
    buf_free(&text);
    free(path);
    return note;
}

/* The second half of removing one. What somebody noted meanwhile brings it back. */
static enum sweep_outcome remove_gone(const char *gone_path, const char *path, struct error *err)
{
    if (has_note(gone_path) && rename(gone_path, path) == 0)
        return SWEEP_HELD;
    if (fs_remove(gone_path, err) < 0 && fs_exists(gone_path))
        return SWEEP_FAILED;
    return SWEEP_REMOVED;
}

struct listing {
    struct sweep *sweep;
    const char *date; /* its name and its folder */
    const char *folder;
    size_t first; /* of its incidents in the list */
    size_t entries;
};

struct measuring {
    const char *folder;
    struct retained *incident;
};

static int measure(void *arg, const char *name)
{
    struct measuring *measuring = arg;
    char *path = join(measuring->folder, name);
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        measuring->incident->bytes += (uint64_t)info.st_size;
        if (!strcmp(name, manifest))
            measuring->incident->complete = true;
        if (!strcmp(name, marks))
            measuring->incident->held = has_note(measuring->folder);
    }
    free(path);
    return 0;
}

/* Of the incidents of this date that the list has, the newest; NULL: it has none. */
static struct retained *newest_of(const struct listing *listing)
{
    struct retained *newest = NULL;
    struct retained *incidents = listing->sweep->incidents;
    for (size_t i = listing->first; i < listing->sweep->count; i++)
        if (!newest || strcmp(incidents[i].id, newest->id) > 0)
            newest = &incidents[i];
    return newest;
}

/* A folder lists its names in no order. */
static void list_oldest(struct listing *listing, const struct retained *incident)
{
    struct sweep *sweep = listing->sweep;
    if (sweep->count < SWEEP_LISTED_MAX) {
        sweep->incidents[sweep->count++] = *incident;
        return;
    }
    sweep->more = true;
    struct retained *newest = newest_of(listing);
    if (newest && strcmp(incident->id, newest->id) < 0)
        *newest = *incident;
}

static void add_incident(struct listing *listing, const char *id, const char *path)
{
    struct sweep *sweep = listing->sweep;
    struct retained incident = {.bytes = 0};
    snprintf(incident.id, sizeof incident.id, "%s", id);
    fs_each(path, measure, &(struct measuring){path, &incident}, NULL);
    sweep->total_bytes += incident.bytes;
    sweep->total += incident.complete;
    sweep->held += incident.complete && incident.held;
    list_oldest(listing, &incident);
}

static bool is_of_date(const char *id, const char *date)
{
    return incident_id_valid(id) && !strncmp(id, date + 5, 4) && !strncmp(id + 4, date + 10, 2) &&
           !strncmp(id + 6, date + 13, 2);
}

static int add_entry(void *arg, const char *name)
{
    struct listing *listing = arg;
    const size_t gone_length = sizeof gone - 1;
    char *path = join(listing->folder, name);
    listing->entries++;
    if (is_of_date(name, listing->date) && is_folder(path)) {
        add_incident(listing, name, path);
    } else if (!strncmp(name, gone, gone_length) && is_of_date(name + gone_length, listing->date)) {
        char *before = join(listing->folder, name + gone_length);
        if (remove_gone(path, before, NULL) == SWEEP_REMOVED)
            listing->entries--;
        free(before);
    }
    free(path);
    return 0;
}

static int by_id(const void *left, const void *right)
{
    const struct retained *a = left, *b = right;
    return strcmp(a->id, b->id);
}

/* Others may be about to put something into that of today. */
static void remove_if_empty(const char *folder, const char *date)
{
    char today[RFC3339_SIZE];
    rfc3339_format(clock_wall_ms(), today);
    if (strncmp(date + 5, today, 10) != 0)
        rmdir(folder);
}

bool sweep_next_date(struct sweep *sweep)
{
    if (sweep->next_date == sweep->date_count)
        return false;
    const char *date = sweep->dates[sweep->next_date++];
    char *folder = join(sweep->folder, date);
    struct listing listing = {sweep, date, folder, sweep->count, 0};
    if (is_folder(folder) && fs_each(folder, add_entry, &listing, NULL) == 0) {
        if (listing.entries == 0)
            remove_if_empty(folder, date);
        qsort(sweep->incidents + listing.first, sweep->count - listing.first,
            sizeof *sweep->incidents, by_id);
    }
    free(folder);
    return true;
}

struct checking {
    const char *folder;
    const struct incident *incident;
};

/* What stakeout put there: the files that incident.json tells of, and a few that it always has. */
static bool is_ours(const struct incident *incident, const char *name)
{
    static const char *const always[] = {manifest, marks, "metrics.csv", "report.html"};
    bool ours = name[0] == '.' || (incident->metrics_file && !strcmp(incident->metrics_file, name));
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        ours = ours || !strcmp(name, always[i]);
    for (size_t i = 0; i < incident->profile_count; i++)
        ours = ours || (incident->profiles[i].file && !strcmp(incident->profiles[i].file, name));
    return ours;
}

static int check_file(void *arg, const char *name)
{
    const struct checking *checking = arg;
    char *path = join(checking->folder, name);
    struct stat info;
    bool there = lstat(path, &info) == 0;
    free(path);
    return there && !(S_ISREG(info.st_mode) && is_ours(checking->incident, name));
}

/* Whether it is the incident that its folder says, with nothing else in it. */
static bool may_go(const struct sweep *sweep, const char *id, const char *folder)
{
    char *path = join(folder, manifest);
    struct incident *incident = incident_read(path, NULL);
    bool may = incident && !strcmp(incident->id, id) && incident->service &&
               !strcmp(incident->service, sweep->service) &&
               fs_each(folder, check_file, &(struct checking){folder, incident}, NULL) == 0 &&
               !has_note(folder);
    incident_free(incident);
    free(path);
    return may;
}

/* One that is there, and may go. */
static enum sweep_outcome remove_there(
    const char *date_folder, const char *path, const char *gone_path, struct error *err)
{
    if (rename(path, gone_path) < 0) {
        if (errno == ENOENT)
            return SWEEP_GONE;
        error_set(err, "cannot rename %s: %s", path, strerror(errno));
        return SWEEP_FAILED;
    }
    if (fs_sync_folder(date_folder, err) < 0)
        return SWEEP_FAILED;
    return remove_gone(gone_path, path, err);
}

enum sweep_outcome sweep_remove(
    const struct sweep *sweep, const struct retained *incident, struct error *err)
{
    const char *id = incident->id;
    char date[sizeof "date=2026-11-23"];
    snprintf(date, sizeof date, "date=%.4s-%.2s-%.2s", id, id + 4, id + 6);
    char *date_folder = join(sweep->folder, date);
    char *path = join(date_folder, id);
    char *gone_path = xasprintf("%s/%s%s", date_folder, gone, id);
    enum sweep_outcome outcome;
    if (!is_folder(path))
        outcome = SWEEP_GONE;
    else if (!may_go(sweep, id, path))
        outcome = is_folder(path) ? SWEEP_HELD : SWEEP_GONE;
    else
        outcome = remove_there(date_folder, path, gone_path, err);
    if (outcome == SWEEP_REMOVED)
        remove_if_empty(date_folder, date);
    free(date_folder);
    free(path);
    free(gone_path);
    return outcome;
}
