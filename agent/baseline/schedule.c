#include "agent/baseline/schedule.h"

static const int64_t first_calm_ms = 10 * 1000, calm_ms = 60 * 1000;
static const int64_t after_capture_ms = 2 * 60 * 1000;

/* An endpoint that gave nothing is asked again sooner than one that did, but every try is stored.
 */
static const int64_t retry_ms = 30 * 60 * 1000;

/* What failed so often will fail again: the rest of it is as good as a whole one. */
enum { LESSERS_ENOUGH = 2 };

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

static int64_t after(int64_t time_ms, int64_t distance_ms)
{
    return time_ms == INT64_MIN ? INT64_MIN : time_ms + distance_ms;
}

static int64_t retry_after_ms(const struct situation *situation, enum need need)
{
    int64_t every_ms = situation->every_ms;
    bool enough = need == NEED_NEXT && situation->lessers >= LESSERS_ENOUGH;
    return enough || every_ms < retry_ms ? every_ms : retry_ms;
}

void schedule_plan(const struct situation *situation, struct plan *plan)
{
    bool calm = situation->calm_since_ms != INT64_MIN;
    int64_t every_ms = situation->every_ms, due_ms = situation->now_ms;
    int64_t calm_from_ms = calm ? situation->calm_since_ms : situation->now_ms;
    plan->need = situation->deployed                 ? NEED_DEPLOY
                 : situation->newest_ms == INT64_MIN ? NEED_FIRST
                                                     : NEED_NEXT;
    if (plan->need == NEED_NEXT) {
        due_ms = later(due_ms, after(situation->newest_ms, every_ms));
        due_ms = later(due_ms, after(situation->captured_ms, after_capture_ms));
    }
    due_ms = later(due_ms, calm_from_ms + (plan->need == NEED_FIRST ? first_calm_ms : calm_ms));
    due_ms = later(due_ms, after(situation->failed_ms, retry_after_ms(situation, plan->need)));
    plan->due_ms = due_ms;
    plan->now = calm && due_ms <= situation->now_ms;
}
