#include "review/suspect/go_names.h"

#include "core/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* First elements of the paths in Go's standard library, sorted (go list std, Go 1.19 to 1.24). */
static const char *const standard[] = {"archive", "arena", "bufio", "builtin", "bytes", "cmd",
    "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed", "encoding",
    "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io",
    "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp",
    "runtime", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall", "testing",
    "text", "time", "unicode", "unique", "unsafe", "vendor", "weak"};

/* Packages that only the runtime and the compiler's code call. */
static const char *const below_runtime[] = {
    "internal/abi", "internal/bytealg", "internal/cpu", "internal/goarch", "internal/race"};

static bool starts_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

/* Bytes of the package's path with the dot behind it; 0: there is none. Nothing before the dot that
 * ends it may be a bracket: those hold types with paths of their own. */
static size_t package_end(const char *name)
{
    static const char *const made[] = {"type..", "type:", "go.(", "go.shape.", "go:"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        if (starts_with(name, made[i]))
            return 0;
    size_t stop = strcspn(name, "[(");
    const char *slash = memrchr(name, '/', stop);
    const char *element = slash ? slash + 1 : name;
    const char *dot = memchr(element, '.', stop - (size_t)(element - name));
    return dot && dot > element ? (size_t)(dot - name) + 1 : 0;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

static char *unescape(const char *text, size_t size)
{
    char *plain = xstrndup(text, size), *out = plain;
    for (const char *at = plain; *at; at++) {
        int high = *at == '%' ? hex_digit(at[1]) : -1;
        int low = high >= 0 ? hex_digit(at[2]) : -1;
        if (low >= 0 && (high || low)) {
            *out++ = (char)(high << 4 | low);
            at += 2;
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
    return plain;
}

char *go_names_package(const char *name)
{
    size_t end = package_end(name);
    return unescape(name, end ? end - 1 : 0);
}

/* What stands in brackets becomes "...": "Map[go.shape.int_0]" is "Map[...]". */
static void hide_type_arguments(char *name)
{
    char *out = name;
    int depth = 0;
    for (const char *at = name; *at; at++) {
        if (*at == ']' && depth > 0 && --depth == 0) {
            memcpy(out, "...", 3);
            out += 3;
        }
        if (depth == 0)
            *out++ = *at;
        if (*at == '[')
            depth++;
    }
    *out = '\0';
}

/* Whether every bracket is closed, with at least three bytes in it. */
static bool has_type_arguments(const char *name)
{
    const char *open = strchr(name, '[');
    int depth = 0;
    for (const char *at = open; at && *at; at++) {
        if (*at == '[' && depth++ == 0)
            open = at;
        if (*at == ']' && --depth == 0 && at - open <= 3)
            return false;
        if (depth < 0)
            return false;
    }
    return open && depth == 0;
}

char *go_names_short(const char *name)
{
    size_t end = package_end(name);
    const char *rest = name + end;
    char *package = go_names_package(name);
    const char *slash = strrchr(package, '/');
    const char *last = slash ? slash + 1 : package;
    char *text = end && *rest != '(' ? xasprintf("%s.%s", last, rest) : xstrdup(rest);
    free(package);
    size_t length = strlen(text);
    if (length > 3 && !strcmp(text + length - 3, "-fm"))
        text[length - 3] = '\0';
    if (end && has_type_arguments(text))
        hide_type_arguments(text);
    return text;
}

static int compare_element(const void *package, const void *element)
{
    const char *name = *(const char *const *)element;
    size_t length = strcspn(package, "/");
    int order = strncmp(package, name, length);
    return order ? order : -(int)(unsigned char)name[length];
}

bool go_names_is_standard(const char *package)
{
    return bsearch(package, standard, sizeof standard / sizeof *standard, sizeof *standard,
               compare_element) != NULL;
}

bool go_names_is_runtime(const char *package)
{
    if (!strcmp(package, "runtime") || starts_with(package, "runtime/internal/") ||
        starts_with(package, "internal/runtime/"))
        return true;
    for (size_t i = 0; i < sizeof below_runtime / sizeof *below_runtime; i++)
        if (!strcmp(package, below_runtime[i]))
            return true;
    return false;
}

bool go_names_is_generated(const char *name)
{
    static const char *const parts[] = {".func", ".gowrap", ".deferwrap", "-range"};
    size_t length = strlen(name);
    if (length > 3 && !strcmp(name + length - 3, "-fm"))
        return true;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *at = strstr(name, parts[i]); at; at = strstr(at + 1, parts[i]))
            if (isdigit((unsigned char)at[strlen(parts[i])]))
                return true;
    return false;
}
