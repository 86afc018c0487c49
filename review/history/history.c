#include "review/history/history.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "core/incident_json.h"
#include "core/known.h"
#include "review/history/history_stats.h"
#include "review/history/history_words.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *const verdict_names[] = {"new", "seen", "known", "worse", "gone"};

const char *history_verdict_name(const struct history *history)
{
    if (history->known && history->verdict == VERDICT_WORSE)
        return "known, and worse";
    if (history->known && history->verdict == VERDICT_GONE)
        return "known, and gone";
    return verdict_names[history->verdict];
}

/* Gone: seen at least GONE_COUNT times, and then not in newer revisions, of which at least
 * GONE_OTHERS incidents or baselines were stored meanwhile, over at least GONE_PAUSES times its
 * longest pause. */
enum { GONE_COUNT = 3, GONE_OTHERS = 3, GONE_PAUSES = 3 };

/* A revision of a service, or, where the platform tells none, an image. */
struct span {
    const char *service, *version;
    bool is_image;
    int64_t first_ms, last_ms;
};

static const size_t NO_SPAN = SIZE_MAX;

struct history_book {
    struct history_entry *entries; /* by service, group, time */
    size_t count;
    const struct history_entry **by_time; /* by service, time */
    struct span *spans;                   /* by service, version */
    size_t span_count;
    size_t *span_of; /* by entry: an index of spans; NO_SPAN: its version is not known */
};

static double volume_of(const struct incident *incident)
{
    double most = NAN;
    for (size_t i = 0; i < incident->peak_count; i++) {
        const char *metric = incident->peaks[i].metric;
        const char *last = strrchr(metric, '.');
        if (!strncmp(metric, "db.", 3) && last && !strcmp(last, ".received"))
            most = fmax(most, incident->peaks[i].value); /* NAN loses */
    }
    return most;
}

void history_entry_of(const struct incident *incident, struct history_entry *entry)
{
    *entry = (struct history_entry){.id = incident->id,
        .service = incident->service,
        .kind = incident->kind,
        .fired_ms = incident->fired_ms,
        .metric = incident->trigger.metric,
        .peak = incident_peak(incident),
        .volume = volume_of(incident),
        .revision = incident->target.revision,
        .image = incident->target.image,
        .period_s = incident->recurrence.period_s,
        .jitter_s = incident->recurrence.jitter_s,
        .duplicate = incident->fleet.duplicate};
    group_as_stored(incident, entry->group);
}

static int order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_group(const void *a, const void *b)
{
    const struct history_entry *left = a, *right = b;
    int order = strcmp(left->service, right->service);
    order = order ? order : strcmp(left->group, right->group);
    order = order ? order : order_of(left->fired_ms, right->fired_ms);
    return order ? order : strcmp(left->id, right->id);
}

static int by_time(const void *a, const void *b)
{
    const struct history_entry *left = *(const struct history_entry *const *)a;
    const struct history_entry *right = *(const struct history_entry *const *)b;
    int order = strcmp(left->service, right->service);
    return order ? order : order_of(left->fired_ms, right->fired_ms);
}

static const char *version_of(const struct history_entry *entry)
{
    return entry->revision ? entry->revision : entry->image ? entry->image : "";
}

static int by_version(const void *a, const void *b)
{
    const struct history_entry *left = *(const struct history_entry *const *)a;
    const struct history_entry *right = *(const struct history_entry *const *)b;
    int order = strcmp(left->service, right->service);
    order = order ? order : strcmp(version_of(left), version_of(right));
    return order ? order : order_of(left->fired_ms, right->fired_ms);
}

/* Entries of unknown version tell nothing of versions. */
static void find_spans(struct history_book *book)
{
    const struct history_entry **sorted = book->by_time;
    book->spans = xcalloc(book->count + 1, sizeof *book->spans);
    book->span_of = xcalloc(book->count + 1, sizeof *book->span_of);
    if (book->count > 1)
        qsort(sorted, book->count, sizeof *sorted, by_version);
    for (size_t i = 0; i < book->count; i++) {
        const struct history_entry *entry = sorted[i];
        const char *version = version_of(entry);
        book->span_of[entry - book->entries] = NO_SPAN;
        if (!*version)
            continue;
        struct span *span = &book->spans[book->span_count - (book->span_count > 0)];
        if (!span->service || strcmp(span->service, entry->service) != 0 ||
            strcmp(span->version, version) != 0) {
            span = &book->spans[book->span_count++];
            *span = (struct span){.service = entry->service,
                .version = version,
                .is_image = !entry->revision,
                .first_ms = entry->fired_ms};
        }
        span->last_ms = entry->fired_ms;
        book->span_of[entry - book->entries] = book->span_count - 1;
    }
}

