/* Asking for the slots of a window, of a store that is a script. */
#include "agent/fleet/fleet_claim.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char id[] = "20261123T150401Z-cpu-high-000001"; /* of three slots, 1 is the first */

/* What a store answers, a letter a claim: t taken, e exists, f failed, r refused, b busy, u unable;
 * then what it has where it is read: o ours, x another's, n nothing (it may
 * not be read), d it does not answer. */
struct script {
    struct loop *loop;
    const char *claims, *recalls; /* recalls NULL: the store cannot */
    char asked[64];               /* the slots, in order */
    struct loop_timer *timer;
    void (*claimed)(void *arg, const struct claim_result *result);
    void (*recalled)(void *arg, const struct recall_result *result);
    void *arg;
    bool done;
    struct fleet_claim_result result;
    char reason[100];
};

static void answer_recall(struct script *script)
{
    char letter = *script->recalls++;
    char *ours = fleet_claim_text(letter == 'o' ? id : "20261123T150401Z-cpu-high-0000ff");
    struct recall_result result = {.outcome = letter == 'n'   ? RECALL_FORBIDDEN
                                              : letter == 'd' ? RECALL_FAILED
                                                              : RECALL_FOUND,
        .data = ours,
        .size = strlen(ours),
        .reason = "no"};
    void (*done)(void *, const struct recall_result *) = script->recalled;
    script->recalled = NULL;
    done(script->arg, &result);
    free(ours);
}

static void answer(void *arg)
{
    struct script *script = arg;
    if (script->recalled) {
        answer_recall(script);
        return;
    }
    char letter = *script->claims++;
    struct claim_result result = {.outcome = letter == 't'   ? CLAIM_TAKEN
                                             : letter == 'e' ? CLAIM_EXISTS
                                             : letter == 'u' ? CLAIM_UNABLE
                                                             : CLAIM_FAILED,
        .refused = letter == 'r',
        .busy = letter == 'b',
        .retry_after_ms = 7,
        .reason = "why not"};
    script->claimed(script->arg, &result);
}

static void claim(void *self, const char *key, const char *text,
    void (*done)(void *arg, const struct claim_result *result), void *arg)
{
    struct script *script = self;
    static const char folder[] = "service=woogles/_state/fleet/cpu-high/19700101T000001Z/";
    assert_memory_equal(key, folder, strlen(folder));
    assert_string_equal(text, "{\"incident\": \"20261123T150401Z-cpu-high-000001\"}\n");
    strcat(script->asked, key + strlen(folder));
    script->claimed = done;
    script->arg = arg;
    loop_timer_set(script->timer, 0);
}

static bool recall(void *self, const char *key, size_t max_bytes,
    void (*done)(void *arg, const struct recall_result *result), void *arg)
{
    struct script *script = self;
    (void)key;
    (void)max_bytes;
    if (!script->recalls)
        return false;
    script->recalled = done;
    script->arg = arg;
    loop_timer_set(script->timer, 0);
    return true;
}

static void forget(void *self, void *arg)
{
    struct script *script = self;
    if (script->arg == arg)
        loop_timer_unset(script->timer);
}

static void done(void *arg, const struct fleet_claim_result *result)
{
    struct script *script = arg;
    assert_false(script->done);
    script->done = true;
    script->result = *result;
    snprintf(script->reason, sizeof script->reason, "%s", result->reason);
}

static struct fleet_claim *start(struct script *script, bool again)
{
    script->timer = loop_timer_new(script->loop, answer, script);
    return fleet_claim_start(&(struct fleet_claim_setup){.loop = script->loop,
        .store = {claim, NULL, recall, forget, script},
        .service = "woogles",
        .trigger = "cpu-high",
        .id = id,
        .window_ms = 1000,
        .slots = 3,
        .again = again,
        .done = done,
        .arg = script});
}

static void answers_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *claims, *recalls;
        bool again;
        const char *asked;
        enum fleet_answer answer;
        size_t slot;
        const char *reason;
        bool unsure;
    } cases[] = {
        {"t", NULL, false, "1", FLEET_SLOT, 1, ""},
        {"et", NULL, false, "12", FLEET_SLOT, 2, ""},
        {"eet", NULL, false, "120", FLEET_SLOT, 0, ""},
        {"eee", NULL, false, "120", FLEET_NONE, 0, ""},
        {"eee", "xox", false, "120", FLEET_NONE, 0, ""}, /* not read: it was never asked for */
        {"f", NULL, false, "1", FLEET_UNKNOWN, 0, "why not"},
        {"ef", NULL, false, "12", FLEET_UNKNOWN, 0, "why not"},
        {"r", NULL, false, "1", FLEET_UNKNOWN, 0, "why not"},
        {"u", NULL, false, "1", FLEET_UNABLE, 0, "why not"},
        {"bbt", NULL, false, "111", FLEET_SLOT, 1, ""},
        {"bebt", NULL, false, "1122", FLEET_SLOT, 2, ""},
        /* an earlier try may have got one */
        {"e", "o", true, "1", FLEET_SLOT, 1, ""},
        {"ee", "xo", true, "12", FLEET_SLOT, 2, ""},
        {"eee", "xxx", true, "120", FLEET_NONE, 0, ""},
        {"eee", "nnn", true, "120", FLEET_NONE, 0, "", true},
        {"eee", "xnx", true, "120", FLEET_NONE, 0, "", true},
        {"eee", NULL, true, "120", FLEET_NONE, 0, "", true},
        {"e", "d", true, "1", FLEET_UNKNOWN, 0, "no"},
    };
    struct loop *loop = loop_open(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct script script = {
            .loop = loop, .claims = cases[i].claims, .recalls = cases[i].recalls};
        struct fleet_claim *asking = start(&script, cases[i].again);
        assert_false(script.done);
        assert_true(loop_run_until(loop, &script.done, clock_mono_ms() + 20000));
        assert_string_equal(script.asked, cases[i].asked);
        assert_int_equal(script.result.answer, cases[i].answer);
        if (cases[i].answer == FLEET_SLOT)
            assert_int_equal(script.result.slot, cases[i].slot);
        assert_non_null(strstr(script.reason, cases[i].reason));
        assert_int_equal(script.result.refused, *cases[i].claims == 'r');
        assert_int_equal(script.result.unsure, cases[i].unsure);
        fleet_claim_free(asking);
        loop_timer_free(script.timer);
    }
    loop_close(loop);
}

static void one_that_is_freed_is_not_answered(void **state)
{
    (void)state;
    struct loop *loop = loop_open(NULL);
    struct script script = {.loop = loop, .claims = "t"};
    const bool never = false;
    fleet_claim_free(start(&script, false));
    fleet_claim_free(NULL);
    loop_run_until(loop, &never, clock_mono_ms() + 20);
    assert_false(script.done);
    loop_timer_free(script.timer);
    loop_close(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_understood),
        cmocka_unit_test(one_that_is_freed_is_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
