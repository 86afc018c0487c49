#include "triggers/rises.h"

#include <math.h>
#include <string.h>

enum {
    RUN = 4,     /* samples that make a rise */
    FIT = 6,     /* blocks that make one */
    FINEST = 64, /* blocks of the finest scale in a unit of time */
    SETTLED = 4, /* stretches of the past after which a peak more tells little new */
    FINER = 3,   /* scales: their newest blocks are about as long as one of the scale, or longer */
    USUAL = 32,  /* points that the usual jitter is of */
    NOISE = 2    /* times the jitter: what noise rises by when it happens to be in order */
};

/* More than that part of a rise from one block to the next is a step: an even rise has a 5th. */
#define STEP 0.6

/* Values here are never NAN, which costs fmin and fmax a call. */
static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

void rises_init(struct rises *rises, int64_t unit_ms)
{
    *rises = (struct rises){.unit_ms = unit_ms, .past_lowest = INFINITY};
}

const struct point *rises_newest(const struct rises_scale *scale, unsigned back)
{
    return &scale->points[(scale->count - 1 - back) % RISES_POINTS];
}

static double slope_between(const struct point *from, const struct point *to)
{
    int64_t distance_ms = to->time_ms - from->time_ms;
    return distance_ms > 0 ? (to->value - from->value) / (double)distance_ms : 0;
}

/* A line has no jitter however steep it is; that of independent values is their deviation. */
static void see_jitter(struct rises_scale *scale)
{
    if (scale->count < 3)
        return;
    const struct point *first = rises_newest(scale, 2), *point = rises_newest(scale, 1);
    double ahead_ms = (double)(point->time_ms - first->time_ms);
    double line = first->value + slope_between(first, rises_newest(scale, 0)) * ahead_ms;
    unsigned seen = scale->count - 2 < USUAL ? scale->count - 2 : USUAL;
    scale->jitter += (fabs(point->value - line) - scale->jitter) / seen;
}

static void push(struct rises_scale *scale, struct point point)
{
    scale->points[scale->count % RISES_POINTS] = point;
    /* Stays a full ring once it is one, so that it cannot wrap to "too few". */
    if (++scale->count == 8 * RISES_POINTS)
        scale->count = 7 * RISES_POINTS;
    see_jitter(scale);
}

static double middle(double a, double b, double c)
{
    return greater(lesser(a, b), lesser(greater(a, b), c));
}

/* The middle of the slopes between the newest samples, all of which must rise: one odd sample has
 * no say in it. The rise began where the unbroken run did. */
static void see_run(struct rises_scale *scale)
{
    double slopes[RUN - 1], steepest = 0, sum = 0;
    bool went_on = scale->rising;
    scale->rising = scale->count >= RUN;
    for (unsigned i = 0; scale->rising && i < RUN - 1; i++) {
        slopes[i] = slope_between(rises_newest(scale, i + 1), rises_newest(scale, i));
        scale->rising = slopes[i] > 0;
        steepest = greater(steepest, slopes[i]);
        sum += slopes[i];
    }
    if (!scale->rising)
        return;
    scale->slope = middle(slopes[0], slopes[1], slopes[2]);
    scale->levels = slopes[0] < scale->slope / 4 || steepest > sum * STEP;
    scale->growth = rises_newest(scale, 0)->value - rises_newest(scale, RUN - 1)->value;
    /* What noise rose by before a step is no part of it. */
    scale->rising = slopes[RUN - 2] >= scale->slope / 4;
    if (!went_on)
        scale->from_ms = rises_newest(scale, RUN - 1)->time_ms;
    scale->span_ms = rises_newest(scale, 0)->time_ms - scale->from_ms;
}

/* Whether the newest block is the highest of those that make a rise, no more than one of them is
 * lower than the one before it, and they rise by more than noise does. *step is the greatest of the
 * rises from one to the next. */
