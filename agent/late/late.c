#include "agent/late/late.h"

#include "agent/incidents/reports.h"
#include "agent/late/late_parts.h"
#include "agent/late/late_schedule.h"
#include "agent/sampling/rds.h"
#include "agent/storage/delivery.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than an hour has; each holds its files on the disk. */
enum { LATE_MAX = 16 };
static const int64_t look_again_ms =
    2000; /* while one waits for what tells nobody that it is over */

void late_exporter_name(const struct late *late, size_t exporter, char name[LATE_NAME_SIZE])
{
    char hash[SHA256_HEX_SIZE];
    const char *identity = delivery_identity(late->setup.delivery, exporter);
    sha256_hash(identity, strlen(identity), hash);
    snprintf(name, LATE_NAME_SIZE, "%.16s", hash);
}

static void free_lines(struct late_one *one)
{
    for (size_t i = 0; one->lines && i < one->late->database_count; i++)
        cloudwatch_lines_free(&one->lines[i]);
    free(one->lines);
    one->lines = NULL;
}

static void make_lines(struct late_one *one)
{
    const struct late *late = one->late;
    one->lines = xcalloc(late->database_count, sizeof *one->lines);
    for (size_t i = 0; i < late->database_count; i++)
        cloudwatch_lines_init(&one->lines[i], late->databases[i].count);
}

static void free_one(struct late_one *one)
{
    free_lines(one);
    free(one->id);
    free(one->folder);
    free(one->stored);
    free(one);
}

struct removal {
    struct late *late;
    char *folder;
};

static void remove_folder(void *arg)
{
    const struct removal *removal = arg;
    fs_remove(removal->folder, NULL);
}

static void removed(void *arg)
{
    struct removal *removal = arg;
    if (!removal->late->stopped)
        spool_refresh(removal->late->setup.spool); /* which counts it */
    free(removal->folder);
    free(removal);
}

static bool is_held(const struct late_one *one)
{
    return one->state == LATE_OPENING || one->late->adding == one;
}

void late_drop(struct late *late, struct late_one *one)
{
    if (is_held(one)) {
        one->dropped = true;
        return;
    }
    if (late->asked == one)
        late_close_clients(late);
    if (!late->stopped) {
        char *key = incident_folder(late->setup.config->service, one->id);
        delivery_update_no_more(late->setup.delivery, key);
        free(key);
        struct removal *removal = xcalloc(1, sizeof *removal);
        removal->late = late;
        removal->folder = xstrdup(one->folder);
        offload_submit(late->setup.disk, remove_folder, removed, removal);
    }
    for (size_t i = 0; i < late->count; i++) {
        if (late->all[i] != one)
            continue;
        late->count--;
        memmove(late->all + i, late->all + i + 1, (late->count - i) * sizeof(struct late_one *));
        break;
    }
    free_one(one);
}

void late_look(struct late *late)
{
    if (!late->stopped)
        loop_timer_set(late->timer, 0);
}

/* The spool has let go of it: what is kept of it is here alone. */
static bool is_on_its_own(const struct late *late, const struct late_one *one)
{
    return !is_held(one) && !reports_has(late->setup.reports, one->id) &&
           delivery_progress(late->setup.delivery, one->id, NULL) == DELIVERY_STORED;
}

/* Nobody has it, and nobody will: it was given up to others, or went for a worse one. */
static bool is_nobodys(const struct late *late, const struct late_one *one)
{
    return !one->stored_count && is_on_its_own(late, one);
}

/* Nothing came with the last try. */
static void give_up(struct late *late, struct late_one *one)
{
    log_warn("incident %s stays without rds.*: %s", one->id,
        one->error[0] ? one->error : "no database of the configuration has cloudwatch any more");
    late_drop(late, one);
}

/* When it is to be looked at again, monotonic; it may be gone afterwards. */
static int64_t look_at(struct late *late, struct late_one *one)
{
    int64_t now_ms = clock_mono_ms(), offset_ms = clock_wall_ms() - now_ms;
    int64_t due_ms = late_due_ms(one->window.to_ms, one->began_ms, one->tries);
    switch (one->state) {
    case LATE_WAITING:
        if (is_nobodys(late, one)) {
            late_drop(late, one);
            return INT64_MAX;
        }
        if (due_ms - offset_ms > now_ms)
            return due_ms - offset_ms;
        if (!late->asked)
            late_ask(late, one);
        return now_ms + look_again_ms;
    case LATE_FETCHED:
        if (!one->window.added && !late_has_any(one)) {
            give_up(late, one);
            return INT64_MAX;
        }
        if (!late->adding)
            late_add(late, one);
        return now_ms + look_again_ms;
    case LATE_READY:
        late_send(late, one);
        return now_ms + look_again_ms;
    case LATE_SENDING: {
        char *key = incident_folder(late->setup.config->service, one->id);
        if (!delivery_is_updating(late->setup.delivery, key))
            late_drop(late, one);
        free(key);
        return now_ms + look_again_ms;
    }
    default:
        return INT64_MAX;
    }
}

