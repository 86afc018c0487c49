#include "review/history/group.h"

#include "core/alloc.h"
#include "core/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_lose_what_a_build_changes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *kept;
    } cases[] = {
        {"liwords/pkg/stores/game.(*DBStore).GetRematchStreak",
            "liwords/pkg/stores/game.(*DBStore).GetRematchStreak"},
        {"a.com/b/v2/c.(*T[...]).F.func1.2", "a.com/b/c.(*T).F"},
        {"a.com/b/v2.F", "a.com/b.F"},
        {"a.com/b/v2ray.F", "a.com/b/v2ray.F"},
        {"a.com/b@v1.2.3/c.F", "a.com/b/c.F"},
        {"a.com/b@v1.2.3.F", "a.com/b.F"},
        {"a.com/b@v1.2.3.(*T).F", "a.com/b.(*T).F"},
        {"a.com/b@v0.0.0-20230101-abcdef.F", "a.com/b.F"},
        {"a.com/b@v1.2.3-rc.1/c.F", "a.com/b/c.F"},
        {"a.com/b@v1", "a.com/b"},
        {"gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.Unmarshal"},
        {"app/vendor/a.com/b.F", "a.com/b.F"},
        {"main.work.func1", "main.work"},
        {"main.work.func2.1", "main.work"},
        {"main.work.func2.3.gowrap1", "main.work"},
        {"main.work.deferwrap2", "main.work"},
        {"main.work-range1", "main.work"},
        {"main.(*T).work-fm", "main.(*T).work"},
        {"main.func1", "main.func1"},
        {"main.glob..func7", "main.glob."},
        {"main.init.0", "main.init"},
        {"main.Map[go.shape.int,go.shape.[]uint8]", "main.Map"},
        {"main.Map[...].func1", "main.Map"},
        {"main.broken[", "main.broken["},
        {"0x7f00deadbeef", "0x"},
        {"/build/1234/server.js", "server.js"},
        {"std::vector<int, std::allocator<int> >::push_back", "std::vector::push_back"},
        {"operator<<", "operator<<"},
        {"work.isra.0.cold", "work"},
        {"ns::work.isra.0", "ns::work"},
        {"app::db::query::h0123456789abcdef", "app::db::query"},
        {"app::db::query::{{closure}}::h0123456789abcdef", "app::db::query"},
        {"com.acme.Shop$1.lambda$run$12", "com.acme.Shop$.lambda$run$"},
        {"<module>", "<module>"},
        {"f.<locals>.<lambda>", "f.<locals>.<lambda>"},
        {"", ""},
        {"[", "["},
        {"@", "@"},
        {"/", "/"},
        {"::", "::"},
        {".1", ".1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *kept = group_function_name(cases[i].name);
        assert_string_equal(kept, cases[i].kept);
        free(kept);
    }
}

static void a_hostile_name_is_only_a_name(void **state)
{
    (void)state;
    enum { LENGTH = 1 << 20 };
    static const char fills[] = "[<@/.:$v";
    for (size_t i = 0; fills[i]; i++) {
        char *name = xcalloc(LENGTH + 1, 1);
        memset(name, fills[i], LENGTH);
        memcpy(name, "a", 1);
        char *kept = group_function_name(name);
        assert_true(strlen(kept) <= LENGTH);
        free(kept);
        free(name);
    }
}

struct story {
    const char *service, *app, *trigger, *kind;
    const char *path[6]; /* the last is the suspect */
};

static struct incident *make_incident(const struct story *story)
{
    struct incident *incident = incident_new();
    incident->service = xstrdup(story->service ? story->service : "shop");
    incident->app = xstrdup(story->app ? story->app : "app");
    incident->kind = xstrdup(story->kind ? story->kind : "spike");
    incident->trigger.name = xstrdup(story->trigger ? story->trigger : "cpu-high");
    struct incident_function *suspect = &incident->analysis.suspect;
    suspect->path = xcalloc(6, sizeof *suspect->path);
    for (size_t i = 0; i < 6 && story->path[i]; i++)
        suspect->path[suspect->path_count++] = xstrdup(story->path[i]);
    if (suspect->path_count)
        suspect->function = xstrdup(suspect->path[suspect->path_count - 1]);
    return incident;
}

static void group_story(const struct story *story, char group[GROUP_SIZE])
{
    struct incident *incident = make_incident(story);
    group_of(incident, group);
    incident_free(incident);
}

