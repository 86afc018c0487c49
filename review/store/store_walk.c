#include "review/store/store_walk.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/store/store.h"
#include "review/store/store_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES_MAX = 1000000,
    AHEAD_MAX = 16, /* listings that are under way at a time */
    FEW = 16,       /* incidents of a date: the dates before it will be asked for soon */
    TIME_LENGTH = sizeof "20261123T150401" - 1,
    DATE_LENGTH = sizeof "20261123" - 1
};

/* Incidents of one date whose ids begin with this: "20261123", or more of a time where there are
 * too many to be listed in one go. */
struct span {
    char begin[TIME_LENGTH + 1];
};

/* One service: what is listed of it and was not told yet, and what is to be listed after that. */
struct stream {
    char *service;
    struct store_place *listed; /* oldest first */
    size_t listed_count, listed_capacity;
    struct span *spans; /* the newest last */
    size_t span_count, span_capacity;
    size_t ahead; /* how many spans beyond the next one are listed meanwhile */
};

struct store_walk {
    const struct store_backend *backend;
    void *self;
    const char *where;
    const struct store_filter *filter;
    char since[TIME_LENGTH + 1]; /* no id before this is told; "": all */
    struct stream *streams;
    size_t count, capacity;
    struct stream *listing; /* the one that is being listed */
};

static void stream_free(struct stream *stream)
{
    for (size_t i = 0; i < stream->listed_count; i++)
        free(stream->listed[i].id);
    free(stream->listed);
    free(stream->spans);
    free(stream->service);
}

void store_walk_close(struct store_walk *walk)
{
    if (!walk)
        return;
    if (walk->backend->expect)
        walk->backend->expect(walk->self, STORE_NOTHING, NULL, 0);
    for (size_t i = 0; i < walk->count; i++)
        stream_free(&walk->streams[i]);
    free(walk->streams);
    free(walk);
}

static int add_service(struct store_walk *walk, const char *service)
{
    if (walk->count == PLACES_MAX)
        return 1;
    if (walk->count == walk->capacity) {
        walk->capacity = walk->capacity ? walk->capacity * 2 : 16;
        walk->streams = xrealloc(walk->streams, walk->capacity, sizeof *walk->streams);
    }
    walk->streams[walk->count++] = (struct stream){.service = xstrdup(service)};
    return 0;
}

static int take_service(void *arg, const char *name)
{
    static const char key[] = "service=";
    const char *service = name + sizeof key - 1;
    if (strncmp(name, key, sizeof key - 1) != 0 || !incident_name_valid(service))
        return 0;
    return add_service(arg, service);
}

static void push_span(struct stream *stream, const char *begin)
{
    if (stream->span_count == stream->span_capacity) {
        stream->span_capacity = stream->span_capacity ? stream->span_capacity * 2 : 16;
        stream->spans = xrealloc(stream->spans, stream->span_capacity, sizeof *stream->spans);
    }
    strcpy(stream->spans[stream->span_count++].begin, begin);
}

/* Whether nothing that begins so is to be told: all of it is before `since`. */
static bool is_before(const struct store_walk *walk, const char *begin)
{
    return strncmp(begin, walk->since, strlen(begin)) < 0;
}

static int take_date(void *arg, const char *name)
{
    static const char form[] = "date=0000-00-00";
    struct store_walk *walk = arg;
    char begin[TIME_LENGTH + 1];
    size_t length = 0;
    if (strlen(name) != sizeof form - 1)
        return 0;
    for (size_t i = 0; form[i]; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';
        if (form[i] == '0' ? !digit : name[i] != form[i])
            return 0;
        if (digit)
            begin[length++] = name[i];
    }
    begin[length] = '\0';
    if (is_before(walk, begin))
        return 0;
    if (walk->listing->span_count == PLACES_MAX)
        return 1;
    push_span(walk->listing, begin);
    return 0;
}

static int take_id(void *arg, const char *id, bool marked, uint64_t stamp)
{
    struct store_walk *walk = arg;
    const struct store_filter *filter = walk->filter;
    struct stream *stream = walk->listing;
    int64_t fired_ms;
    if (!incident_id_valid(id) || incident_id_time(id, &fired_ms) < 0)
        return 0;
    /* An id has whole seconds only: the exact time is compared once it is known. */
    if (filter->since_ms > fired_ms + 999)
        return 0;
    if (filter->trigger && !incident_id_is_of(id, filter->trigger))
        return 0;
    if (filter->wanted && !filter->wanted(filter->arg, stream->service, id, stamp))
        return 0;
    if (stream->listed_count == PLACES_MAX)
        return 1;
    if (stream->listed_count == stream->listed_capacity) {
        stream->listed_capacity = stream->listed_capacity ? stream->listed_capacity * 2 : 16;
        stream->listed = xrealloc(stream->listed, stream->listed_capacity, sizeof *stream->listed);
    }
    stream->listed[stream->listed_count++] = (struct store_place){
        stream->service, xstrdup(id), marked, stamp};
    return 0;
}

