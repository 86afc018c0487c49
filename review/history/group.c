/* What is hashed: service, app, trigger, and the names of the suspect and of its nearest caller
 * among the user's own functions.
 *
 * Each part is there because leaving it out would merge different spikes, and nothing more is
 * because it would tear one apart. The trigger: the same function on the CPU and in the heap are
 * two stories. The caller: a helper (`query`, `decode`) is the suspect of many, and who calls it
 * tells them apart. Not two callers: which handler leads to the caller varies from spike to spike
 * with what users did, and a wrapper that a release puts in between is not another spike. Not the
 * libraries on the path, which change with an update. */
#include "review/history/group.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "core/sha256.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MAX = 1024 }; /* of a name that are looked at */

static const char hex_digits[] = "0123456789abcdef";
static const char digits[] = "0123456789";

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

/* Bytes of a bracket with all that is in it, 0 when it is never closed. */
static size_t bracket_length(const char *text, char open, char close)
{
    size_t depth = 0;
    for (size_t i = 0; text[i]; i++) {
        depth += text[i] == open;
        if (text[i] == close && --depth == 0)
            return i + 1;
    }
    return 0;
}

/* Type arguments: [...] of Go, <...> after a name elsewhere. "<module>" is a name itself. */
static size_t arguments_length(const char *text, char before)
{
    if (*text == '[' && before)
        return bracket_length(text, '[', ']');
    return *text == '<' && is_word(before) ? bracket_length(text, '<', '>') : 0;
}

/* "v12", followed by what ends an element of a path; 0: it is none. */
static size_t major_length(const char *text)
{
    size_t number = *text == 'v' ? strspn(text + 1, digits) : 0;
    return number && (text[1 + number] == '/' || text[1 + number] == '.') ? 1 + number : 0;
}

/* "@v1.2.3-rc.1" of a module: all of the path's element, or when it is the last, all that cannot be
 * the function. */
static size_t module_version_length(const char *text)
{
    size_t element = strcspn(text, "/");
    if (text[element] == '/')
        return element;
    size_t length = strcspn(text, digits);
    for (int i = 0; i < 3; i++) {
        size_t dot = i > 0 && text[length] == '.';
        size_t number = dot || i == 0 ? strspn(text + length + dot, digits) : 0;
        if (!number)
            break;
        length += dot + number;
    }
    if (text[length] == '-' || text[length] == '+')
        length += strcspn(text + length, ".");
    return length;
}

/* A version at this place of a name: "@v1.2.3", "/v2" before the next element, "%2ev3" as the Go
 * linker writes the dot of gopkg.in/yaml.v3. 0: there is none. */
static size_t version_length(const char *text, char before)
{
    if (*text == '@' && before)
        return module_version_length(text);
    if (*text == '/') {
        size_t major = major_length(text + 1);
        return major ? 1 + major : 0;
    }
    if (!strncmp(text, "%2e", 3)) {
        size_t major = major_length(text + 3);
        return major ? 3 + major : 0;
    }
    return 0;
}

/* Numbers of anonymous classes and lambdas: Outer$1, lambda$run$12. */
static size_t number_length(const char *text, char before)
{
    return before == '$' ? strspn(text, digits) : 0;
}

/* Whether text[0..length) is `word` and a number. */
static bool is_numbered(const char *text, size_t length, const char *word)
{
    size_t skip = strlen(word);
    return length > skip && !strncmp(text, word, skip) &&
           strspn(text + skip, digits) >= length - skip;
}

/* Closures and what the Go compiler wraps around calls. */
static bool is_closure(const char *part, size_t length)
{
    return is_numbered(part, length, "func") || is_numbered(part, length, "gowrap") ||
           is_numbered(part, length, "deferwrap");
}

/* Copies of a function that compilers make, and bare numbers. */
static bool is_clone(const char *part, size_t length)
{
    static const char *const clones[] = {"isra", "part", "constprop", "cold", "lto_priv", "llvm"};
    for (size_t i = 0; i < sizeof clones / sizeof *clones; i++)
        if (length == strlen(clones[i]) && !strncmp(part, clones[i], length))
            return true;
    return is_numbered(part, length, "");
}