static void the_same_spike_has_the_same_group(void **state)
{
    (void)state;
    static const struct {
        struct story first, second;
        bool same;
    } cases[] = {
        {{.path = {"main.serve", "shop/db.Query"}}, {.path = {"main.serve", "shop/db.Query"}},
            true},
        /* libraries and handlers above the caller change */
        {{.path = {"net/http.(*conn).serve", "shop/web.Cart", "shop/db.Load", "shop/db.Query"}},
            {.path = {"a.com/mux.Serve", "shop/web.List", "shop/db.Load", "shop/db.Query"}}, true},
        {{.path = {"shop/db.Load", "database/sql.(*DB).Query", "shop/db.Scan"}},
            {.path = {"shop/db.Load", "database/sql.(*DB).query.func1", "shop/db.Scan"}}, true},
        /* versions, closures, generics */
        {{.path = {"a.com/me/shop/v2/db.Load.func1", "a.com/me/shop/v2/db.Map[...]"}},
            {.path = {"a.com/me/shop/v3/db.Load.func2.1", "a.com/me/shop/v3/db.Map[go.shape.int]"}},
            true},
        /* recursion: however deep */
        {{.path = {"main.solve", "main.walk", "main.walk", "main.walk.func1"}},
            {.path = {"main.solve", "main.walk"}}, true},
        /* another function, another own caller, another trigger, app, service */
        {{.path = {"main.serve", "main.a"}}, {.path = {"main.serve", "main.b"}}, false},
        {{.path = {"main.cart", "main.query"}}, {.path = {"main.list", "main.query"}}, false},
        {{.path = {"shop/x.Cart", "shop/db.Query"}}, {.path = {"shop/x.List", "shop/db.Query"}},
            false},
        {{.path = {"main.serve", "shop/db.Query"}}, {.path = {"main.load", "shop/db.Query"}},
            false},
        {{.trigger = "cpu-high", .path = {"main.a"}}, {.trigger = "memory", .path = {"main.a"}},
            false},
        {{.app = "api", .path = {"main.a"}}, {.app = "worker", .path = {"main.a"}}, false},
        {{.service = "x", .path = {"main.a"}}, {.service = "y", .path = {"main.a"}}, false},
        {{.service = "xy", .app = "z"}, {.service = "x", .app = "yz"}, false},
        /* others of the same host are not own code */
        {{.path = {"a.com/them/mux.Serve", "a.com/me/shop.Query"}},
            {.path = {"a.com/them/pool.Run", "a.com/me/shop.Query"}}, true},
        /* no suspect */
        {{.trigger = "cpu-high"}, {.trigger = "cpu-high"}, true},
        {{.trigger = "cpu-high"}, {.trigger = "memory"}, false},
        {{.trigger = "cpu-high"}, {.path = {"main.a"}}, false},
        /* a baseline is about nothing */
        {{.kind = "baseline", .trigger = "baseline", .path = {"main.a"}},
            {.kind = "baseline", .trigger = "baseline", .path = {"main.b"}}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char first[GROUP_SIZE], second[GROUP_SIZE];
        group_story(&cases[i].first, first);
        group_story(&cases[i].second, second);
        assert_true(known_group_valid(first));
        if (cases[i].same != (strcmp(first, second) == 0))
            fail_msg("case %zu: %s and %s", i, first, second);
    }
}

static void a_stored_group_is_taken_if_it_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *stored;
        bool valid;
    } cases[] = {
        {"0123456789abcdef", true},
        {"0123456789ABCDEF", false},
        {"0123456789abcde", false},
        {"0123456789abcdef0", false},
        {"<script>alert(1)", false},
        {"", false},
        {NULL, false},
    };
    const struct story story = {.path = {"main.a"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char stored[GROUP_SIZE], made[GROUP_SIZE];
        struct incident *incident = make_incident(&story);
        incident->analysis.group = cases[i].stored ? xstrdup(cases[i].stored) : NULL;
        group_of(incident, made);
        group_as_stored(incident, stored);
        assert_int_equal(known_group_valid(cases[i].stored), cases[i].valid);
        assert_string_equal(stored, cases[i].valid ? cases[i].stored : made);
        incident_free(incident);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lose_what_a_build_changes),
        cmocka_unit_test(a_hostile_name_is_only_a_name),
        cmocka_unit_test(the_same_spike_has_the_same_group),
        cmocka_unit_test(a_stored_group_is_taken_if_it_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
