/* Which baseline an incident is compared with, by table. */
#include "agent/baseline/choice.h"

#include "core/alloc.h"
#include "core/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000)

static const int64_t fired_ms = INT64_C(20000) * 24 * HOUR + 12 * HOUR; /* at noon */

/* One that is kept; its letter is its app's in the table below. */
struct kept {
    const char *id; /* NULL: no more */
    int64_t hours_ago;
    const char *image;
    enum profile_status status;
    const char *app; /* NULL: the incident's */
};

enum { KEPT_MAX = 5 };

static struct incident *baseline_of(const struct kept *kept)
{
    struct incident *baseline = incident_new();
    baseline->id = xstrdup(kept->id);
    baseline->app = xstrdup(kept->app ? kept->app : "api");
    baseline->fired_ms = fired_ms - kept->hours_ago * HOUR;
    baseline->finished_ms = baseline->fired_ms + 26000;
    baseline->target.image = kept->image ? xstrdup(kept->image) : NULL;
    incident_add_profile(baseline, "cpu")->status = kept->status;
    return baseline;
}

static const char *chosen(const struct kept *kept, const char *image, int64_t onset_s_ago)
{
    struct incident *baselines[KEPT_MAX], *incident = incident_new();
    size_t count = 0;
    for (; count < KEPT_MAX && kept[count].id; count++)
        baselines[count] = baseline_of(&kept[count]);
    incident->app = xstrdup("api");
    incident->fired_ms = fired_ms;
    incident->onset_ms = onset_s_ago ? fired_ms - onset_s_ago * 1000 : 0;
    incident->target.image = image ? xstrdup(image) : NULL;
    const struct incident *best = choice_make(
        (const struct incident *const *)baselines, count, incident);
    const char *id = NULL;
    for (size_t i = 0; i < count; i++) {
        if (baselines[i] == best)
            id = kept[i].id;
        incident_free(baselines[i]);
    }
    incident_free(incident);
    return id;
}

static void the_best_is_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *image;
        int64_t onset_s_ago;
        struct kept kept[KEPT_MAX];
        const char *expected;
    } cases[] = {
        {"none is kept", "v1", 0, {{NULL}}, NULL},
        {"the only one", "v1", 0, {{"a", 10, "v1", PROFILE_OK, NULL}}, "a"},
        {"the newest", "v1", 0,
            {{"a", 2, "v1", PROFILE_OK, NULL}, {"b", 1, "v1", PROFILE_OK, NULL}}, "b"},
        {"of a comparable hour rather than the newest", "v1", 0,
            {{"a", 23, "v1", PROFILE_OK, NULL}, {"b", 5, "v1", PROFILE_OK, NULL}}, "a"},
        {"the newest of a comparable hour", "v1", 0,
            {{"a", 47, "v1", PROFILE_OK, NULL}, {"b", 24, "v1", PROFILE_OK, NULL},
                {"c", 8, "v1", PROFILE_OK, NULL}},
            "b"},
        {"an hour of last week is too long ago", "v1", 0,
            {{"a", 8 * 24, "v1", PROFILE_OK, NULL}, {"b", 5, "v1", PROFILE_OK, NULL}}, "b"},
        {"of the same image, however old", "v1", 0,
            {{"a", 1, "v2", PROFILE_OK, NULL}, {"b", 500, "v1", PROFILE_OK, NULL}}, "b"},
        {"of none where the image is another", "v1", 0, {{"a", 1, "v2", PROFILE_OK, NULL}}, NULL},
        {"an unknown image is one", NULL, 0,
            {{"a", 1, "v1", PROFILE_OK, NULL}, {"b", 2, NULL, PROFILE_OK, NULL}}, "b"},
        {"of the same app", "v1", 0,
            {{"a", 1, "v1", PROFILE_OK, "worker"}, {"b", 2, "v1", PROFILE_OK, NULL}}, "b"},
        {"a whole one", "v1", 0,
            {{"a", 20, "v1", PROFILE_OK, NULL}, {"b", 1, "v1", PROFILE_FAILED, NULL}}, "a"},
        {"one that is not whole rather than none", "v1", 0, {{"a", 1, "v1", PROFILE_FAILED, NULL}},
            "a"},
        {"from before the fire", "v1", 0,
            {{"a", -1, "v1", PROFILE_OK, NULL}, {"b", 2, "v1", PROFILE_OK, NULL}}, "b"},
        {"from before the onset", "v1", 3590,
            {{"a", 1, "v1", PROFILE_OK, NULL}, {"b", 2, "v1", PROFILE_OK, NULL}}, "b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *id = chosen(cases[i].kept, cases[i].image, cases[i].onset_s_ago);
        const char *expected = cases[i].expected;
        if (expected ? !id || strcmp(id, expected) != 0 : id != NULL)
            fail_msg("%s: %s was chosen", cases[i].what, id ? id : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
