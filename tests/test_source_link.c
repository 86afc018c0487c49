#include "review/analysis/source_link.h"

#include "core/alloc.h"
#include "core/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char usual_url[] = "https://git/me/app/blob/{commit}/{path}#L{line}";
static const char usual_image[] = "registry:5000/me/app:1a2b3c4";

static struct source_links *open_links(const char *url, const char *image)
{
    struct incident *incident = incident_new();
    incident->source_url = url ? xstrdup(url) : NULL;
    incident->target.image = image ? xstrdup(image) : NULL;
    struct source_links *links = source_links_new(incident);
    incident_free(incident);
    return links;
}

static void the_image_tells_the_commit(void **state)
{
    (void)state;
    static const struct {
        const char *image, *commit; /* NULL: no links */
    } cases[] = {
        {"app:1a2b3c4", "1a2b3c4"},
        {"registry:5000/me/app:1a2b3c4", "1a2b3c4"},
        {"app:main-1a2b3c4d", "1a2b3c4d"},
        {"app:v1.2.3-4-g1a2b3c4", "1a2b3c4"},
        {"app:20261123-1a2b3c4", "1a2b3c4"},
        {"app:0123456789abcdef0123456789abcdef01234567",
            "0123456789abcdef0123456789abcdef01234567"},
        {"app:1a2b3c4@sha256:00112233445566778899aabbccddeeff", "1a2b3c4"},
        {"app:v1.2.3", "v1.2.3"},
        {"app:build-7", "build-7"},
        {"app:deadbeef", "deadbeef"},
        {"app:a\"b", "a%22b"},
        {"app:latest", NULL},
        {"app", NULL},
        {"registry:5000/app", NULL},
        {"app@sha256:00112233445566778899aabbccddeeff", NULL},
        {"app:", NULL},
        {"a@b/c:1", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source_links *links = open_links("https://git/{commit}/{path}", cases[i].image);
        char *link = source_links_to(links, "a.com/me/app.F", "/src/f.go", 1);
        char *wanted = cases[i].commit ? xasprintf("https://git/%s/f.go", cases[i].commit) : NULL;
        assert_true(!link == !wanted);
        if (wanted)
            assert_string_equal(link, wanted);
        free(wanted);
        free(link);
        source_links_free(links);
    }
}

static void the_path_is_found_from_the_package(void **state)
{
    (void)state;
    static const struct {
        const char *function, *file;
        const char *learned_function, *learned_file; /* NULL: nothing learned */
        const char *path;                            /* NULL: no link */
    } cases[] = {
        {"github.com/me/app/pkg/db.(*T).F", "/src/pkg/db/f.go", NULL, NULL, "pkg/db/f.go"},
        {"github.com/me/app/pkg/db.Map[...]", "/src/pkg/db/f.go", NULL, NULL, "pkg/db/f.go"},
        {"github.com/me/app/pkg/db.F", "/home/me/app/pkg/db/f.go", NULL, NULL, "pkg/db/f.go"},
        {"github.com/me/app/pkg/db.F", "github.com/me/app/pkg/db/f.go", NULL, NULL, "pkg/db/f.go"},
        {"github.com/me/app/v2/pkg/db.F", "/src/pkg/db/f.go", NULL, NULL, "pkg/db/f.go"},
        {"github.com/me/app.F", "/src/app/f.go", NULL, NULL, "f.go"},
        {"git.internal/app/pkg/db.F", "/src/pkg/db/f.go", NULL, NULL, "pkg/db/f.go"},
        {"liwords/pkg/stores/game.(*DBStore).Get", "/opt/program/pkg/stores/game/db.go", NULL, NULL,
            "pkg/stores/game/db.go"},
        {"liwords/pkg/stores/game.F", "/src/liwords/pkg/stores/game/db.go", NULL, NULL,
            "pkg/stores/game/db.go"},
        {"liwords/pkg/stores/game.F", "/elsewhere/db.go", NULL, NULL, NULL},
        {"gopkg.in/me/yaml%2ev3/x.F", "/src/x/f.go", NULL, NULL, "x/f.go"},
        /* package main */
        {"main.work", "/src/main.go", NULL, NULL, "main.go"},
        {"main.work", "/src/cmd/api/main.go", NULL, NULL, "cmd/api/main.go"},
        {"main.work", "github.com/me/app/cmd/api/main.go", NULL, NULL, "cmd/api/main.go"},
        {"main.work", "/src/tools/api/main.go", "github.com/me/app/pkg/db.F", "/src/pkg/db/f.go",
            "tools/api/main.go"},
        {"main.work", "/src/tools/api/main.go", "github.com/me/app.F", "/src/f.go", "main.go"},
        {"main.work", "/app/api/main.go", "github.com/me/app.F", "/app/f.go", "api/main.go"},
        /* others' code */
        {"a.com/b/c.F", "/go/pkg/mod/a.com/b/c@v1.2.3/f.go", NULL, NULL, NULL},
        {"a.com/b/c.F", "a.com/b/c@v1.2.3/f.go", NULL, NULL, NULL},
        /* other languages */
        {"handler", "/usr/src/app/web/views.py", NULL, NULL, "web/views.py"},
        {"handler", "web/views.py", NULL, NULL, "web/views.py"},
        {"handler", "/usr/lib/python3/json.py", NULL, NULL, NULL},
        /* hostile */
        {"handler", "../../etc/passwd", NULL, NULL, NULL},
        {"handler", "a//b.py", NULL, NULL, NULL},
        {"handler", "a\"><script>.py", NULL, NULL, "a%22%3E%3Cscript%3E.py"},
        {"handler", "a b#c?d.py", NULL, NULL, "a%20b%23c%3Fd.py"},
        {"handler", "", NULL, NULL, NULL},
        {"main.F", "/.go", NULL, NULL, ".go"},
        {"", "/x.go", NULL, NULL, "x.go"},
        {"x.F", "f.go", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source_links *links = open_links(usual_url, usual_image);
        if (cases[i].learned_function)
            source_links_learn(links, cases[i].learned_function, cases[i].learned_file);
        char *link = source_links_to(links, cases[i].function, cases[i].file, 12);
        char *wanted = cases[i].path
                           ? xasprintf("https://git/me/app/blob/1a2b3c4/%s#L12", cases[i].path)
                           : NULL;
        if (!link != !wanted)
            fail_msg("case %zu: %s", i, link ? link : "no link");
        if (wanted)
            assert_string_equal(link, wanted);
        free(wanted);
        free(link);
        source_links_free(links);
    }
}

static void a_template_is_filled_in_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int64_t line;
        const char *link; /* NULL: none */
    } cases[] = {
        {"https://git/{path}?at={commit}&line={line}", 7, "https://git/f.go?at=1a2b3c4&line=7"},
        {"https://git/{path}#L{line}", 0, "https://git/f.go"},
        {"https://git/{path}#top", 0, "https://git/f.go#top"},
        {"https://git/main/{path}", 7, "https://git/main/f.go"},
        {"https://git/{else}/{path}", 7, "https://git/{else}/f.go"},
        {"https://git/", 7, NULL},
        {"javascript:alert({path})", 7, NULL},
        {"https://git/\"onload=x/{path}", 7, NULL},
        {"https://git/ x/{path}", 7, NULL},
        {"https://git/\x1b[31m/{path}", 7, NULL},
        {"https://git/)/{path}", 7, NULL},
        {NULL, 7, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source_links *links = open_links(cases[i].url, usual_image);
        char *link = source_links_to(links, "a.com/me/app.F", "/src/f.go", cases[i].line);
        if (!link != !cases[i].link)
            fail_msg("case %zu: %s", i, link ? link : "no link");
        if (link)
            assert_string_equal(link, cases[i].link);
        free(link);
        source_links_free(links);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_image_tells_the_commit),
        cmocka_unit_test(the_path_is_found_from_the_package),
        cmocka_unit_test(a_template_is_filled_in_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
