#include "review/analysis/headline_parts.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"
#include "review/analysis/headline_words.h"
#include "review/analysis/movement.h"
#include "review/evidence/evidence.h"
#include "review/suspect/go_names.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Traffic that is worth a word: more than a busy page's, and clearly more than usual. */
static const double least_traffic = 1e6, least_factor = 2;
/* Usually less than this is usually nothing. */
static const double no_traffic = 1e3;

/* The last name of a function, which is what people say: "GetRematchStreak" of
 * "game.(*DBStore).GetRematchStreak". A closure is said with the function that it is in. */
static char *spoken_name(const char *function)
{
    char *name = go_names_short(function);
    const char *dot = strrchr(name, '.');
    bool is_plain = dot && dot[1] && dot != name && !strchr(name, '[') &&
                    !go_names_is_generated(function);
    char *spoken = xstrdup(is_plain ? dot + 1 : name);
    free(name);
    return spoken;
}

/* What a share of that sample type is a share of, with its verb. */
static const char *share_of(const char *sample, const char *metric)
{
    static const struct {
        const char *sample, *words;
    } shares[] = {
        {"inuse_space", "of the heap from"},
        {"inuse_objects", "of the heap's objects from"},
        {"alloc_space", "of what is allocated by"},
        {"alloc_objects", "of the allocations by"},
        {"goroutine", "of the goroutines in"},
        {"contentions", "of the contention in"},
        {"delay", "of the waiting in"},
    };
    for (size_t i = 0; sample && i < sizeof shares / sizeof *shares; i++)
        if (!strcmp(shares[i].sample, sample))
            return shares[i].words;
    if (sample && (!strcmp(sample, "cpu") || !strcmp(sample, "samples"))) {
        const char *bare = metric ? headline_bare_name(metric) : "";
        return !strcmp(bare, "cpu") || !strcmp(bare, "cpu.cores") ? "of it in"
                                                                  : "of the CPU time in";
    }
    return "of the profile in";
}

void headline_put_suspect(struct buf *out, const struct evidence *evidence)
{
    const struct incident *incident = evidence->incident;
    const struct incident_function *suspect = &incident->analysis.suspect;
    char now[VALUE_TEXT_SIZE], then[VALUE_TEXT_SIZE];
    if (!suspect->function || !isfinite(suspect->cum_percent))
        return;
    headline_value(UNIT_PERCENT, suspect->cum_percent, now);
    char *name = spoken_name(suspect->function);
    buf_printf(
        out, "; %s %s %.120s", now, share_of(suspect->sample, incident->trigger.metric), name);
    free(name);
    if (!isfinite(suspect->baseline_percent))
        return;
    headline_value(UNIT_PERCENT, suspect->baseline_percent, then);
    if (!strcmp(now, then))
        buf_puts(out, ", as on a calm day");
    else if (suspect->baseline_percent < 0.05)
        buf_puts(out, ", which is not there on a calm day");
    else
        buf_printf(out, ", which is %s on a calm day", then);
}

struct companion {
    const struct series *series;
    struct movement movement;
};

/* The series of that bare name that moved most from its usual level. */
static struct companion find_companion(const struct evidence *evidence, const char *bare)
{
    const struct incident *incident = evidence->incident;
    int64_t begin_ms = incident->onset_ms ? incident->onset_ms : incident->fired_ms;
    struct companion found = {.series = NULL};
    for (size_t i = 0; i < evidence->metrics.count; i++) {
        const struct series *series = evidence->metrics.all[i];
        struct movement movement;
        if (strcmp(headline_bare_name(series->name), bare) != 0)
            continue;
        movement_of(series, begin_ms, MOVEMENT_UP, &movement);
        if (!found.series || movement.strength > found.movement.strength)
            found = (struct companion){series, movement};
    }
    return found;
}

static void put_traffic(struct buf *out, const struct companion *companion)
{
    char value[VALUE_TEXT_SIZE], times[VALUE_TEXT_SIZE];
    const struct movement *movement = &companion->movement;
    const char *name = companion->series->name + strlen("db.");
    size_t length = strcspn(name, ".");
    bool is_named = name[length] == '.';
    buf_printf(out, "; the database%s%.*s sent %s", is_named ? " " : "", is_named ? (int)length : 0,
        name, headline_value(UNIT_RATE, movement->extreme, value));
    if (movement->usual < no_traffic)
        buf_puts(out, ", where there is hardly any usually");
    else
        buf_printf(
            out, ", %s the usual", headline_times(movement->extreme / movement->usual, times));
}

static void put_cpu(struct buf *out, const struct companion *companion)
{
    char from[VALUE_TEXT_SIZE], to[VALUE_TEXT_SIZE];
    buf_puts(out, "; ");
    headline_metric(out, companion->series->name);
    buf_printf(out, " rose from %s to %s",
        headline_value(UNIT_PERCENT, companion->movement.usual, from),
        headline_value(UNIT_PERCENT, companion->movement.extreme, to));
}

void headline_put_companion(struct buf *out, const struct evidence *evidence)
{
    const char *metric = evidence->incident->trigger.metric;
    const char *bare = metric ? headline_bare_name(metric) : "";
    struct companion traffic = find_companion(evidence, "db.received");
    struct companion cpu = find_companion(evidence, "cpu");
    const struct movement *moved = &traffic.movement;
    if (strncmp(bare, "db.", 3) != 0 && traffic.series && isfinite(moved->usual) &&
        moved->extreme >= least_traffic && moved->extreme >= least_factor * moved->usual &&
        moved->strength >= MOVEMENT_FLAT)
        put_traffic(out, &traffic);
    else if (strncmp(bare, "cpu", 3) != 0 && cpu.series && isfinite(cpu.movement.usual) &&
             cpu.movement.strength >= MOVEMENT_FLAT &&
             cpu.movement.extreme >= least_factor * cpu.movement.usual)
        put_cpu(out, &cpu);
}
