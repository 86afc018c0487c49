#include "review/web/web_index.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/crash.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/known.h"
#include "review/history/history.h"
#include "review/history/marking.h"
#include "review/store/store.h"
#include "review/web/web_known.h"
#include "review/web/web_stores.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Incidents get their date when they fire and are stored minutes later, so that only the dates
 * around now change; an outage of the store can put that off, which the rarer listings of
 * everything see. */
static const int64_t recent_span_ms = INT64_C(2) * 24 * 3600 * 1000;

/* Waiting pages hear of what was read this often, not of every incident. */
static const int64_t announce_ms = 200;

struct web_index {
    struct web_stores *stores;
    struct web_index_pace pace;
    void (*tell)(const char *problem);
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    /* Under lock. */
    struct web_summary **summaries;
    size_t count, capacity;
    uint64_t version;
    bool complete, full, stopping;
    struct error problem;
    struct history_book *book; /* NULL: not made since the last change */
    struct web_known known;
    /* The thread's own. */
    uint32_t listing;
    int64_t announced_ms;
    bool unannounced;
    bool all; /* this listing is of everything: broken ones are read again */
};

/* Where the incident is or would be. */
static size_t place_of(
    struct web_summary *const *summaries, size_t count, const char *id, const char *service)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (web_summary_compare(id, service, summaries[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct web_index *index, size_t place, const char *id, const char *service)
{
    return place < index->count && !web_summary_compare(id, service, index->summaries[place]);
}

/* With the lock, before what the book tells of goes. */
static void close_book(struct web_index *index)
{
    history_book_free(index->book);
    index->book = NULL;
}

/* With the lock. */
static void change(struct web_index *index)
{
    index->version++;
    pthread_cond_broadcast(&index->changed);
}

/* Whether the listing need read it. The thread's. */
static bool is_unknown(void *arg, const char *service, const char *id, uint64_t stamp)
{
    struct web_index *index = arg;
    pthread_mutex_lock(&index->lock);
    size_t place = place_of(index->summaries, index->count, id, service);
    bool known = is_at(index, place, id, service);
    if (known)
        index->summaries[place]->seen = index->listing;
    bool broken = known && *index->summaries[place]->problem;
    bool rewritten = known && index->summaries[place]->stamp != stamp;
    pthread_mutex_unlock(&index->lock);
    return !known || rewritten || (broken && index->all);
}

/* With the lock. */
static void insert(struct web_index *index, size_t place, struct web_summary *summary)
{
    if (index->count == index->capacity) {
        index->capacity = index->capacity ? index->capacity * 2 : 1024;
        index->summaries = xrealloc(index->summaries, index->capacity, sizeof *index->summaries);
    }
    if (index->count == WEB_INDEX_MAX)
        web_summary_free(index->summaries[--index->count]);
    memmove(&index->summaries[place + 1], &index->summaries[place],
        (index->count - place) * sizeof *index->summaries);
    index->summaries[place] = summary;
    index->count++;
}

static void announce(struct web_index *index)
{
    index->unannounced = true;
    if (clock_mono_ms() - index->announced_ms < announce_ms)
        return;
    change(index);
    index->announced_ms = clock_mono_ms();
    index->unannounced = false;
}

static int take(void *arg, const struct store_incident *stored)
{
    struct web_index *index = arg;
    struct web_summary *summary = web_summary_new(stored);
    summary->seen = index->listing;
    pthread_mutex_lock(&index->lock);
    close_book(index);
    size_t place = place_of(index->summaries, index->count, stored->id, stored->service);
    if (place == WEB_INDEX_MAX) {
        index->full = true;
        web_summary_free(summary);
    } else if (is_at(index, place, stored->id, stored->service)) {
        web_summary_free(index->summaries[place]);
        index->summaries[place] = summary;
    } else {
        insert(index, place, summary);
    }
    announce(index);
    bool end = index->stopping || (place == WEB_INDEX_MAX && index->full);
    pthread_mutex_unlock(&index->lock);
    return end;
}

/* Whether a listing since then passes over it. */
static bool is_before(const struct web_summary *summary, int64_t since_ms)
{
    int64_t fired_ms;
    return incident_id_time(summary->id, &fired_ms) == 0 && fired_ms + 999 < since_ms;
}

/* What the listing ought to have seen and has not is not there any more. With the lock. */
static bool remove_unseen(struct web_index *index, int64_t since_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < index->count; i++) {
        struct web_summary *summary = index->summaries[i];
        if (summary->seen == index->listing || is_before(summary, since_ms)) {
            index->summaries[kept++] = summary;
            continue;
        }
        close_book(index);
        web_summary_free(summary);
    }
    bool removed = kept < index->count;
    index->count = kept;
    return removed;
}

static int list(struct web_index *index, int64_t since_ms, struct error *err)
{
    struct store *store = web_stores_take(index->stores, err);
    if (!store)
        return -1;
    struct store_filter filter = {
        .since_ms = since_ms, .marks = true, .wanted = is_unknown, .arg = index};
    int status = store_list(store, &filter, take, index, err);
    web_stores_give(index->stores, store);
    return status;
}

/* What somebody else marks shows here as well. */
static void read_known(struct web_index *index)
{
    struct error err;
    struct web_services services;
    struct store *store = web_stores_take(index->stores, &err);
    if (!store)
        return;
    pthread_mutex_lock(&index->lock);
    web_services_of(&services, index->summaries, index->count);
    pthread_mutex_unlock(&index->lock);
    for (size_t i = 0; i < services.count; i++) {
        struct known known;
        if (marking_read_known(store, services.names[i], &known, &err) == 0)
            web_index_set_known(index, services.names[i], &known);
        else
            known_free(&known);
    }
    web_services_free(&services);
    web_stores_give(index->stores, store);
}

static void refresh(struct web_index *index, int64_t since_ms)
{
    struct error err = {""};
    index->listing++;
    index->all = since_ms == INT64_MIN;
    int status = list(index, since_ms, &err);
    if (status == 0)
        read_known(index);
    else if (index->tell && !*index->problem.text) /* which only this thread writes */
        index->tell(err.text);
    pthread_mutex_lock(&index->lock);
    bool news = index->unannounced || strcmp(err.text, index->problem.text) != 0;
    if (status < 0)
        index->problem = err;
    else
        index->problem.text[0] = '\0';
    if (status == 0 && !index->stopping && !index->full)
        news = remove_unseen(index, since_ms) || news;
    if (index->all && status == 0 && !index->complete)
        index->complete = news = true;
    index->unannounced = false;
    if (news)
        change(index);
    pthread_mutex_unlock(&index->lock);
}

static struct timespec time_of(int64_t mono_ms)
{
    return (struct timespec){.tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000};
}

/* False when it is over. */
static bool pause_until(struct web_index *index, int64_t mono_ms)
{
    struct timespec until = time_of(mono_ms);
    pthread_mutex_lock(&index->lock);
    while (!index->stopping && clock_mono_ms() < mono_ms)
        pthread_cond_timedwait(&index->changed, &index->lock, &until);
    bool goes_on = !index->stopping;
    pthread_mutex_unlock(&index->lock);
    return goes_on;
}

static void *run(void *arg)
{
    struct web_index *index = arg;
    int64_t next_all_ms = 0;
    crash_guard_thread();
    do {
        bool all = clock_mono_ms() >= next_all_ms || !index->complete;
        refresh(index, all ? INT64_MIN : clock_wall_ms() - recent_span_ms);
        if (all)
            next_all_ms = clock_mono_ms() + index->pace.all_ms;
    } while (pause_until(index, clock_mono_ms() + index->pace.recent_ms));
    return NULL;
}

static void make_lock(struct web_index *index)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&index->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&index->lock, NULL);
}