static bool blocks_rise(const struct rises_scale *scale, double *step)
{
    unsigned falls = 0;
    double newest = rises_newest(scale, 0)->value;
    *step = 0;
    if (scale->count < FIT)
        return false;
    for (unsigned i = 1; i < FIT; i++) {
        double before = rises_newest(scale, i)->value;
        if (before >= newest)
            return false;
        falls += rises_newest(scale, i - 1)->value <= before;
        *step = greater(*step, rises_newest(scale, i - 1)->value - before);
    }
    return falls <= 1 && newest - rises_newest(scale, FIT - 1)->value > NOISE * scale->jitter;
}

/* The slope of the newest blocks or of the later half of them, whichever is less: what levels out
 * is not drawn on as if it did not. */
static void see_blocks(struct rises_scale *scale)
{
    double step;
    scale->rising = blocks_rise(scale, &step);
    if (!scale->rising)
        return;
    const struct point *first = rises_newest(scale, FIT - 1), *last = rises_newest(scale, 0);
    double steady = slope_between(first, last);
    double late = slope_between(rises_newest(scale, FIT / 2 - 1), last);
    scale->slope = lesser(steady, late);
    scale->growth = last->value - first->value;
    scale->levels = late < steady / 2 || step > scale->growth * STEP ||
                    slope_between(rises_newest(scale, 1), last) < scale->slope / 4;
    scale->from_ms = first->time_ms;
    scale->span_ms = last->time_ms - first->time_ms;
    scale->rising = scale->slope > 0;
}

static void raise_open(struct rises_scale *scale, struct point point, int64_t block)
{
    if (!scale->opened || point.value > scale->open.value)
        scale->open = point;
    scale->opened = true;
    scale->block = block;
}

/* Ends the blocks that the point lies behind: each is a point of its scale, and part of a block of
 * the next. */
static void add_to_blocks(struct rises *rises, struct point point)
{
    int64_t block = point.time_ms / (rises->unit_ms / FINEST);
    for (unsigned i = 1; i < RISES_SCALES; i++) {
        struct rises_scale *scale = &rises->scales[i];
        if (!scale->opened || scale->block == block >> (i - 1))
            break;
        push(scale, scale->open);
        see_blocks(scale);
        scale->opened = false;
        if (i + 1 < RISES_SCALES)
            raise_open(&rises->scales[i + 1], scale->open, scale->block >> 1);
    }
    raise_open(&rises->scales[1], point, block);
}

bool rises_is_flat_since(const struct rises *rises, unsigned index)
{
    double slope = rises->scales[index].slope;
    for (unsigned i = index > FINER ? index - FINER : 0; i < index; i++) {
        const struct rises_scale *scale = &rises->scales[i];
        if (scale->count < FIT)
            continue;
        double highest = -INFINITY, lowest = INFINITY;
        for (unsigned k = 0; k < FIT; k++) {
            highest = greater(highest, rises_newest(scale, k)->value);
            lowest = lesser(lowest, rises_newest(scale, k)->value);
        }
        int64_t span_ms = rises_newest(scale, 0)->time_ms - rises_newest(scale, FIT - 1)->time_ms;
        if (highest - lowest < slope * (double)span_ms / 2)
            return true;
    }
    return false;
}

double rises_jitter(const struct rises *rises, unsigned index)
{
    double least = rises->scales[index].jitter;
    for (unsigned i = index + 1; i < RISES_SCALES; i++)
        if (rises->scales[i].count >= USUAL / 2)
            least = lesser(least, rises->scales[i].jitter);
    return least;
}

static unsigned past_length(const struct rises *rises)
{
    return rises->past_count < RISES_PAST ? rises->past_count : RISES_PAST;
}

static void add_to_past(struct rises *rises, struct point high, double low)
{
    int64_t number = high.time_ms / (rises->unit_ms / 2);
    if (rises->opened && rises->open_number != number) {
        rises->past[rises->past_count % RISES_PAST] = rises->open;
        if (++rises->past_count == 4 * RISES_PAST)
            rises->past_count = 2 * RISES_PAST;
        rises->opened = false;
        /* Without the first stretch of a process, which begins low in it. */
        rises->past_lowest = INFINITY;
        for (unsigned i = rises->past_count <= RISES_PAST ? 1 : 0; i < past_length(rises); i++)
            rises->past_lowest = lesser(rises->past_lowest, rises->past[i].lowest);
    }
    if (!rises->opened)
        rises->open = (struct rises_stretch){high.time_ms, high.value, low};
    if (high.value > rises->open.highest) {
        rises->open.highest = high.value;
        rises->open.highest_ms = high.time_ms;
    }
    rises->open.lowest = lesser(rises->open.lowest, low);
    rises->opened = true;
    rises->open_number = number;
}

