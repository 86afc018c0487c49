/* Settling an incident before one of its exporters is sent it. */
#include "agent/storage/delivery_parts.h"
#include "agent/storage/delivery_withdraw.h"
#include "delivery_rig.h"
#include "exporters/exporter.h"

#include <stdio.h>

struct settler {
    struct world *world;
    size_t asked; /* for the second exporter */
    char id[64];
};

/* Only the second exporter has something to settle. */
static bool is_ready(void *arg, size_t exporter, const char *id)
{
    struct settler *settler = arg;
    if (exporter != 1)
        return true;
    settler->asked++;
    snprintf(settler->id, sizeof settler->id, "%s", id);
    return false;
}

static struct settler settler;

static bool it_is_asked(const struct world *world)
{
    (void)world;
    return settler.asked == 1;
}

static bool it_is_asked_again(const struct world *world)
{
    (void)world;
    return settler.asked == 2;
}

static bool the_next_is_asked_for(const struct world *world)
{
    (void)world;
    return !strcmp(settler.id, second);
}

static bool first_waits(const struct world *world)
{
    return world->delivery->outlets[0]->settled_by_ms != 0;
}

static bool first_has_all(const struct world *world)
{
    return status_of(world, 0).waiting == 0;
}

static void open_two(struct world *world, const char *folder)
{
    add_folder(world, folder);
    add_folder(world, "b");
    spool_incident(world, first);
    spool_incident(world, second);
    open_world(world);
    settler = (struct settler){.world = world};
    delivery_settle_by(
        world->delivery, &(struct delivery_settler){.is_ready = is_ready, .arg = &settler});
}

static size_t the_second_settles(void *arg)
{
    (void)arg;
    return 1;
}

/* What the second exporter settles is for the first to be known, too. */
static void settle_for_both(struct world *world, int64_t patience)
{
    delivery_settle_by(world->delivery, &(struct delivery_settler){.is_ready = is_ready,
                                            .settles = the_second_settles,
                                            .patience_ms = patience,
                                            .arg = &settler});
}

static void settle(const struct world *world, enum send_outcome outcome)
{
    const struct send_result result = {.outcome = outcome, .reason = "not now"};
    delivery_settled(world->delivery, 1, &result);
}

static void one_that_is_being_settled_holds_only_its_exporter_back(void **state)
{
    struct world *world = *state;
    open_two(world, "a");
    wait_until(world, it_is_asked);
    assert_string_equal(settler.id, first);
    wait_until(world, first_has_all);
    assert_false(is_stored(world, "b", first) || is_stored(world, "b", second));
    settle(world, SEND_STORED);
    wait_until(world, the_next_is_asked_for);
    assert_true(is_stored(world, "b", first));
    assert_false(is_stored(world, "b", second));
    settle(world, SEND_STORED);
    wait_until(world, nothing_waits);
    assert_int_equal(settler.asked, 2);
    assert_true(is_stored(world, "b", second));
}

static void a_store_that_does_not_answer_is_like_one_that_takes_nothing(void **state)
{
    struct world *world = *state;
    const char *reason = NULL;
    open_two(world, "a");
    wait_until(world, it_is_asked);
    settle(world, SEND_RETRY);
    assert_int_equal(status_of(world, 1).failures, 1);
    assert_int_equal(delivery_progress(world->delivery, first, &reason), DELIVERY_FAILING);
    assert_non_null(strstr(reason, "/b: not now"));
    delivery_hurry(world->delivery);
    wait_until(world, it_is_asked_again);
    assert_string_equal(settler.id, first);
    settle(world, SEND_STORED);
    wait_until(world, the_next_is_asked_for);
    assert_true(is_stored(world, "b", first));
}

static void one_that_was_left_off_is_asked_about_again(void **state)
{
    struct world *world = *state;
    open_two(world, "a");
    wait_until(world, it_is_asked);
    delivery_settled(world->delivery, 1, NULL);
    wait_until(world, it_is_asked_again);
    assert_string_equal(settler.id, first);
    assert_int_equal(status_of(world, 1).failures, 0);
    assert_false(is_stored(world, "b", first));
}