/* Where a path ends and package.Function begins. */
static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* Cuts one made-up ending off; false when there is none. */
static bool cut_ending(char *name)
{
    size_t length = strlen(name);
    char *dash = strrchr(name, '-'), *colons = NULL;
    if (dash && dash > name &&
        (!strcmp(dash, "-fm") || is_numbered(dash, strlen(dash), "-range"))) {
        *dash = '\0';
        return true;
    }
    for (char *at = strstr(name, "::"); at; at = strstr(at + 1, "::"))
        colons = at;
    bool rust = colons && colons > name &&
                (!strncmp(colons, "::{{closure}}", 13) || !strncmp(colons, "::{closure", 10) ||
                    (length - (size_t)(colons - name) == 19 && colons[2] == 'h' &&
                        strspn(colons + 3, hex_digits) == 16));
    if (rust) {
        *colons = '\0';
        return true;
    }
    char *dot = strrchr(name, '.');
    if (!dot || dot == name)
        return false;
    const char *first = strpbrk(base_of(name), ".:");
    size_t part = strlen(dot + 1);
    if (!is_clone(dot + 1, part) && !(dot > first && is_closure(dot + 1, part)))
        return false;
    *dot = '\0';
    return true;
}

/* A path of the machine that it was built on leaves its last element. */
static const char *without_place(const char *name)
{
    static const char vendor[] = "/vendor/";
    for (const char *at; (at = strstr(name, vendor));)
        name = at + sizeof vendor - 1;
    return *name == '/' && *base_of(name) ? base_of(name) : name;
}

static void drop_varying(const char *name, char *kept)
{
    for (char before = '\0'; *name;) {
        size_t skip = arguments_length(name, before);
        skip = skip ? skip : version_length(name, before);
        skip = skip ? skip : number_length(name, before);
        before = *name;
        if (!skip)
            *kept++ = *name;
        name += skip ? skip : 1;
    }
}

char *group_function_name(const char *name)
{
    if (!strncmp(name, "0x", 2) && strspn(name + 2, hex_digits) == strlen(name + 2))
        return xstrdup("0x"); /* a function without a name: its address */
    char *bounded = xstrndup(name, NAME_BYTES_MAX);
    char *kept = xcalloc(strlen(bounded) + 1, 1);
    drop_varying(without_place(bounded), kept);
    while (cut_ending(kept))
        continue;
    free(bounded);
    return kept;
}

/* How much of a name says whose code it is: the module by the habits of Go ("github.com/a/b",
 * "liwords"), else the package or the outermost name space. */
static size_t owner_length(const char *name)
{
    size_t element = strcspn(name, "/");
    if (!name[element])
        return strcspn(name, ".:");
    if (!memchr(name, '.', element))
        return element;
    for (int more = 0; more < 2 && name[element] == '/'; more++) {
        size_t next = strcspn(name + element + 1, "/");
        bool last = name[element + 1 + next] == '\0';
        element += 1 + (last ? strcspn(name + element + 1, ".") : next);
    }
    return element;
}

/* The suspect is the user's own, so what has the same owner is too; and so is the program's main
 * package, whatever it is called. */
static bool is_own(const char *name, const char *suspect)
{
    size_t owner = owner_length(suspect);
    if (!strncmp(name, "main.", strlen("main.")))
        return true;
    return owner > 0 && owner_length(name) == owner && !strncmp(name, suspect, owner);
}

/* The nearest own caller with another name; NULL: there is none. The caller frees. */
static char *find_caller(const struct incident_function *suspect, const char *name)
{
    for (size_t i = suspect->path_count; i-- > 0;) {
        char *caller = group_function_name(suspect->path[i]);
        if (*caller && strcmp(caller, name) != 0 && is_own(caller, name))
            return caller;
        free(caller);
    }
    return NULL;
}

/* With its NUL, so that two parts never read as one. */
static void add(struct sha256 *sha256, const char *text)
{
    text = text ? text : "";
    sha256_add(sha256, text, strlen(text) + 1);
}

const char *group_of(const struct incident *incident, char group[GROUP_SIZE])
{
    const struct incident_function *suspect = &incident->analysis.suspect;
    bool calm = !strcmp(incident->kind, "baseline") || !strcmp(incident->kind, "follow_up");
    bool named = suspect->function && *suspect->function && !calm;
    struct sha256 *sha256 = sha256_new();
    add(sha256, incident->service);
    add(sha256, incident->app);
    add(sha256, incident->trigger.name ? incident->trigger.name : incident->kind);
    if (named) {
        char *name = group_function_name(suspect->function);
        char *caller = find_caller(suspect, name);
        add(sha256, name);
        add(sha256, caller);
        free(caller);
        free(name);
    }
    char hex[SHA256_HEX_SIZE];
    sha256_finish(sha256, hex);
    memcpy(group, hex, GROUP_SIZE - 1);
    group[GROUP_SIZE - 1] = '\0';
    return group;
}

const char *group_as_stored(const struct incident *incident, char group[GROUP_SIZE])
{
    if (!known_group_valid(incident->analysis.group))
        return group_of(incident, group);
    memcpy(group, incident->analysis.group, GROUP_SIZE);
    return group;
}