static bool is_same_group(const struct history_entry *a, const struct history_entry *b)
{
    return !strcmp(a->service, b->service) && !strcmp(a->group, b->group);
}

/* Entries are by group. */
static void drop_duplicates(struct history_book *book)
{
    size_t kept = 0, count = book->count;
    for (size_t first = 0, end; first < count; first = end) {
        bool originals = false;
        for (end = first; end < count && is_same_group(&book->entries[first], &book->entries[end]);
             end++)
            originals = originals || !book->entries[end].duplicate;
        for (size_t i = first; i < end; i++)
            if (!originals || !book->entries[i].duplicate)
                book->entries[kept++] = book->entries[i];
    }
    book->count = kept;
}

struct history_book *history_book_new(const struct history_entry *entries, size_t count)
{
    struct history_book *book = xcalloc(1, sizeof *book);
    book->count = count;
    book->entries = xcalloc(count + 1, sizeof *book->entries);
    book->by_time = xcalloc(count + 1, sizeof *book->by_time);
    if (count > 0)
        memcpy(book->entries, entries, count * sizeof *entries);
    if (count > 1)
        qsort(book->entries, count, sizeof *book->entries, by_group);
    drop_duplicates(book);
    count = book->count;
    for (size_t i = 0; i < count; i++)
        book->by_time[i] = &book->entries[i];
    find_spans(book);
    if (count > 1)
        qsort(book->by_time, count, sizeof *book->by_time, by_time);
    return book;
}

void history_book_free(struct history_book *book)
{
    if (!book)
        return;
    free(book->entries);
    free(book->by_time);
    free(book->spans);
    free(book->span_of);
    free(book);
}