static void free_index(struct web_index *index)
{
    for (size_t i = 0; i < index->count; i++)
        web_summary_free(index->summaries[i]);
    free(index->summaries);
    history_book_free(index->book);
    web_known_free(&index->known);
    pthread_cond_destroy(&index->changed);
    pthread_mutex_destroy(&index->lock);
    free(index);
}

struct web_index *web_index_open(struct web_stores *stores, const struct web_index_pace *pace,
    void (*tell)(const char *problem), struct error *err)
{
    sigset_t all, before;
    struct web_index *index = xcalloc(1, sizeof *index);
    *index = (struct web_index){.stores = stores, .pace = *pace, .tell = tell, .version = 1};
    make_lock(index);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&index->thread, NULL, run, index);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        return index;
    error_set(err, "no thread can be started to read incidents: %s", strerror(code));
    free_index(index);
    return NULL;
}

void web_index_wake(struct web_index *index)
{
    pthread_mutex_lock(&index->lock);
    index->stopping = true;
    pthread_cond_broadcast(&index->changed);
    pthread_mutex_unlock(&index->lock);
}

void web_index_close(struct web_index *index)
{
    if (!index)
        return;
    web_index_wake(index);
    pthread_join(index->thread, NULL);
    free_index(index);
}

struct web_index_view web_index_hold(struct web_index *index)
{
    pthread_mutex_lock(&index->lock);
    return (struct web_index_view){.summaries = index->summaries,
        .count = index->count,
        .version = index->version,
        .complete = index->complete,
        .full = index->full,
        .problem = index->problem.text};
}

