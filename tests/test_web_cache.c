#include "core/buf.h"
#include "review/web/web_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool has(struct web_cache *cache, const char *key, const char *text)
{
    struct buf out;
    buf_init(&out, 100);
    bool found = web_cache_get(cache, key, &out);
    if (found)
        assert_string_equal(out.data, text);
    else
        assert_int_equal(out.size, 0);
    buf_free(&out);
    return found;
}

static void put(struct web_cache *cache, const char *key, const char *text)
{
    web_cache_put(cache, key, text, strlen(text));
}

static void what_was_used_last_stays(void **state)
{
    (void)state;
    struct web_cache *cache = web_cache_new(10);
    put(cache, "a", "1234");
    put(cache, "b", "5678");
    assert_true(has(cache, "a", "1234"));
    put(cache, "c", "9012"); /* b has to go */
    assert_true(has(cache, "a", "1234"));
    assert_true(has(cache, "c", "9012"));
    assert_false(has(cache, "b", ""));
    put(cache, "d", "0123456789"); /* everything else has to go */
    assert_true(has(cache, "d", "0123456789"));
    assert_false(has(cache, "a", ""));
    put(cache, "e", "0123456789x"); /* has no room at all */
    assert_false(has(cache, "e", ""));
    assert_true(has(cache, "d", "0123456789"));
    web_cache_free(cache);
}

static void a_key_has_one_text(void **state)
{
    (void)state;
    struct web_cache *cache = web_cache_new(10);
    put(cache, "a", "1");
    put(cache, "a", "22");
    assert_true(has(cache, "a", "22"));
    put(cache, "a", "0123456789x"); /* what does not fit takes the old one with it */
    assert_false(has(cache, "a", ""));
    web_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_used_last_stays),
        cmocka_unit_test(a_key_has_one_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
