#include "agent/sampling/auto_source.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/series.h"

#include <stdlib.h>
#include <string.h>

enum {
    AGAIN_MS = 2000,     /* from the last one that failed to the first again */
    PATIENCE_MS = 10000, /* for the first sample of one whose answers come later */
    WHY_MAX = 400
};

struct auto_source {
    struct source_setup setup;
    const struct source_kind *const *kinds;
    size_t index;      /* of the one that is tried or was chosen */
    void *source;      /* NULL: none is tried now */
    bool chosen;       /* it has brought a sample, or nothing else can be meant */
    bool sampled;      /* outside of `sample` */
    int64_t opened_ms; /* when it was */
    int64_t again_ms;
    struct buf why;       /* of those before it */
    struct error problem; /* when all had failed; "": not yet */
};

static void on_sampled(void *arg)
{
    struct auto_source *self = arg;
    self->sampled = true;
    self->setup.sampled(self->setup.arg);
}

/* What happened, without what to do about it: that is said when the source is asked for by name. */
static void add_reason(struct auto_source *self, const struct error *reason)
{
    size_t length = strcspn(reason->text, ":;");
    buf_printf(&self->why, "%s%s: %.*s", self->why.size ? "; " : "",
        self->kinds[self->index]->kind.name, (int)length, reason->text);
}

static void close_tried(struct auto_source *self)
{
    if (self->source)
        self->kinds[self->index]->close(self->source);
    self->source = NULL;
    self->sampled = false;
}

/* Opens the next one that may work. False at the end of the table. */
static bool open_next(struct auto_source *self, int64_t now_ms, struct error *last)
{
    struct source_setup setup = self->setup;
    setup.options = NULL;
    setup.sampled = on_sampled;
    setup.arg = self;
    for (; self->kinds[self->index]; self->index++) {
        const struct source_kind *kind = self->kinds[self->index];
        if (!kind->present)
            continue;
        bool present = kind->present(&setup, last);
        self->source = present ? kind->open(&setup, last) : NULL;
        self->opened_ms = now_ms;
        /* What marks its place means to be it, even when it cannot work yet. */
        self->chosen = present && kind->certain;
        if (self->source || self->chosen)
            return true;
        add_reason(self, last);
    }
    return false;
}

static int give_up(struct auto_source *self, int64_t now_ms, struct error *err)
{
    error_set(&self->problem,
        "nothing measures the app: %s; `source: process`, for one, says what that source would "
        "need",
        self->why.data);
    self->index = 0;
    self->again_ms = now_ms + AGAIN_MS;
    buf_clear(&self->why);
    *err = self->problem;
    return -1;
}

/* Tries one after the other, until one works or is to answer later. */
static int try_all(struct auto_source *self, int64_t now_ms, struct error *err)
{
    struct error last = {{0}};
    for (;;) {
        if (!self->source && !open_next(self, now_ms, &last))
            return give_up(self, now_ms, err);
        if (!self->source) { /* certain, and never to work */
            *err = last;
            return -1;
        }
        const struct source_kind *kind = self->kinds[self->index];
        uint64_t before = series_set_pushed(self->setup.series);
        int status = kind->sample(self->source, now_ms, &last);
        bool works = status == 0 &&
                     (self->sampled || series_set_pushed(self->setup.series) > before);
        self->chosen = self->chosen || works;
        if (self->chosen) {
            *err = last;
            return status;
        }
        if (status == 0 && now_ms < self->opened_ms + PATIENCE_MS)
            break;
        if (status == 0)
            error_set(&last, "it has brought no sample");
        add_reason(self, &last);
        close_tried(self);
        self->index++;
    }
    *err = self->problem;
    return self->problem.text[0] ? -1 : 0;
}

static int auto_sample(void *arg, int64_t now_ms, struct error *err)
{
    struct auto_source *self = arg;
    if (self->chosen && self->source)
        return self->kinds[self->index]->sample(self->source, now_ms, err);
    if (!self->source && now_ms < self->again_ms) {
        *err = self->problem;
        return -1;
    }
    return try_all(self, now_ms, err);
}

static void *auto_open(const struct source_setup *setup, struct error *err)
{
    (void)err;
    struct auto_source *self = xcalloc(1, sizeof *self);
    self->setup = *setup;
    self->kinds = setup->options;
    buf_init(&self->why, WHY_MAX);
    return self;
}

static void auto_close(void *arg)
{
    struct auto_source *self = arg;
    close_tried(self);
    buf_free(&self->why);
    free(self);
}

/* The chosen one; NULL while there is none. */
static const struct source_kind *chosen_kind(const struct auto_source *self)
{
    return self->chosen && self->source ? self->kinds[self->index] : NULL;
}

static void auto_identify(void *arg, size_t index, struct source_identity *identity)
{
    const struct auto_source *self = arg;
    const struct source_kind *kind = chosen_kind(self);
    if (kind && kind->identify)
        kind->identify(self->source, index, identity);
}

static void auto_life(void *arg, size_t index, struct source_life *life)
{
    const struct auto_source *self = arg;
    const struct source_kind *kind = chosen_kind(self);
    if (kind && kind->life)
        kind->life(self->source, index, life);
}

static void auto_look_again(void *arg)
{
    const struct auto_source *self = arg;
    const struct source_kind *kind = chosen_kind(self);
    if (kind && kind->look_again)
        kind->look_again(self->source);
}

static void auto_describe(void *arg, void (*say)(void *arg, const char *sentence), void *say_arg)
{
    const struct auto_source *self = arg;
    const struct source_kind *kind = chosen_kind(self);
    if (!kind)
        return;
    char *sentence = xasprintf(
        "chosen by source: auto%s%s", self->why.size ? "; " : "", self->why.data);
    say(say_arg, sentence);
    free(sentence);
    if (kind->describe)
        kind->describe(self->source, say, say_arg);
}

const char *auto_source_name(const void *arg)
{
    const struct auto_source *self = arg;
    const struct source_kind *kind = chosen_kind(self);
    return kind ? kind->kind.name : source_auto.kind.name;
}

const char *auto_source_why(const void *arg)
{
    const struct auto_source *self = arg;
    return chosen_kind(self) ? self->why.data : "";
}

const struct source_kind source_auto = {
    .kind = {.name = "auto", .help = "the first of the others that works"},
    .open = auto_open,
    .sample = auto_sample,
    .identify = auto_identify,
    .life = auto_life,
    .look_again = auto_look_again,
    .describe = auto_describe,
    .close = auto_close,
};
