#include "core/alloc.h"
#include "review/suspect/go_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_have_a_package_and_a_short_form(void **state)
{
    (void)state;
    static const struct {
        const char *name, *package, *shortened;
    } cases[] = {
        {"liwords/pkg/stores/game.(*DBStore).GetRematchStreak", "liwords/pkg/stores/game",
            "(*DBStore).GetRematchStreak"},
        {"main.main", "main", "main.main"},
        {"main.run.func1", "main", "main.run.func1"},
        {"main.(*Server).handle.func2.1", "main", "(*Server).handle.func2.1"},
        {"example.org/shop/cart.Cart.Total", "example.org/shop/cart", "cart.Cart.Total"},
        {"net/http.HandlerFunc.ServeHTTP", "net/http", "http.HandlerFunc.ServeHTTP"},
        {"runtime.mallocgc", "runtime", "runtime.mallocgc"},
        {"gopkg.in/yaml%2ev3.(*decoder).unmarshal", "gopkg.in/yaml.v3", "(*decoder).unmarshal"},
        {"gopkg.in/yaml%2ev3.Marshal", "gopkg.in/yaml.v3", "yaml.v3.Marshal"},
        {"a%22b%7f.F", "a\"b\x7f", "a\"b\x7f.F"},
        {"a%2.F", "a%2", "a%2.F"},
        {"a%00.F", "a%00", "a%00.F"},
        {"main.Map[...]", "main", "main.Map[...]"},
        {"main.(*Cache[...]).Get", "main", "(*Cache[...]).Get"},
        {"main.Map[go.shape.int_0,example.org/x.T]", "main", "main.Map[...]"},
        {"a.org/b.Map[map[string]a.org/c.D].func1", "a.org/b", "b.Map[...].func1"},
        {"main.(*Hub).Watch-fm", "main", "(*Hub).Watch"},
        {"acme.org/shop/vendor/github.com/lib/pq.(*conn).Query",
            "acme.org/shop/vendor/github.com/lib/pq", "(*conn).Query"},
        {"main.glob..func1", "main", "main.glob..func1"},
        {"main.init.0", "main", "main.init.0"},
        {"main.F[x", "main", "main.F[x"},
        {"main.F]x[abcd]", "main", "main.F]x[...]"},
        {"type..eq.main.Key", "", "type..eq.main.Key"},
        {"type:.hash.example.org/x.Key", "", "type:.hash.example.org/x.Key"},
        {"go.(*struct {}).F", "", "go.(*struct {}).F"},
        {"go.uber.org/zap.(*Logger).Info", "go.uber.org/zap", "(*Logger).Info"},
        {"type.acme.org/x.F", "type.acme.org/x", "x.F"},
        {"memeqbody", "", "memeqbody"},
        {"std::vector<int>::push_back(int const&)", "", "std::vector<int>::push_back(int const&)"},
        {"operator new(unsigned long)", "", "operator new(unsigned long)"},
        {"a/b/c", "", "a/b/c"},
        {".F", "", ".F"},
        {"", "", ""},
        {"%", "", "%"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *package = go_names_package(cases[i].name);
        char *shortened = go_names_short(cases[i].name);
        assert_string_equal(package, cases[i].package);
        assert_string_equal(shortened, cases[i].shortened);
        free(package);
        free(shortened);
    }
}

static void the_standard_library_is_known_by_its_first_element(void **state)
{
    (void)state;
    static const char *const standard[] = {"archive/zip", "bufio", "crypto/sha256", "encoding/json",
        "iter", "maps", "net", "net/http/pprof", "runtime", "unique",
        "vendor/golang.org/x/net/http2/hpack", "weak", "cmd/go"};
    static const char *const others[] = {"main", "liwords/pkg", "netx", "ne", "n", "",
        "github.com/a/b", "golang.org/x/net/http2", "ioutil", "runtimes/x", "zzz", "vendors/x"};
    for (size_t i = 0; i < sizeof standard / sizeof *standard; i++)
        if (!go_names_is_standard(standard[i]))
            fail_msg("%s is standard", standard[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (go_names_is_standard(others[i]))
            fail_msg("%s is not standard", others[i]);
}

static void the_runtime_is_known(void **state)
{
    (void)state;
    assert_true(go_names_is_runtime("runtime"));
    assert_true(go_names_is_runtime("runtime/internal/atomic"));
    assert_true(go_names_is_runtime("internal/runtime/maps"));
    assert_true(go_names_is_runtime("internal/bytealg"));
    assert_false(go_names_is_runtime("runtime/pprof"));
    assert_false(go_names_is_runtime("internal/poll"));
    assert_false(go_names_is_runtime("main"));
}

static void generated_functions_are_known(void **state)
{
    (void)state;
    static const char *const generated[] = {"main.run.func1", "main.(*T).M.func2.1",
        "main.(*T).M-fm", "main.F.gowrap1", "main.F.deferwrap2", "main.F-range1",
        "main.function.func3"};
    static const char *const written[] = {
        "main.run", "main.function", "main.(*T).func", "main.funcs.x", "-fm", ""};
    for (size_t i = 0; i < sizeof generated / sizeof *generated; i++)
        if (!go_names_is_generated(generated[i]))
            fail_msg("%s is generated", generated[i]);
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (go_names_is_generated(written[i]))
            fail_msg("%s is not generated", written[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_a_package_and_a_short_form),
        cmocka_unit_test(the_standard_library_is_known_by_its_first_element),
        cmocka_unit_test(the_runtime_is_known),
        cmocka_unit_test(generated_functions_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