void web_index_release(struct web_index *index)
{
    pthread_mutex_unlock(&index->lock);
}

void web_index_wait_first(struct web_index *index, size_t enough, int64_t within_ms)
{
    int64_t deadline_ms = clock_mono_ms() + within_ms;
    struct timespec until = time_of(deadline_ms);
    pthread_mutex_lock(&index->lock);
    while (!index->stopping && !index->complete && index->count < enough && !*index->problem.text &&
           clock_mono_ms() < deadline_ms)
        pthread_cond_timedwait(&index->changed, &index->lock, &until);
    pthread_mutex_unlock(&index->lock);
}

void web_index_wait_change(struct web_index *index, uint64_t version, int64_t within_ms)
{
    int64_t deadline_ms = clock_mono_ms() + within_ms;
    struct timespec until = time_of(deadline_ms);
    pthread_mutex_lock(&index->lock);
    while (!index->stopping && index->version == version && clock_mono_ms() < deadline_ms)
        pthread_cond_timedwait(&index->changed, &index->lock, &until);
    pthread_mutex_unlock(&index->lock);
}

const struct web_summary *web_index_find(const struct web_index_view *view, const char *id)
{
    size_t place = place_of(view->summaries, view->count, id, "");
    bool found = place < view->count && !strcmp(view->summaries[place]->id, id);
    return found ? view->summaries[place] : NULL;
}

void web_index_mark(struct web_index *index, const char *id, const struct mark *mark)
{
    pthread_mutex_lock(&index->lock);
    size_t place = place_of(index->summaries, index->count, id, "");
    if (place < index->count && !strcmp(index->summaries[place]->id, id) &&
        web_summary_mark(index->summaries[place], mark))
        change(index);
    pthread_mutex_unlock(&index->lock);
}

void web_index_replace(struct web_index *index, const struct store_incident *stored)
{
    struct web_summary *summary = web_summary_new(stored);
    pthread_mutex_lock(&index->lock);
    size_t place = place_of(index->summaries, index->count, stored->id, stored->service);
    if (is_at(index, place, stored->id, stored->service)) {
        struct mark mark = {
            .looked_ms = index->summaries[place]->looked_ms, .note = index->summaries[place]->note};
        web_summary_mark(summary, &mark);
        summary->seen = index->summaries[place]->seen;
        summary->stamp = index->summaries[place]->stamp;
        close_book(index);
        web_summary_free(index->summaries[place]);
        index->summaries[place] = summary;
        summary = NULL;
        change(index);
    }
    pthread_mutex_unlock(&index->lock);
    web_summary_free(summary);
}

static const struct web_summary *find_unanalysed(const struct web_index *index)
{
    for (size_t i = 0; index->complete && i < index->count; i++)
        if (!index->summaries[i]->analysed && !*index->summaries[i]->problem)
            return index->summaries[i];
    return NULL;
}

char *web_index_wait_unanalysed(struct web_index *index)
{
    const struct web_summary *found = NULL;
    pthread_mutex_lock(&index->lock);
    while (!index->stopping && !(found = find_unanalysed(index)))
        pthread_cond_wait(&index->changed, &index->lock);
    char *id = index->stopping ? NULL : xstrdup(found->id);
    pthread_mutex_unlock(&index->lock);
    return id;
}

void web_index_set_analysed(struct web_index *index, const char *id)
{
    pthread_mutex_lock(&index->lock);
    size_t place = place_of(index->summaries, index->count, id, "");
    if (place < index->count && !strcmp(index->summaries[place]->id, id))
        index->summaries[place]->analysed = true;
    pthread_mutex_unlock(&index->lock);
}

const struct history_book *web_index_book(struct web_index *index)
{
    if (!index->book) {
        struct history_entry *entries = xcalloc(index->count + 1, sizeof *entries);
        for (size_t i = 0; i < index->count; i++)
            web_summary_entry(index->summaries[i], &entries[i]);
        index->book = history_book_new(entries, index->count);
        free(entries);
    }
    return index->book;
}

const struct known *web_index_known(struct web_index *index, const char *service)
{
    return web_known_find(&index->known, service);
}

void web_index_set_known(struct web_index *index, const char *service, struct known *known)
{
    pthread_mutex_lock(&index->lock);
    if (web_known_set(&index->known, service, known))
        change(index);
    pthread_mutex_unlock(&index->lock);
}
