#include "agent/apps/app_life.h"

#include "sources/source.h"

/* Between a kill for want of memory, the end of the process, and their being noticed. */
static const int64_t of_one_end_ms = 10000;

static unsigned end(struct app_life *life, int64_t now_ms)
{
    life->down = true;
    life->end = (struct app_end){.time_ms = now_ms, .exit_code = -1};
    return APP_LIFE_ENDED;
}

static unsigned restart(struct app_life *life, int64_t now_ms)
{
    unsigned changes = life->down ? 0 : end(life, now_ms);
    life->down = false;
    life->end.restarted_ms = now_ms;
    return changes | APP_LIFE_RESTARTED;
}

static void note_kills(struct app_life *life, const struct source_life *source, int64_t now_ms)
{
    if (source->oom_kills > life->oom_kills)
        life->killed_ms = now_ms;
    life->oom_kills = source->oom_kills;
}

static bool is_fresh(const struct app_life *life, int64_t now_ms)
{
    return life->down || (life->end.time_ms && now_ms - life->end.restarted_ms <= of_one_end_ms);
}

/* What the source knows of the newest end, perhaps only now. */
static unsigned tell(struct app_life *life, const struct source_life *source, int64_t now_ms)
{
    struct app_end *last = &life->end;
    unsigned changes = 0;
    if (!is_fresh(life, now_ms))
        return 0;
    bool killed = life->killed_ms && life->killed_ms >= last->time_ms - of_one_end_ms;
    if (killed && !last->oom_killed)
        changes = APP_LIFE_TOLD;
    last->oom_killed = last->oom_killed || killed;
    bool ended = source->gone || last->restarted_ms;
    if (ended && source->exit_code >= 0 && last->exit_code < 0) {
        last->exit_code = source->exit_code;
        changes = APP_LIFE_TOLD;
    }
    return changes;
}

static unsigned by_source(struct app_life *life, const struct source_life *source, int64_t now_ms)
{
    unsigned changes = 0;
    note_kills(life, source, now_ms);
    if (source->starts != life->starts || (!source->gone && life->down))
        changes = restart(life, now_ms);
    else if (source->gone && !life->down)
        changes = end(life, now_ms);
    if (source->gone && !life->down) /* ended again before this was looked at */
        changes |= end(life, now_ms);
    life->starts = source->starts;
    return changes | tell(life, source, now_ms);
}

unsigned app_life_update(
    struct app_life *life, const struct source_life *source, bool endpoint_gone, int64_t now_ms)
{
    if (source->known && !life->seen) {
        life->seen = true;
        life->starts = source->starts;
        life->oom_kills = source->oom_kills;
    }
    if (source->known)
        return by_source(life, source, now_ms);
    if (life->seen || endpoint_gone == life->down)
        return 0;
    return endpoint_gone ? end(life, now_ms) : restart(life, now_ms);
}
