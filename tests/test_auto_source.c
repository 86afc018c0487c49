/* Which source `auto` takes, over kinds of the test's own. */
#include "agent/sampling/auto_source.h"

#include "core/error.h"
#include "core/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* How a kind behaves. */
enum way {
    WORKS,
    ABSENT,
    CANNOT_OPEN,
    FAILS,
    FAILS_LATER, /* after two ticks without a sample */
    ANSWERS_LATER,
    SILENT
};

/* One for each of the kinds "a", "b" and "c". */
struct fake {
    enum way way;
    int opened, ticks;
    struct source_setup own;
    struct series *series;
    int64_t now_ms;
};

static struct fake fakes[3];

static bool is_present(struct fake *fake, struct error *why)
{
    if (fake->way == ABSENT)
        error_set(why, "no sign of it: mount one");
    return fake->way != ABSENT;
}

static void *open_fake(struct fake *fake, const struct source_setup *setup, struct error *err)
{
    if (fake->way == CANNOT_OPEN) {
        error_set(err, "it cannot; ever");
        return NULL;
    }
    assert_null(setup->options);
    fake->opened++;
    fake->ticks = 0;
    fake->own = *setup;
    fake->series = series_set_add(setup->series, "cpu");
    return fake;
}

static int sample_fake(void *self, int64_t now_ms, struct error *err)
{
    struct fake *fake = self;
    fake->ticks++;
    fake->now_ms = now_ms;
    if (fake->way == WORKS)
        series_push(fake->series, now_ms, 1);
    if (fake->way == FAILS || (fake->way == FAILS_LATER && fake->ticks > 2))
        return error_set(err, "it failed");
    return 0;
}

static void close_fake(void *self)
{
    struct fake *fake = self;
    fake->opened--;
}

static void describe_fake(void *self, void (*say)(void *arg, const char *sentence), void *arg)
{
    (void)self;
    say(arg, "described");
}

static void live_fake(void *self, size_t index, struct source_life *life)
{
    (void)self, (void)index;
    life->known = true;
}

#define FAKE(letter, index)                                                                        \
    static bool present_##letter(const struct source_setup *setup, struct error *why)              \
    {                                                                                              \
        (void)setup;                                                                               \
        return is_present(&fakes[index], why);                                                     \
    }                                                                                              \
    static void *open_##letter(const struct source_setup *setup, struct error *err)                \
    {                                                                                              \
        return open_fake(&fakes[index], setup, err);                                               \
    }

FAKE(a, 0)
FAKE(b, 1)
FAKE(c, 2)