/* Whether the value has fallen to less than half of the lowest in the past: that is no collection
 * of garbage. */
static bool is_new_process(const struct rises *rises, double value)
{
    return rises->past_lowest < INFINITY && value < rises->past_lowest / 2;
}

/* How high the sample that is `back` before the newest can be believed to be: as high as the rise
 * of the two before it, drawn on. The peak of a tooth is; one odd sample is not. */
static double credible(const struct rises_scale *samples, unsigned back)
{
    double before = rises_newest(samples, back + 1)->value;
    double rise = samples->count > back + 2 ? before - rises_newest(samples, back + 2)->value : 0;
    return lesser(rises_newest(samples, back)->value, before + greater(0, rise));
}

double rises_credible(const struct rises *rises)
{
    return credible(&rises->scales[0], 0);
}

bool rises_add(struct rises *rises, struct point sample)
{
    struct rises_scale *samples = &rises->scales[0];
    if (!rises->begun) {
        rises->begun = true;
        rises->begun_ms = sample.time_ms;
    }
    push(samples, sample);
    see_run(samples);
    if (samples->count < 3)
        return false;
    const struct point *before = rises_newest(samples, 1);
    double low = middle(sample.value, before->value, rises_newest(samples, 2)->value);
    if (is_new_process(rises, low)) {
        rises_init(rises, rises->unit_ms);
        rises->begun = true;
        rises->begun_ms = sample.time_ms;
        push(samples, sample);
        return true;
    }
    /* One sample late: one that is not believed by itself is if the next is as high. */
    double high = lesser(before->value, greater(sample.value, credible(samples, 1)));
    struct point calm = {before->time_ms, high};
    add_to_blocks(rises, calm);
    add_to_past(rises, calm, low);
    return false;
}

/* The blocks of a scale lie aligned in those of the next, so that some scale has each peak of the
 * past in a block that was over before from_ms. */
static double highest_before(const struct rises *rises, int64_t from_ms)
{
    double highest = -INFINITY;
    for (unsigned i = 0; i < RISES_SCALES; i++) {
        const struct rises_scale *scale = &rises->scales[i];
        for (unsigned k = 0; k < RISES_POINTS && k < scale->count; k++)
            if (rises_newest(scale, k)->time_ms < from_ms)
                highest = greater(highest, rises_newest(scale, k)->value);
        if (scale->opened && scale->open.time_ms < from_ms)
            highest = greater(highest, scale->open.value);
    }
    return highest;
}

/* Whether a stretch of the past before from_ms was as high as that: what most rises fail by, and
 * cheaper to see than all of them. */
static bool was_as_high(const struct rises *rises, int64_t from_ms, double value)
{
    for (unsigned i = 0; i < past_length(rises); i++) {
        const struct rises_stretch *stretch =
            &rises->past[(rises->past_count - 1 - i) % RISES_PAST];
        if (stretch->highest >= value && stretch->highest_ms < from_ms)
            return true;
    }
    return false;
}

/* It has to be above the highest value before it by half as much as that lies above the usual peak,
 * or more while few peaks are known; but by no more than half of the way from there to the level,
 * and no less than a 20th of it. */
bool rises_is_new_high(const struct rises *rises, int64_t from_ms, double level, double value)
{
    if (was_as_high(rises, from_ms, value))
        return false;
    double highest = highest_before(rises, from_ms), sum = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < past_length(rises); i++) {
        const struct rises_stretch *stretch = &rises->past[i];
        if (stretch->highest_ms >= from_ms)
            continue;
        highest = greater(highest, stretch->highest);
        sum += stretch->highest;
        count++;
    }
    if (highest == -INFINITY)
        return true;
    double way = level - highest;
    double margin = count ? (highest - sum / count) * (0.5 + (double)SETTLED / count) : 0;
    return value > highest + greater(0, lesser(greater(margin, way / 20), way / 2));
}
