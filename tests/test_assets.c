#include "review/web/assets.h"

#include "core/error.h"
#include "review/profile/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The text of an asset; the caller frees. */
static char *text_of(const char *path)
{
    const struct asset *asset = asset_find(path);
    assert_non_null(asset);
    assert_true(asset->gzip);
    char *text;
    size_t size;
    struct error err;
    assert_int_equal(gzip_inflate(asset->data, asset->size, 1 << 20, &text, &size, &err), 0);
    return text;
}

/* The first "name" of an attribute in the page, as the path of its asset. */
static const struct asset *linked(const char *page, const char *attribute)
{
    const char *start = strstr(page, attribute);
    assert_non_null(start);
    start += strlen(attribute);
    char path[200];
    snprintf(path, sizeof path, "/speedscope/%.*s", (int)strcspn(start, "\""), start);
    return asset_find(path);
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {"", "/", "/speedscope", "/speedscope/x", "speedscope/",
        "/speedscope/../assets.c", "/speedscope/index.html/"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_null(asset_find(paths[i]));
}

static void what_the_page_needs_is_there(void **state)
{
    (void)state;
    if (!asset_has_speedscope())
        skip();
    char *page = text_of("/speedscope/");
    const struct asset *script = linked(page, "<script src=\"");
    const struct asset *style = linked(page, "<link rel=\"stylesheet\" href=\"");
    assert_non_null(script);
    assert_non_null(style);
    assert_string_equal(script->content_type, "text/javascript; charset=utf-8");
    assert_string_equal(style->content_type, "text/css; charset=utf-8");
    free(page);
}

static void the_license_names_everybody(void **state)
{
    (void)state;
    if (!asset_has_speedscope())
        skip();
    char *license = text_of("/speedscope/LICENSE");
    assert_string_equal(
        asset_find("/speedscope/LICENSE")->content_type, "text/plain; charset=utf-8");
    static const char *const names[] = {"Jamie Wong", "preact", "Daniel Wirtz", "SIL OPEN FONT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_non_null(strstr(license, names[i]));
    free(license);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(what_the_page_needs_is_there),
        cmocka_unit_test(the_license_names_everybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