static int compare_spans(const void *left, const void *right)
{
    return strcmp(((const struct span *)left)->begin, ((const struct span *)right)->begin);
}

static int compare_listed(const void *left, const void *right)
{
    return strcmp(((const struct store_place *)left)->id, ((const struct store_place *)right)->id);
}

static int compare_streams(const void *left, const void *right)
{
    return strcmp(((const struct stream *)left)->service, ((const struct stream *)right)->service);
}

static int check_count(const struct store_walk *walk, int status, struct error *err)
{
    if (status > 0)
        return error_set(err,
            "%s holds more than %d incidents in one place; narrow it down with "
            "a service",
            walk->where, PLACES_MAX);
    return status;
}

enum { AFTER_SIZE = sizeof "date=2026-11-2/~" };

/* Where a stream's dates are; the caller frees the path. What comes before the first date is not
 * told: the date itself has to come after that text. */
static struct store_span span_of_dates(
    const struct store_walk *walk, const struct stream *stream, char after[AFTER_SIZE], char **path)
{
    const char *since = walk->since;
    *path = xasprintf("service=%s", stream->service);
    if (*since)
        snprintf(after, AFTER_SIZE, "date=%.4s-%.2s-%c%c~", since, since + 4, since[6],
            (char)(since[7] - 1));
    return (struct store_span){.path = *path, .begin = "", .after = *since ? after : NULL};
}

static void expect_dates(const struct store_walk *walk, size_t index)
{
    char after[AFTER_SIZE], *path;
    if (!walk->backend->expect || index >= walk->count)
        return;
    struct store_span span = span_of_dates(walk, &walk->streams[index], after, &path);
    walk->backend->expect(walk->self, STORE_NAMES, &span, 0);
    free(path);
}

static int list_dates(struct store_walk *walk, struct error *err)
{
    int status = 0;
    for (size_t i = 1; i < AHEAD_MAX; i++)
        expect_dates(walk, i);
    for (size_t i = 0; i < walk->count && status == 0; i++) {
        char after[AFTER_SIZE], *path;
        struct stream *stream = walk->listing = &walk->streams[i];
        struct store_span span = span_of_dates(walk, stream, after, &path);
        expect_dates(walk, i + AHEAD_MAX);
        status = walk->backend->names(walk->self, &span, take_date, walk, err);
        free(path);
        if (stream->span_count > 1)
            qsort(stream->spans, stream->span_count, sizeof *stream->spans, compare_spans);
    }
    return check_count(walk, status, err);
}

struct store_walk *store_walk_open(const struct store_backend *backend, void *self,
    const char *where, const struct store_filter *filter, struct error *err)
{
    struct store_walk *walk = xcalloc(1, sizeof *walk);
    *walk = (struct store_walk){.backend = backend, .self = self, .where = where, .filter = filter};
    int status = 0;
    if (filter->since_ms != INT64_MIN) {
        char text[RFC3339_SIZE];
        rfc3339_format(filter->since_ms, text);
        snprintf(walk->since, sizeof walk->since, "%.4s%.2s%.2sT%.2s%.2s%.2s", text, text + 5,
            text + 8, text + 11, text + 14, text + 17);
    }
    if (!filter->service)
        status = check_count(walk,
            backend->names(
                self, &(struct store_span){.path = "", .begin = ""}, take_service, walk, err),
            err);
    else if (incident_name_valid(filter->service))
        add_service(walk, filter->service);
    else
        status = error_set(err, "a service's name has letters, digits, . _ - only");
    if (walk->count > 1)
        qsort(walk->streams, walk->count, sizeof *walk->streams, compare_streams);
    if (status == 0)
        status = list_dates(walk, err);
    if (status == 0)
        return walk;
    store_walk_close(walk);
    return NULL;
}

/* Where the incidents of a span are. */
static struct store_span span_of_ids(const struct store_walk *walk, const struct stream *stream,
    const struct span *span, char **path)
{
    const char *begin = span->begin;
    bool crossed = !strncmp(begin, walk->since, strlen(begin));
    *path = xasprintf(
        "service=%s/date=%.4s-%.2s-%.2s", stream->service, begin, begin + 4, begin + 6);
    return (struct store_span){.path = *path,
        .begin = begin,
        .after = crossed ? walk->since : NULL,
        .whole = strlen(begin) < TIME_LENGTH};
}

