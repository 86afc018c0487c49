#include "review/suspect/goroutines.h"

#include "core/alloc.h"
#include "review/profile/array.h"
#include "review/profile/hash_index.h"
#include "review/profile/profile.h"
#include "review/suspect/stacks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A function at the inner end of a stack, and what a goroutine does there. Go's pprof form of the
 * profile leaves out the state that the text form has; these are where the runtime parks. */
struct waiting {
    const char *name, *state;
};

static const struct waiting waitings[] = {
    {"runtime.chanrecv", "receiving from a channel"},
    {"runtime.chanrecv1", "receiving from a channel"},
    {"runtime.chanrecv2", "receiving from a channel"},
    {"runtime.chansend", "sending to a channel"},
    {"runtime.chansend1", "sending to a channel"},
    {"runtime.selectgo", "waiting in a select"},
    {"runtime.block", "waiting in a select without cases"},
    {"time.Sleep", "sleeping"},
    {"internal/poll.runtime_pollWait", "waiting for input or output"},
    {"runtime.netpollblock", "waiting for input or output"},
    {"sync.(*Mutex).lockSlow", "waiting for a lock"},
    {"sync.(*Mutex).Lock", "waiting for a lock"},
    {"internal/sync.(*Mutex).lockSlow", "waiting for a lock"},
    {"sync.runtime_SemacquireMutex", "waiting for a lock"},
    {"internal/sync.runtime_SemacquireMutex", "waiting for a lock"},
    {"sync.runtime_SemacquireRWMutex", "waiting for a lock"},
    {"sync.runtime_SemacquireRWMutexR", "waiting for a lock"},
    {"sync.(*RWMutex).Lock", "waiting for a lock"},
    {"sync.(*RWMutex).RLock", "waiting for a lock"},
    {"sync.(*WaitGroup).Wait", "waiting for a group of goroutines"},
    {"sync.runtime_SemacquireWaitGroup", "waiting for a group of goroutines"},
    {"sync.(*Cond).Wait", "waiting for a condition"},
    {"sync.runtime_notifyListWait", "waiting for a condition"},
    {"os/signal.signal_recv", "waiting for signals"},
    {"syscall.Syscall", "in a system call"},
    {"syscall.Syscall6", "in a system call"},
    {"syscall.RawSyscall", "in a system call"},
    {"runtime.cgocall", "in C code"},
    {"runtime.notetsleepg", "in a system call"},
    {"runtime.gcBgMarkWorker", "of the garbage collector"},
    {"runtime.bgsweep", "of the garbage collector"},
    {"runtime.bgscavenge", "of the garbage collector"},
    {"runtime.forcegchelper", "of the garbage collector"},
    {"runtime.runfinq", "waiting for finalizers"},
};

enum { STATE_FRAMES = 8 }; /* from the inner end: what parks is never further out */

struct grouping {
    const struct stacks *stacks;
    struct goroutines *out;
    struct hash_index index;
    uint32_t capacity, count;
    uint32_t **frames; /* of each group, the outermost first */
    uint32_t frames_capacity;
};

struct stack_key {
    const struct grouping *grouping;
    const uint32_t *frames;
    uint32_t count;
};

static bool has_frames(const void *arg, uint32_t index)
{
    const struct stack_key *key = arg;
    return key->grouping->out->groups[index].frame_count == key->count &&
           !memcmp(key->grouping->frames[index], key->frames, key->count * sizeof *key->frames);
}

static const char *state_at(const char *name)
{
    for (size_t i = 0; i < sizeof waitings / sizeof *waitings; i++)
        if (!strcmp(name, waitings[i].name))
            return waitings[i].state;
    return NULL;
}

/* The outermost of the functions at the inner end says best what it is for: a WaitGroup, rather
 * than the semaphore below it. */
static const char *state_of(const struct stacks *stacks, const uint32_t *frames, uint32_t count)
{
    const char *state = NULL;
    for (uint32_t i = count; i-- > 0 && count - i <= STATE_FRAMES;) {
        const struct stacks_function *function = &stacks->functions[frames[i]];
        if (function->owner == OWNER_OWN || function->owner == OWNER_LIBRARY)
            break;
        const char *here = state_at(function->name);
        state = here ? here : state;
    }
    if (state)
        return state;
    bool parked = count && !strcmp(stacks->functions[frames[count - 1]].name, "runtime.gopark");
    return parked ? "waiting" : "running or ready to run";
}

static void describe(
    const struct stacks *stacks, const uint32_t *frames, struct goroutine_group *group)
{
    uint32_t count = (uint32_t)group->frame_count;
    group->state = state_of(stacks, frames, count);
    group->frames = xcalloc((size_t)count + 1, sizeof *group->frames);
    for (uint32_t i = 0; i < count; i++) {
        group->frames[i] = stacks->functions[frames[i]].name;
        if (stacks->functions[frames[i]].owner == OWNER_OWN)
            group->own = group->frames[i];
    }
}