static void look(void *arg)
{
    struct late *late = arg;
    int64_t next_ms = INT64_MAX;
    for (size_t i = late->count; i-- > 0;) {
        int64_t again_ms = look_at(late, late->all[i]);
        next_ms = again_ms < next_ms ? again_ms : next_ms;
    }
    if (!late->count)
        late_close_clients(late);
    if (late->count && next_ms != INT64_MAX)
        loop_timer_set(late->timer, next_ms);
}

/* Linking and reading, on the disk thread. */
struct opening {
    struct late_one *one;
    char *from, *to; /* from NULL: it is there already */
    struct late_window window;
    char (*stored)[LATE_NAME_SIZE];
    size_t stored_count;
    int status;
    struct error err;
};

static void take_mark(void *arg, const char *exporter)
{
    struct opening *opening = arg;
    opening->stored = xrealloc(opening->stored, opening->stored_count + 1, sizeof *opening->stored);
    snprintf(opening->stored[opening->stored_count++], LATE_NAME_SIZE, "%s", exporter);
}

static void open_folder(void *arg)
{
    struct opening *opening = arg;
    if (opening->from)
        opening->status = late_files_keep(opening->from, opening->to, &opening->err);
    if (opening->status == 0)
        opening->status = late_files_window(opening->to, &opening->window, &opening->err);
    late_files_marks(opening->to, take_mark, opening);
}

static void add_stored(struct late_one *one, const char *name)
{
    one->stored = xrealloc(one->stored, one->stored_count + 1, sizeof *one->stored);
    snprintf(one->stored[one->stored_count++], LATE_NAME_SIZE, "%s", name);
}

static void opened(void *arg)
{
    struct opening *opening = arg;
    struct late_one *one = opening->one;
    struct late *late = one->late;
    one->window = opening->window;
    one->state = opening->window.added ? LATE_FETCHED : LATE_WAITING;
    for (size_t i = 0; i < opening->stored_count; i++)
        add_stored(one, opening->stored[i]);
    if (opening->status < 0)
        log_warn("incident %s stays without rds.*: %s", one->id, opening->err.text);
    if (opening->status < 0 || one->dropped)
        late_drop(late, one);
    free(opening->from);
    free(opening->to);
    free(opening->stored);
    free(opening);
    late_look(late);
}

static struct late_one *find(const struct late *late, const char *id)
{
    for (size_t i = 0; i < late->count; i++)
        if (!strcmp(late->all[i]->id, id))
            return late->all[i];
    return NULL;
}

static void make_room(struct late *late)
{
    struct late_one *oldest = NULL;
    size_t count = 0;
    for (size_t i = late->count; i-- > 0;) {
        if (late->all[i]->dropped)
            continue;
        oldest = late->all[i];
        count++;
    }
    if (count < LATE_MAX)
        return;
    log_warn("incident %s stays without rds.*: %d that came after it wait for theirs", oldest->id,
        LATE_MAX);
    late_drop(late, oldest);
}

static void add(struct late *late, const char *id, bool is_new)
{
    make_room(late);
    struct late_one *one = xcalloc(1, sizeof *one);
    one->late = late;
    one->id = xstrdup(id);
    one->folder = xasprintf("%s/%s", late->folder, id);
    one->began_ms = clock_wall_ms();
    make_lines(one);
    late->all = xrealloc(late->all, late->count + 1, sizeof(struct late_one *));
    late->all[late->count++] = one;
    struct opening *opening = xcalloc(1, sizeof *opening);
    opening->one = one;
    opening->from = is_new ? spool_folder(late->setup.spool, id) : NULL;
    opening->to = xstrdup(one->folder);
    offload_submit(late->setup.disk, open_folder, opened, opening);
}

static bool is_wanted(const struct late *late)
{
    for (size_t i = 0; i < late->database_count; i++)
        if (late->databases[i].wanted)
            return true;
    return false;
}

void late_take(struct late *late, const char *id)
{
    if (is_wanted(late) && !late->stopped && !find(late, id) &&
        !incident_id_is_of(id, "baseline") && !spool_in_memory(late->setup.spool, id))
        add(late, id, true);
}

struct marking {
    char *folder;
    char name[LATE_NAME_SIZE];
};

static void mark(void *arg)
{
    const struct marking *marking = arg;
    late_files_mark(marking->folder, marking->name);
}

static void marked(void *arg)
{
    struct marking *marking = arg;
    free(marking->folder);
    free(marking);
}

