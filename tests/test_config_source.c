#include "agent/kinds.h"
#include "config/config.h"
#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD  "service: s\nexport: {directory: /captures}\n"
#define DEBUG "debug: 'http://h/'"

struct source_case {
    const char *text;    /* after HEAD, which has two lines */
    const char *problem; /* NULL: it is valid */
};

static const struct source_case cases[] = {
    {"app: {" DEBUG "}\n", NULL},
    {"source: auto\napp: {" DEBUG ", container: /usr/bin/api}\n", NULL},
    {"source: ecs\napp: {" DEBUG "}\n", NULL},
    {"source: cgroup\napp: {" DEBUG "}\n", NULL}, /* which says what there is */
    {"source: process\napp: {" DEBUG ", container: api}\n", NULL},
    {"source: process\napp: {" DEBUG "}\n",
        "f.yaml:4:1: app.container: is missing (the source process needs the name or pid of the "
        "app's process)\n"},
    {"source: process\napp:\n  " DEBUG "\n  container: /usr/bin/api\n",
        "f.yaml:6:14: app.container: /usr/bin/api is no name of a process: leave out its folder\n"},
    {"source: process\napps:\n  a: {" DEBUG ", container: api}\n  b: {" DEBUG "}\n",
        "f.yaml:6:3: apps.b.container: is missing (the source process needs the name or pid of the "
        "app's process)\n"},
    {"source: docker\napp: {" DEBUG "}\n",
        "f.yaml:4:1: app.container: is missing (the source docker needs the container's name or "
        "id)\n"},
    {"source: docker\napp: {" DEBUG ", container: a/b}\n",
        "f.yaml:4:38: app.container: a/b is no name or id of a container\n"},
    {"source: cgroup\napp: {" DEBUG ", container: ../api}\n",
        "f.yaml:4:38: app.container: ../api is not a cgroup's path below the mount, which looks "
        "like system.slice/api.service\n"},
    /* What is wrong for another reason is told once. */
    {"source: process\napp: {" DEBUG ", container: [api]}\n",
        "f.yaml:4:38: app.container: must be one value, not a list\n"},
    {"source: process\napp: {" DEBUG ", container: ''}\n",
        "f.yaml:4:38: app.container: must not be empty\n"},
    {"source: process\napp: api\n", "f.yaml:4:6: app: must be a mapping; keys it takes: debug, "
                                    "container, headers, own_code\n"},
};

static void what_a_source_cannot_watch_is_told_in_place(void **state)
{
    (void)state;
    static const struct config_needs needs = {.exporter = true};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf text, problems;
        buf_init(&text, 4096);
        buf_init(&problems, 1 << 16);
        buf_printf(&text, HEAD "%s", cases[i].text);
        struct config *config = config_parse(
            text.data, text.size, "f.yaml", &config_kinds, &needs, &problems);
        assert_string_equal(problems.data, cases[i].problem ? cases[i].problem : "");
        assert_int_equal(config != NULL, cases[i].problem == NULL);
        config_free(config, &config_kinds);
        buf_free(&problems);
        buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_source_cannot_watch_is_told_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