static bool first_exporter_failed(const struct world *world)
{
    return settler.asked == 1 && first_failed(world);
}

/* What was settled of one that is taken back holds for no other. */
static void one_that_is_being_settled_is_not_taken_back(void **state)
{
    struct world *world = *state;
    const char *ids[2];
    put(world, "mount"); /* the first exporter can make no folder there */
    open_two(world, "mount/a");
    wait_until(world, first_exporter_failed);
    assert_int_equal(delivery_untouched(world->delivery, ids, 2), 1);
    assert_string_equal(ids[0], second);
    assert_false(delivery_withdraw(world->delivery, first));
    assert_false(delivery_drop(world->delivery, first));
    settle(world, SEND_STORED);
    assert_true(delivery_withdraw(world->delivery, first));
    wait_until(world, the_next_is_asked_for);
    assert_false(is_stored(world, "b", second));
}

static void others_wait_for_what_is_settled(void **state)
{
    struct world *world = *state;
    open_two(world, "a");
    settle_for_both(world, 600000);
    wait_until(world, it_is_asked);
    wait_until(world, first_waits);
    assert_false(is_stored(world, "a", first));
    settle(world, SEND_STORED);
    wait_until(world, the_next_is_asked_for);
    wait_until(world, first_waits);
    assert_true(is_stored(world, "a", first));
    assert_false(is_stored(world, "a", second));
    settle(world, SEND_STORED);
    wait_until(world, nothing_waits);
}

/* Once, and not for each incident. */
static void others_do_not_wait_for_ever(void **state)
{
    struct world *world = *state;
    open_two(world, "a");
    settle_for_both(world, 1);
    wait_until(world, first_has_all);
    assert_false(is_stored(world, "b", first));
    assert_true(world->delivery->unsettled);
    settle(world, SEND_STORED);
    assert_false(world->delivery->unsettled);
}

/* The agent ends, and who settles it cannot be reached: nobody waits for that. */
static void others_do_not_wait_at_the_end(void **state)
{
    struct world *world = *state;
    open_two(world, "a");
    settle_for_both(world, 600000);
    wait_until(world, it_is_asked);
    wait_until(world, first_waits);
    delivery_hurry(world->delivery);
    settle(world, SEND_RETRY);
    wait_until(world, first_has_all);
}

struct claimed {
    bool done;
    enum claim_outcome outcome;
};

static void on_claimed(void *arg, const struct claim_result *result)
{
    struct claimed *claimed = arg;
    *claimed = (struct claimed){true, result->outcome};
}

static void who_has_asked_can_be_forgotten(void **state)
{
    struct world *world = *state;
    struct claimed one = {.done = false}, other = {.done = false};
    add_folder(world, "a");
    open_world(world);
    assert_int_equal(delivery_exporter_of(world->delivery, &world->exporters[0]), 0);
    assert_true(delivery_exporter_of(world->delivery, &world->exporters[1]) == SIZE_MAX);
    delivery_claim(world->delivery, 0, "x/0", "text", on_claimed, &one);
    delivery_claim(world->delivery, 0, "x/0", "text", on_claimed, &other);
    delivery_forget(world->delivery, 0, &one);
    assert_true(loop_run_until(world->loop, &other.done, clock_mono_ms() + 20000));
    assert_int_equal(other.outcome, CLAIM_EXISTS);
    assert_false(one.done);
    delivery_claim(world->delivery, 0, "x/0", "text", on_claimed, &one);
    close_world(world); /* with one on its way */
    assert_false(one.done);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(one_that_is_being_settled_holds_only_its_exporter_back),
        IN_WORLD(a_store_that_does_not_answer_is_like_one_that_takes_nothing),
        IN_WORLD(one_that_was_left_off_is_asked_about_again),
        IN_WORLD(one_that_is_being_settled_is_not_taken_back),
        IN_WORLD(others_wait_for_what_is_settled),
        IN_WORLD(others_do_not_wait_for_ever),
        IN_WORLD(others_do_not_wait_at_the_end),
        IN_WORLD(who_has_asked_can_be_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
