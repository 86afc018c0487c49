#include "exporters/directory_retention.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/metric.h"
#include "core/offload.h"
#include "exporters/directory_sweep.h"
#include "exporters/exporter.h"

#include <stdlib.h>
#include <string.h>

/* After the start it is not at once, so that who only tries the exporter removes nothing. */
static const int64_t first_ms = 120000, every_ms = 3600000;

struct directory_retention {
    struct loop *loop;
    struct offload *thread;
    struct loop_timer *timer;
    char *path, *service, *label;
    int64_t keep_ms;
    uint64_t size_bytes;
    struct sweeping *running;
    bool again;        /* something was stored since it began */
    bool over, failed; /* that is said */
    struct exporter_holdings holdings;
};

/* One sweep. It belongs to the thread's job while that runs, and outlives a close. */
struct sweeping {
    struct directory_retention *retention; /* NULL: nobody waits any more */
    struct offload *thread;
    char *service;
    struct sweep sweep;
    enum { BEGINNING, LISTING, REMOVING } step;
    bool listed;    /* all of it */
    size_t next;    /* to be removed */
    size_t removed; /* since the choice */
    bool refused;   /* one was not removed since the choice */
    enum sweep_outcome outcome;
    struct error err;
};

static void free_sweeping(struct sweeping *sweeping)
{
    sweep_free(&sweeping->sweep);
    free(sweeping->service);
    free(sweeping);
}

/* On the thread. */
static void work(void *arg)
{
    struct sweeping *sweeping = arg;
    struct sweep *sweep = &sweeping->sweep;
    switch (sweeping->step) {
    case BEGINNING:
        sweeping->outcome = sweep_begin(sweep, &sweeping->err) < 0 ? SWEEP_FAILED : SWEEP_GONE;
        break;
    case LISTING:
        sweeping->listed = !sweep_next_date(sweep);
        break;
    case REMOVING:
        sweeping->outcome = sweep_remove(sweep, &sweep->incidents[sweeping->next], &sweeping->err);
        break;
    }
}

static void worked(void *arg);

static void go_on(struct sweeping *sweeping)
{
    offload_submit(sweeping->thread, work, worked, sweeping);
}

static void begin(struct directory_retention *retention)
{
    struct sweeping *sweeping = xcalloc(1, sizeof *sweeping);
    sweeping->retention = retention;
    sweeping->thread = retention->thread;
    sweeping->service = xstrdup(retention->service);
    sweep_init(&sweeping->sweep, retention->path, sweeping->service);
    retention->running = sweeping;
    retention->again = false;
    go_on(sweeping);
}

static void note_holdings(struct sweeping *sweeping)
{
    struct exporter_holdings *holdings = &sweeping->retention->holdings;
    holdings->known = true;
    holdings->bytes = sweeping->sweep.total_bytes;
    holdings->incidents = sweeping->sweep.total;
    holdings->held = sweeping->sweep.held;
}

static void say_whether_over(struct directory_retention *retention)
{
    const struct exporter_holdings *holdings = &retention->holdings;
    bool over = retention->size_bytes && holdings->bytes > retention->size_bytes;
    if (over && !retention->over)
        log_warn("%s holds %llu bytes of this service, more than size (%llu), and nothing more may "
                 "go: it has notes or files of people, is not complete, or is the newest; raise "
                 "size, or remove by hand what is not wanted",
            retention->label, (unsigned long long)holdings->bytes,
            (unsigned long long)retention->size_bytes);
    retention->over = over;
}

static void say_problem(struct directory_retention *retention, const struct error *err)
{
    if (!retention->failed)
        log_warn(
            "%s: what is too old or too much cannot be removed: %s: may the agent write there?",
            retention->label, err->text);
    retention->failed = true;
}

static void end(struct sweeping *sweeping)
{
    struct directory_retention *retention = sweeping->retention;
    bool failed = sweeping->err.text[0] != '\0';
    if (failed)
        say_problem(retention, &sweeping->err);
    else
        retention->failed = false;
    if (!failed && !retention->again)
        say_whether_over(retention);
    retention->running = NULL;
    free_sweeping(sweeping);
    loop_timer_set(retention->timer, retention->again ? 0 : clock_mono_ms() + every_ms);
}

/* The next one that is to go, from here on; `count` when there is none. */
static size_t next_to_go(const struct sweeping *sweeping, size_t from)
{
    const struct sweep *sweep = &sweeping->sweep;
    while (from < sweep->count && !sweep->incidents[from].goes)
        from++;
    return from;
}