#define KIND(letter, sure)                                                                         \
    {                                                                                              \
        .kind = {.name = #letter}, .present = present_##letter, .certain = sure,                   \
        .open = open_##letter, .sample = sample_fake, .life = live_fake,                           \
        .describe = describe_fake, .close = close_fake                                             \
    }

static const struct source_kind certain_a = KIND(a, true), kind_a = KIND(a, false),
                                kind_b = KIND(b, false), kind_c = KIND(c, false);

struct rig {
    struct series_set series;
    void *source;
    int64_t now_ms;
    struct error err;
    int sampled;
};

static void on_sampled(void *arg)
{
    struct rig *rig = arg;
    rig->sampled++;
}

static void open_rig(
    struct rig *rig, const struct source_kind *const *kinds, enum way a, enum way b, enum way c)
{
    *rig = (struct rig){.now_ms = 1000};
    const enum way ways[] = {a, b, c};
    for (size_t i = 0; i < COUNT(fakes); i++)
        fakes[i] = (struct fake){.way = ways[i]};
    series_set_init(&rig->series, 10);
    struct source_setup setup = {
        .series = &rig->series, .options = kinds, .sampled = on_sampled, .arg = rig};
    rig->source = source_auto.open(&setup, NULL);
}

static int tick(struct rig *rig)
{
    rig->now_ms += 1000;
    rig->err.text[0] = '\0';
    int status = source_auto.sample(rig->source, rig->now_ms, &rig->err);
    for (size_t i = 0; i < COUNT(fakes); i++) {
        struct fake *fake = &fakes[i];
        if (fake->opened && fake->way == ANSWERS_LATER && fake->ticks == 3) {
            series_push(fake->series, rig->now_ms, 1);
            fake->own.sampled(fake->own.arg);
        }
    }
    return status;
}

static void close_rig(struct rig *rig)
{
    source_auto.close(rig->source);
    series_set_free(&rig->series);
    for (size_t i = 0; i < COUNT(fakes); i++)
        assert_int_equal(fakes[i].opened, 0);
}

static const struct source_kind *const three[] = {&kind_a, &kind_b, &kind_c, NULL};

static void first_that_works_is_taken(void **state)
{
    (void)state;
    static const struct {
        enum way a, b, c;
        const char *name, *why;
    } cases[] = {
        {WORKS, WORKS, WORKS, "a", ""},
        {ABSENT, WORKS, WORKS, "b", "a: no sign of it"},
        {CANNOT_OPEN, WORKS, WORKS, "b", "a: it cannot"},
        {FAILS, FAILS, WORKS, "c", "a: it failed; b: it failed"},
        {FAILS_LATER, ABSENT, WORKS, "c", "a: it failed; b: no sign of it"},
        {FAILS, ANSWERS_LATER, WORKS, "b", "a: it failed"},
        {SILENT, WORKS, WORKS, "b", "a: it has brought no sample"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        open_rig(&rig, three, cases[i].a, cases[i].b, cases[i].c);
        for (int ticks = 0; ticks < 20; ticks++)
            assert_int_equal(tick(&rig), 0); /* none had failed altogether */
        assert_string_equal(auto_source_name(rig.source), cases[i].name);
        assert_string_equal(auto_source_why(rig.source), cases[i].why);
        struct source_life life = {0};
        source_auto.life(rig.source, 0, &life);
        assert_true(life.known);
        close_rig(&rig);
    }
}

static void what_was_chosen_stays(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, three, FAILS, WORKS, WORKS);
    assert_int_equal(tick(&rig), 0);
    fakes[1].way = FAILS;
    assert_int_equal(tick(&rig), -1);
    assert_string_equal(rig.err.text, "it failed");
    assert_string_equal(auto_source_name(rig.source), "b");
    close_rig(&rig);
}

static void all_are_tried_again(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, three, ABSENT, FAILS_LATER, FAILS);
    for (int i = 0; i < 2; i++)
        assert_int_equal(tick(&rig), 0);
    for (int i = 0; i < 10; i++) { /* said the same way, also while one is tried again */
        assert_int_equal(tick(&rig), -1);
        assert_non_null(strstr(rig.err.text,
            "nothing measures the app: a: no sign of it; b: it failed; c: it failed"));
        assert_string_equal(auto_source_name(rig.source), "auto");
        assert_string_equal(auto_source_why(rig.source), "");
    }
    fakes[2].way = WORKS;
    for (int i = 0; i < 10; i++)
        tick(&rig);
    assert_string_equal(auto_source_name(rig.source), "c");
    close_rig(&rig);
}

static void place_that_is_certain_is_no_other(void **state)
{
    (void)state;
    static const struct source_kind *const kinds[] = {&certain_a, &kind_b, NULL};
    static const enum way ways[] = {FAILS, CANNOT_OPEN};
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct rig rig;
        open_rig(&rig, kinds, ways[i], WORKS, WORKS);
        for (int ticks = 0; ticks < 10; ticks++)
            assert_int_equal(tick(&rig), -1);
        assert_int_equal(fakes[1].ticks, 0);
        fakes[0].way = WORKS;
        assert_int_equal(tick(&rig), 0);
        assert_string_equal(auto_source_name(rig.source), "a");
        close_rig(&rig);
    }
}

static void note(void *arg, const char *sentence)
{
    char *text = arg;
    snprintf(text + strlen(text), 200 - strlen(text), "%s\n", sentence);
}

static void choice_is_described(void **state)
{
    (void)state;
    struct rig rig;
    char notes[200] = "";
    open_rig(&rig, three, ABSENT, WORKS, WORKS);
    tick(&rig);
    source_auto.describe(rig.source, note, notes);
    assert_string_equal(notes, "chosen by source: auto; a: no sign of it\ndescribed\n");
    close_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_that_works_is_taken),
        cmocka_unit_test(what_was_chosen_stays),
        cmocka_unit_test(all_are_tried_again),
        cmocka_unit_test(place_that_is_certain_is_no_other),
        cmocka_unit_test(choice_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