static struct goroutine_group *find_or_add(
    struct grouping *grouping, const uint32_t *frames, uint32_t count)
{
    struct goroutines *out = grouping->out;
    size_t bytes = count * sizeof *frames;
    uint32_t hash = hash_finish(hash_bytes(1, frames, bytes));
    struct stack_key key = {grouping, frames, count};
    uint32_t found = hash_index_find(&grouping->index, hash, has_frames, &key);
    if (found != HASH_INDEX_NONE)
        return &out->groups[found];
    found = grouping->count++;
    out->groups = array_room(out->groups, found, 1, &grouping->capacity, sizeof *out->groups);
    grouping->frames = array_room(
        grouping->frames, found, 1, &grouping->frames_capacity, sizeof *grouping->frames);
    grouping->frames[found] = xcalloc((size_t)count + 1, sizeof *frames);
    memcpy(grouping->frames[found], frames, bytes);
    hash_index_add(&grouping->index, hash, found);
    out->groups[found] = (struct goroutine_group){.frame_count = count};
    return &out->groups[found];
}

/* Sums are of what one file holds: they are cut where a hostile one would overflow them. */
static int64_t add_up(int64_t a, double b)
{
    double sum = (double)a + b;
    return sum >= 9e18 ? INT64_MAX / 2 : sum <= -9e18 ? -(INT64_MAX / 2) : (int64_t)sum;
}

static void add_side(struct grouping *grouping, const struct stacks_side *side, bool is_base)
{
    uint32_t frames[STACKS_FRAMES_MAX];
    for (uint32_t i = 0; side->profile && i < side->profile->sample_count; i++) {
        uint32_t count = stacks_frames(side, i, frames);
        uint32_t skipped = count > GOROUTINES_FRAMES_MAX ? count - GOROUTINES_FRAMES_MAX : 0;
        struct goroutine_group *group = find_or_add(grouping, frames + skipped, count - skipped);
        int64_t *sum = is_base ? &group->base_count : &group->count;
        *sum = add_up(*sum, side->samples[i].weight);
    }
}

static int64_t growth(const struct goroutine_group *group)
{
    return group->base_count < 0 ? group->count : group->count - group->base_count;
}

static int compare(const void *left, const void *right)
{
    const struct goroutine_group *a = left, *b = right;
    if (growth(a) != growth(b))
        return growth(a) < growth(b) ? 1 : -1;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    size_t count = a->frame_count < b->frame_count ? a->frame_count : b->frame_count;
    for (size_t i = 0; i < count; i++) {
        int order = strcmp(a->frames[i], b->frames[i]);
        if (order)
            return order;
    }
    return (a->frame_count > b->frame_count) - (a->frame_count < b->frame_count);
}

static void drop_the_rest(struct goroutines *out)
{
    for (size_t i = GOROUTINES_GROUPS_MAX; i < out->count; i++)
        free(out->groups[i].frames);
    if (out->count <= GOROUTINES_GROUPS_MAX)
        return;
    out->left_out = out->count - GOROUTINES_GROUPS_MAX;
    out->count = GOROUTINES_GROUPS_MAX;
}

static void group_all(const struct stacks *stacks, bool has_base, struct goroutines *out)
{
    struct grouping grouping = {.stacks = stacks, .out = out};
    add_side(&grouping, &stacks->spike, false);
    add_side(&grouping, &stacks->base, true);
    out->count = grouping.count;
    for (uint32_t i = 0; i < grouping.count; i++) {
        describe(stacks, grouping.frames[i], &out->groups[i]);
        if (!has_base)
            out->groups[i].base_count = -1;
        free(grouping.frames[i]);
    }
    free(grouping.frames);
    hash_index_free(&grouping.index);
}

static uint32_t count_type(const struct profile *profile)
{
    return profile->sample_type_count - 1;
}

void goroutines_of(const struct profile *profile, const struct profile *base,
    const struct owners *owners, struct goroutines *out)
{
    *out = (struct goroutines){.base_total = -1};
    if (!profile || !profile->sample_type_count)
        return;
    base = base && base->sample_type_count ? base : NULL;
    struct stacks *stacks = stacks_open(
        owners, profile, count_type(profile), base, base ? count_type(base) : 0);
    group_all(stacks, base != NULL, out);
    out->total = add_up(0, stacks->spike.total);
    if (base)
        out->base_total = add_up(0, stacks->base.total);
    if (out->count)
        qsort(out->groups, out->count, sizeof *out->groups, compare);
    drop_the_rest(out);
    out->names = stacks->addresses;
    out->name_count = stacks->address_count;
    stacks->addresses = NULL;
    stacks->address_count = 0;
    stacks_close(stacks);
}

void goroutines_free(struct goroutines *goroutines)
{
    for (size_t i = 0; i < goroutines->count; i++)
        free(goroutines->groups[i].frames);
    free(goroutines->groups);
    for (size_t i = 0; i < goroutines->name_count; i++)
        free(goroutines->names[i]);
    free(goroutines->names);
    *goroutines = (struct goroutines){.base_total = -1};
}