static void choose(struct sweeping *sweeping)
{
    struct directory_retention *retention = sweeping->retention;
    struct sweep *sweep = &sweeping->sweep;
    const struct retention limits = {.keep_ms = retention->keep_ms,
        .size_bytes = retention->size_bytes,
        .total_bytes = sweep->total_bytes,
        .more = sweep->more};
    sweeping->step = REMOVING;
    sweeping->removed = 0;
    sweeping->refused = false;
    note_holdings(sweeping);
    if (retention_choose(sweep->incidents, sweep->count, &limits, clock_wall_ms()) == 0) {
        end(sweeping);
        return;
    }
    sweeping->next = next_to_go(sweeping, 0);
    go_on(sweeping);
}

static void note_removed(struct sweeping *sweeping, struct retained *incident)
{
    struct directory_retention *retention = sweeping->retention;
    struct sweep *sweep = &sweeping->sweep;
    if (sweeping->outcome == SWEEP_REMOVED) {
        retention->holdings.removed++;
        if (incident->too_old)
            log_info("incident %s is removed from %s: it is older than keep", incident->id,
                retention->label);
        else
            log_info("incident %s is removed from %s: %llu bytes are more than size", incident->id,
                retention->label, (unsigned long long)sweep->total_bytes);
    }
    sweep->total_bytes -= incident->bytes;
    sweep->total--;
    incident->complete = false; /* it is not chosen again */
    incident->bytes = 0;
    sweeping->removed++;
    note_holdings(sweeping);
}

/* What was refused leaves room to be made by others; behind what was listed there may be more. */
static void after_all(struct sweeping *sweeping)
{
    if (sweeping->refused) {
        choose(sweeping);
        return;
    }
    if (sweeping->sweep.more && sweeping->removed)
        sweeping->retention->again = true;
    end(sweeping);
}

static void after_removal(struct sweeping *sweeping)
{
    struct sweep *sweep = &sweeping->sweep;
    struct retained *incident = &sweep->incidents[sweeping->next];
    switch (sweeping->outcome) {
    case SWEEP_REMOVED:
    case SWEEP_GONE:
        note_removed(sweeping, incident);
        break;
    case SWEEP_HELD:
        log_debug("incident %s stays in %s: somebody noted something, or put a file there",
            incident->id, sweeping->retention->label);
        incident->held = sweeping->refused = true;
        sweep->held++;
        break;
    case SWEEP_FAILED:
        end(sweeping);
        return;
    }
    sweeping->next = next_to_go(sweeping, sweeping->next + 1);
    if (sweeping->next == sweep->count)
        after_all(sweeping);
    else
        go_on(sweeping);
}

static void worked(void *arg)
{
    struct sweeping *sweeping = arg;
    if (!sweeping->retention) {
        free_sweeping(sweeping);
    } else if (sweeping->step == REMOVING) {
        after_removal(sweeping);
    } else if (sweeping->outcome == SWEEP_FAILED) {
        end(sweeping);
    } else if (sweeping->listed) {
        choose(sweeping);
    } else {
        sweeping->step = LISTING;
        go_on(sweeping);
    }
}

static void expired(void *arg)
{
    struct directory_retention *retention = arg;
    if (!retention->running)
        begin(retention);
}

struct directory_retention *directory_retention_open(const struct directory_retention_setup *setup)
{
    struct directory_retention *retention = xcalloc(1, sizeof *retention);
    *retention = (struct directory_retention){.loop = setup->loop,
        .thread = setup->thread,
        .path = xstrdup(setup->path),
        .service = xstrdup(setup->service),
        .label = xstrdup(setup->label),
        .keep_ms = setup->keep_ms,
        .size_bytes = setup->size_bytes};
    retention->timer = loop_timer_new(setup->loop, expired, retention);
    loop_timer_set(retention->timer, clock_mono_ms() + first_ms);
    return retention;
}

void directory_retention_close(struct directory_retention *retention)
{
    if (!retention)
        return;
    if (retention->running)
        retention->running->retention = NULL;
    loop_timer_free(retention->timer);
    free(retention->path);
    free(retention->service);
    free(retention->label);
    free(retention);
}

void directory_retention_stored(struct directory_retention *retention)
{
    if (!retention)
        return;
    retention->again = true;
    if (!retention->running)
        loop_timer_set(retention->timer, 0);
}

void directory_retention_status(
    const struct directory_retention *retention, struct exporter_holdings *holdings)
{
    *holdings = retention->holdings;
    holdings->keep_ms = retention->keep_ms;
    holdings->size_bytes = retention->size_bytes;
}