static void expect_ids(const struct store_walk *walk, const struct stream *stream, size_t index)
{
    char *path;
    struct store_span span = span_of_ids(walk, stream, &stream->spans[index], &path);
    walk->backend->expect(walk->self, STORE_HOLDERS, &span, 0);
    free(path);
}

/* What will have to be listed right after this: the same date of other services, and dates before
 * it where a date holds little. */
static void expect_more(const struct store_walk *walk, const struct stream *stream)
{
    size_t budget = AHEAD_MAX - 1;
    const char *begin = stream->spans[stream->span_count - 1].begin;
    if (!walk->backend->expect)
        return;
    expect_ids(walk, stream, stream->span_count - 1);
    for (size_t i = 0; i < walk->count && budget > 0; i++) {
        const struct stream *other = &walk->streams[i];
        size_t top = other->span_count - 1; /* never used where there is none */
        if (other == stream || other->listed_count > 0 || other->span_count == 0 ||
            strncmp(other->spans[top].begin, begin, DATE_LENGTH) != 0)
            continue;
        expect_ids(walk, other, top);
        budget--;
    }
    for (size_t i = 1; i <= stream->ahead && i < stream->span_count && budget > 0; i++, budget--)
        expect_ids(walk, stream, stream->span_count - 1 - i);
}

/* The last value of a digit of the time in an id. */
static char last_digit(const char *begin, size_t place)
{
    static const char last[] = "00000000T295959";
    return place == DATE_LENGTH + 2 && begin[place - 1] == '2' ? '3' : last[place];
}

/* In place of one span, those with one more digit. */
static void split_span(struct store_walk *walk, struct stream *stream)
{
    char begin[TIME_LENGTH + 1];
    strcpy(begin, stream->spans[--stream->span_count].begin);
    size_t length = strlen(begin);
    if (length == DATE_LENGTH)
        begin[length++] = 'T';
    char last = last_digit(begin, length);
    begin[length + 1] = '\0';
    for (char digit = '0'; digit <= last; digit++) {
        begin[length] = digit;
        if (!is_before(walk, begin))
            push_span(stream, begin);
    }
    stream->ahead = 0;
}

static int list_ids(struct store_walk *walk, struct stream *stream, struct error *err)
{
    const char *const files[2] = {STORE_INCIDENT, walk->filter->marks ? STORE_MARKS : NULL};
    char *path;
    expect_more(walk, stream);
    struct store_span span = span_of_ids(
        walk, stream, &stream->spans[stream->span_count - 1], &path);
    walk->listing = stream;
    int status = walk->backend->holders(walk->self, &span, files, take_id, walk, err);
    free(path);
    if (status == STORE_NOT_WHOLE) {
        split_span(walk, stream);
        return 0;
    }
    stream->span_count--;
    if (stream->listed_count > 1)
        qsort(stream->listed, stream->listed_count, sizeof *stream->listed, compare_listed);
    bool few = stream->listed_count < FEW;
    stream->ahead = few ? 2 * stream->ahead + 1 : 0;
    if (stream->ahead > AHEAD_MAX - 1)
        stream->ahead = AHEAD_MAX - 1;
    return check_count(walk, status, err);
}

/* What comes next of a stream, or, where that is to be listed, what it can be at most; NULL: it is
 * at its end. */
static const char *bound_of(const struct stream *stream)
{
    if (stream->listed_count > 0)
        return stream->listed[stream->listed_count - 1].id;
    return stream->span_count > 0 ? stream->spans[stream->span_count - 1].begin : NULL;
}

/* Whether one is to be told before the other. A span comes before all ids that begin like it, as
 * they may be in it; of the same id the service decides. */
static bool is_before_other(const struct stream *stream, const struct stream *other)
{
    const char *a = bound_of(stream), *b = bound_of(other);
    size_t a_length = strlen(a), b_length = strlen(b);
    int order = strncmp(a, b, a_length < b_length ? a_length : b_length);
    if (order != 0 || a_length == b_length)
        return order > 0;
    bool a_spans = stream->listed_count == 0, b_spans = other->listed_count == 0;
    return a_spans == b_spans ? strcmp(a, b) > 0 : a_spans;
}

static struct stream *next_stream(struct store_walk *walk)
{
    struct stream *next = NULL;
    for (size_t i = 0; i < walk->count; i++)
        if (bound_of(&walk->streams[i]) && (!next || is_before_other(&walk->streams[i], next)))
            next = &walk->streams[i];
    return next;
}

int store_walk_next(struct store_walk *walk, struct store_place *place, struct error *err)
{
    int status = 0;
    struct stream *stream;
    while ((stream = next_stream(walk)) && stream->listed_count == 0 && status == 0)
        status = list_ids(walk, stream, err);
    if (!stream || status < 0)
        return status;
    *place = stream->listed[--stream->listed_count];
    return 1;
}