/* The first entry that is not before this service and group; with `after`, that is behind it. */
static size_t find_bound(
    const struct history_book *book, const char *service, const char *group, bool after)
{
    size_t low = 0, high = book->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct history_entry *entry = &book->entries[middle];
        int order = strcmp(entry->service, service);
        order = order ? order : strcmp(entry->group, group);
        if (order < 0 || (after && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The incidents of a group, the oldest first. */
struct members {
    const struct history_entry *all;
    size_t count;
};

static struct members find_members(
    const struct history_book *book, const char *service, const char *group)
{
    size_t begin = find_bound(book, service, group, false);
    size_t end = find_bound(book, service, group, true);
    return (struct members){book->entries + begin, end - begin};
}

static size_t span_of(const struct history_book *book, const struct history_entry *entry)
{
    return book->span_of[entry - book->entries];
}

/* By span: whether the group was seen in it. The caller frees. */
static bool *find_own_spans(const struct history_book *book, const struct members *members)
{
    bool *own = xcalloc(book->span_count + 1, sizeof *own);
    for (size_t i = 0; i < members->count; i++) {
        size_t span = span_of(book, &members->all[i]);
        if (span != NO_SPAN)
            own[span] = true;
    }
    return own;
}

/* The first version that came after the newest of the group's own, and is none of them; NULL: there
 * is none. */
static const struct span *first_newer(
    const struct history_book *book, const struct members *members, const bool *own)
{
    const struct history_entry *newest = &members->all[members->count - 1];
    const struct span *found = NULL;
    size_t newest_span = span_of(book, newest);
    for (size_t i = 0; newest_span != NO_SPAN && i < book->span_count; i++) {
        const struct span *span = &book->spans[i];
        if (!own[i] && !strcmp(span->service, newest->service) &&
            span->last_ms > newest->fired_ms &&
            span->first_ms > book->spans[newest_span].first_ms &&
            (!found || span->first_ms < found->first_ms))
            found = span;
    }
    return found;
}

/* Incidents and baselines of the service after that time that are of none of the group's versions,
 * and when the newest of them was. */
static size_t count_others(const struct history_book *book, const struct members *members,
    const bool *own, int64_t after_ms, int64_t *newest_ms)
{
    const char *service = members->all[0].service;
    size_t low = 0, high = book->count, others = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(book->by_time[middle]->service, service);
        if (order < 0 || (order == 0 && book->by_time[middle]->fired_ms <= after_ms))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < book->count && !strcmp(book->by_time[low]->service, service); low++) {
        size_t span = span_of(book, book->by_time[low]);
        if (span == NO_SPAN || own[span])
            continue;
        others++;
        *newest_ms = book->by_time[low]->fired_ms;
    }
    return others;
}

/* Taken because nothing happened: it says nothing of how a spike develops. */
static bool is_calm(const char *kind)
{
    return !strcmp(kind, "baseline") || !strcmp(kind, "follow_up");
}

/* NULL: it is not gone. */
static const struct span *gone_since(
    const struct history_book *book, const struct members *members, const int64_t *times_ms)
{
    int64_t last_ms = times_ms[members->count - 1], newest_ms = last_ms;
    if (members->count < GONE_COUNT || is_calm(members->all[0].kind))
        return NULL;
    bool *own = find_own_spans(book, members);
    const struct span *span = first_newer(book, members, own);
    size_t others = span ? count_others(book, members, own, last_ms, &newest_ms) : 0;
    free(own);
    if (others < GONE_OTHERS)
        return NULL;
    int64_t from_ms = span->first_ms > last_ms ? span->first_ms : last_ms;
    int64_t quiet_ms = newest_ms - from_ms;
    int64_t needed_ms = GONE_PAUSES * history_longest_pause(times_ms, members->count);
    return quiet_ms >= needed_ms && quiet_ms > 0 ? span : NULL;
}

static void judge(const struct history_book *book, const struct members *members,
    const int64_t *times_ms, const struct known *known, int64_t now_ms, struct history *out)
{
    const struct known_group *marked = known ? known_find(known, members->all[0].group) : NULL;
    const struct span *gone = gone_since(book, members, times_ms);
    bool grows = out->peak.week_percent > 0 || out->volume.week_percent > 0;
    out->verdict = gone                                                ? VERDICT_GONE
                   : grows                                             ? VERDICT_WORSE
                   : marked                                            ? VERDICT_KNOWN
                   : out->count == 1 && !is_calm(members->all[0].kind) ? VERDICT_NEW
                                                                       : VERDICT_SEEN;
    out->known = marked != NULL;
    char *since = gone ? xasprintf("%s %s", gone->is_image ? "image" : "revision", gone->version)
                       : NULL;
    out->verdict_text = history_verdict_words(
        out, since, gone ? gone->first_ms : 0, marked ? marked->marked_ms : 0, now_ms);
    free(since);
}

/* What the agent recognised says it better than the times of what was stored: not every spike is.
 */
static void find_period(const struct members *members, const int64_t *times_ms, struct history *out)
{
    const struct history_entry *newest = &members->all[members->count - 1];
    out->period_s = newest->period_s > 0 ? newest->period_s : NAN;
    out->jitter_s = newest->jitter_s;
    if (!isfinite(out->period_s))
        history_spacing(times_ms, members->count, &out->period_s, &out->jitter_s);
}

static void free_earlier(struct history *history)
{
    for (size_t i = 0; i < history->earlier_count; i++)
        free(history->earlier[i]);
    free(history->earlier);
    history->earlier = NULL;
    history->earlier_count = 0;
}

static void list_earlier(const struct members *members, struct history *out)
{
    size_t count = out->ordinal - 1;
    count = count > HISTORY_EARLIER_MAX ? HISTORY_EARLIER_MAX : count;
    out->earlier = xcalloc(count + 1, sizeof *out->earlier);
    for (size_t i = 0; i < count; i++)
        out->earlier[out->earlier_count++] = xstrdup(members->all[out->ordinal - 2 - i].id);
}

static void pick_points(const struct members *members, const int64_t *times_ms, const double *peaks,
    const double *volumes, struct history *out)
{
    size_t count = members->count;
    out->point_count = count > HISTORY_POINTS_MAX ? HISTORY_POINTS_MAX : count;
    out->points = xcalloc(out->point_count, sizeof *out->points);
    for (size_t i = 0; i < out->point_count; i++) {
        size_t of = out->point_count > 1 ? i * (count - 1) / (out->point_count - 1) : 0;
        out->points[i] = (struct history_point){times_ms[of], peaks[of], volumes[of]};
    }
}

static void find_trends(const struct members *members, const int64_t *times_ms, struct history *out)
{
    double *peaks = xcalloc(members->count, sizeof *peaks);
    double *volumes = xcalloc(members->count, sizeof *volumes);
    const struct history_entry *newest = &members->all[members->count - 1];
    for (size_t i = 0; i < members->count; i++) {
        const struct history_entry *entry = &members->all[i];
        bool same = newest->metric && entry->metric && !strcmp(newest->metric, entry->metric);
        peaks[i] = same ? entry->peak : NAN; /* a peak of another metric cannot be compared */
        volumes[i] = entry->volume;
    }
    history_trend(times_ms, peaks, members->count, &out->peak);
    history_trend(times_ms, volumes, members->count, &out->volume);
    pick_points(members, times_ms, peaks, volumes, out);
    free(peaks);
    free(volumes);
}

int history_of(const struct history_book *book, const char *service, const char *group,
    const char *id, const struct known *known, int64_t now_ms, struct history *out)
{
    *out = (struct history){.period_s = NAN, .jitter_s = NAN};
    out->peak.week_percent = out->volume.week_percent = NAN;
    struct members members = find_members(book, service, group);
    if (members.count == 0)
        return -1;
    out->count = out->ordinal = members.count;
    int64_t *times_ms = xcalloc(members.count, sizeof *times_ms);
    for (size_t i = 0; i < members.count; i++) {
        times_ms[i] = members.all[i].fired_ms;
        if (id && !strcmp(members.all[i].id, id))
            out->ordinal = i + 1;
    }
    out->first_ms = times_ms[0];
    out->last_ms = times_ms[members.count - 1];
    find_period(&members, times_ms, out);
    if (!is_calm(members.all[0].kind))
        find_trends(&members, times_ms, out);
    out->frequency = history_frequency_words(out, now_ms);
    out->trend = history_trend_words(out, members.all[members.count - 1].metric);
    judge(book, &members, times_ms, known, now_ms, out);
    list_earlier(&members, out);
    free(times_ms);
    return 0;
}

/* Members are by time and id. SIZE_MAX: it is none of them. */
static size_t find_member(const struct members *members, const char *id, int64_t fired_ms)
{
    size_t low = 0, high = members->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct history_entry *entry = &members->all[middle];
        int order = order_of(entry->fired_ms, fired_ms);
        order = order ? order : strcmp(entry->id, id);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

void history_see_from(const struct history_book *book, const char *service, const char *group,
    const char *id, int64_t fired_ms, int64_t now_ms, struct history *history)
{
    struct members members = find_members(book, service, group);
    size_t index = find_member(&members, id, fired_ms);
    if (index == SIZE_MAX)
        return;
    history->ordinal = index + 1;
    free(history->frequency);
    history->frequency = history_frequency_words(history, now_ms);
    free_earlier(history);
    list_earlier(&members, history);
}

void history_free(struct history *history)
{
    free(history->verdict_text);
    free(history->frequency);
    free(history->trend);
    free_earlier(history);
    free(history->points);
    *history = (struct history){0};
}

json_t *history_to_json(const struct history *history)
{
    json_t *json = json_object(), *earlier = json_array();
    incident_put_text(json, "verdict", verdict_names[history->verdict]);
    json_object_set_new(json, "known", json_boolean(history->known));
    incident_put_text(json, "verdict_text", history->verdict_text);
    incident_put_positive(json, "count", (int64_t)history->count);
    incident_put_positive(json, "ordinal", (int64_t)history->ordinal);
    incident_put_time(json, "first", history->first_ms);
    incident_put_time(json, "last", history->last_ms);
    incident_put_number(json, "period_s", history->period_s);
    incident_put_number(json, "jitter_s", history->jitter_s);
    incident_put_number(json, "peak_week_percent", history->peak.week_percent);
    incident_put_number(json, "volume_week_percent", history->volume.week_percent);
    incident_put_text(json, "frequency", history->frequency);
    incident_put_text(json, "trend", history->trend);
    for (size_t i = 0; i < history->earlier_count; i++)
        json_array_append_new(earlier, json_string(history->earlier[i]));
    json_object_set_new(json, "earlier", earlier);
    return json;
}
