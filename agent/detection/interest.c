#include "agent/detection/interest.h"

#include "agent/detection/caught.h"

#include <math.h>
#include <string.h>

static int class_of(const struct interest *one)
{
    if (one->grave)
        return 3;
    if (one->follow_up || one->empty)
        return 0;
    return one->known ? 1 : 2;
}

/* How many times the level it is; 1, as if just there, where that cannot be told. */
static double times_of(const struct interest *one)
{
    double times = one->down ? one->limit / one->value : one->value / one->limit;
    return isfinite(times) && one->limit > 0 ? times : 1;
}

static bool is_of_one_metric(const struct interest *left, const struct interest *right)
{
    return left->metric && right->metric && !strcmp(left->metric, right->metric) &&
           !strcmp(left->app, right->app) && left->down == right->down && isfinite(left->value) &&
           isfinite(right->value);
}

/* Beyond it by as much or more; `clearly`: by much more. */
static bool is_beyond(const struct interest *fire, const struct interest *waiting, bool clearly)
{
    if (!is_of_one_metric(fire, waiting))
        return times_of(fire) >= times_of(waiting) * (clearly ? CAUGHT_WORSE : 1);
    if (fire->down)
        return fire->value <= waiting->value / (clearly ? CAUGHT_WORSE : 1);
    return clearly ? fire->value > caught_worse_level(fire->unit, waiting->value)
                   : fire->value >= waiting->value;
}

bool interest_is_worse(const struct interest *fire, const struct interest *waiting)
{
    int own = class_of(fire), other = class_of(waiting);
    if (own != other)
        return own > other && (fire->grave || is_beyond(fire, waiting, false));
    return is_beyond(fire, waiting, true);
}

static bool is_less(const struct interest *left, const struct interest *right)
{
    int class = class_of(left), other = class_of(right);
    if (class != other)
        return class < other;
    if (is_of_one_metric(left, right))
        return left->down ? left->value >= right->value : left->value <= right->value;
    return times_of(left) <= times_of(right);
}

size_t interest_choose(const struct interest *fire, const struct interest *waiting, size_t count)
{
    size_t chosen = count;
    for (size_t i = 0; i < count; i++)
        if (interest_is_worse(fire, &waiting[i]) &&
            (chosen == count || is_less(&waiting[i], &waiting[chosen])))
            chosen = i;
    return chosen;
}