static void on_stored(void *arg, const char *id, size_t exporter)
{
    struct late *late = arg;
    struct late_one *one = find(late, id);
    if (!one)
        return;
    struct marking *marking = xcalloc(1, sizeof *marking);
    marking->folder = xstrdup(one->folder);
    late_exporter_name(late, exporter, marking->name);
    add_stored(one, marking->name);
    offload_submit(late->setup.disk, mark, marked, marking);
    late_look(late);
}

static void open_databases(struct late *late)
{
    const struct config *config = late->setup.config;
    late->database_count = config->database_count;
    late->databases = xcalloc(config->database_count, sizeof *late->databases);
    for (size_t i = 0; i < config->database_count; i++) {
        struct late_database *database = &late->databases[i];
        if (!config_has_cloudwatch(&config->databases[i]))
            continue;
        database->wanted = true;
        rds_target(&config->databases[i], &database->target);
        database->names = rds_names(config, &config->databases[i], &database->count);
        database->series = xcalloc(database->count, sizeof *database->series);
        for (size_t j = 0; j < database->count; j++)
            database->series[j] = cloudwatch_series(&database->target, database->names[j]);
    }
}

static void close_databases(struct late *late)
{
    late_close_clients(late);
    for (size_t i = 0; i < late->database_count; i++) {
        rds_free_names(late->databases[i].names, late->databases[i].count);
        rds_free_names(late->databases[i].series, late->databases[i].count);
    }
    free(late->databases);
    late->databases = NULL;
    late->database_count = 0;
}

/* What begins with a dot was being linked when the agent was killed; its incident is in the spool.
 */
static int take_up(void *arg, const char *name)
{
    struct late *late = arg;
    int64_t fired_ms;
    char *draft = name[0] == '.' ? xasprintf("%s/%s", late->folder, name) : NULL;
    if (draft)
        fs_remove(draft, NULL);
    else if (incident_id_time(name, &fired_ms) == 0)
        add(late, name, false);
    free(draft);
    return 0;
}

struct late *late_open(const struct late_setup *setup)
{
    struct late *late = xcalloc(1, sizeof *late);
    late->setup = *setup;
    late->folder = xstrdup(spool_late_folder(setup->spool));
    late->timer = loop_timer_new(setup->loop, look, late);
    open_databases(late);
    fs_each(late->folder, take_up, late, NULL);
    delivery_on_stored(setup->delivery, on_stored, late);
    return late;
}

void late_reload(struct late *late, const struct config *config)
{
    for (size_t i = 0; i < late->count; i++)
        free_lines(late->all[i]);
    close_databases(late);
    late->setup.config = config;
    open_databases(late);
    for (size_t i = late->count; i-- > 0;) {
        struct late_one *one = late->all[i];
        make_lines(one);
        if (one->state == LATE_FETCHED && !one->window.added) {
            one->state = LATE_WAITING; /* and is asked for once more */
            one->tries = LATE_TRIES - 1;
        }
        if (one->state == LATE_WAITING && !is_wanted(late))
            late_drop(late, one);
    }
    late_look(late);
}

void late_give_way(struct late *late)
{
    uint64_t limit = (uint64_t)late->setup.config->limits.spool_bytes;
    int64_t now_ms = clock_mono_ms();
    if (late->stopped || spool_bytes(late->setup.spool) <= limit / 10 * 8 ||
        now_ms - late->gave_way_ms < look_again_ms) /* the last one is being counted */
        return;
    for (size_t i = 0; i < late->count; i++) {
        struct late_one *one = late->all[i];
        if (!is_on_its_own(late, one))
            continue;
        late->gave_way_ms = now_ms;
        log_warn("incident %s stays without rds.*%s: the spool is nearly full (limits.spool)",
            one->id, one->state == LATE_SENDING ? " where it has none yet" : "");
        late_drop(late, one);
        break;
    }
}

bool late_is_adding(const struct late *late)
{
    return late->adding != NULL;
}

void late_stop(struct late *late)
{
    if (!late)
        return;
    size_t waiting = late->count;
    if (waiting)
        log_info("%zu incident%s without rds.* yet: the next start with this state adds it",
            waiting, waiting == 1 ? " is" : "s are");
    late->stopped = true;
    loop_timer_unset(late->timer);
    late_close_clients(late);
    delivery_on_stored(late->setup.delivery, NULL, late);
}

void late_close(struct late *late)
{
    if (!late)
        return;
    for (size_t i = 0; i < late->count; i++)
        free_one(late->all[i]);
    free(late->all);
    close_databases(late);
    loop_timer_free(late->timer);
    free(late->folder);
    free(late);
}

size_t late_waiting(const struct late *late)
{
    return late->count;
}

const char *late_error(const struct late *late)
{
    return late->error[0] ? late->error : NULL;
}
