#include "review/suspect/owners.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/evidence/evidence.h"
#include "review/profile/profile.h"
#include "review/suspect/go_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct owners {
    char **prefixes; /* that the user gave */
    size_t prefix_count;
    bool is_go, has_versions; /* some file is of a module cache */
    char *goroot;             /* "/usr/lib/go-1.19/src/"; NULL: not known */
    char *main_folder;        /* where the package main was built from; NULL: not known */
    char *main_version; /* ".../github.com/acme/shop@v1.2.3/": main comes from a module cache */
};

static bool starts_with(const char *text, const char *start)
{
    return !strncmp(text, start, strlen(start));
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

/* "_testmain.go" is made for `go test`, and stands nowhere. */
static bool is_go_file(const char *file)
{
    return ends_with(file, ".go") && !ends_with(file, "_testmain.go");
}

/* The "@v1" of ".../github.com/lib/pq@v1.10.0/conn.go", or NULL. */
static const char *version_in(const char *file)
{
    for (const char *at = strstr(file, "@v"); at; at = strstr(at + 1, "@v"))
        if (isdigit((unsigned char)at[2]))
            return at;
    return NULL;
}

/* Bytes up to the last slash, with it. */
static size_t folder_size(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? (size_t)(slash - file) + 1 : 0;
}

/* Whether path is below what `text` has at this place, as whole elements: "a/b" is below "a". */
static bool is_path_at(const char *text, const char *path)
{
    size_t length = strlen(path);
    return !strncmp(text, path, length) && (text[length] == '/' || text[length] == '\0');
}

/* Vendored files stand below vendor/ with the package's whole path. */
static bool is_vendored(const char *package, const char *file)
{
    if (starts_with(package, "vendor/") || strstr(package, "/vendor/"))
        return true;
    for (const char *at = strstr(file, "vendor/"); at; at = strstr(at + 1, "vendor/"))
        if ((at == file || at[-1] == '/') && is_path_at(at + strlen("vendor/"), package))
            return true;
    return false;
}

/* How many bytes at the end of the package's path, in whole elements, are also at the end of the
 * file's folder: "pkg/x" of acme.org/shop/pkg/x in /src/app/pkg/x/y.go. */
static size_t common_tail(const char *package, const char *file)
{
    size_t folder = folder_size(file), length = strlen(package), common = 0;
    if (folder)
        folder--;
    for (size_t i = 1; i <= length && i <= folder; i++) {
        if (package[length - i] != file[folder - i])
            break;
        bool whole = (i == length || package[length - i - 1] == '/') &&
                     (i == folder || file[folder - i - 1] == '/');
        common = whole ? i : common;
    }
    return common;
}

/* Bytes of a path that tell its repository: host/owner/name on the large hosts, else host/name. */
static size_t repository_size(const char *path)
{
    static const char *const large[] = {
        "github.com/", "gitlab.com/", "bitbucket.org/", "codeberg.org/"};
    int elements = 2;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        if (starts_with(path, large[i]))
            elements = 3;
    const char *at = path;
    for (; elements > 0; elements--) {
        at += strcspn(at, "/");
        if (*at && elements > 1)
            at++;
    }
    return (size_t)(at - path);
}

static bool has_dot_first(const char *path)
{
    size_t length = strcspn(path, "/");
    return memchr(path, '.', length) != NULL;
}

/* A package below GOPATH, or of a build without paths, whose whole path is in its file's: it is the
 * app's when main is of the same repository. */
static bool is_beside_main(const struct owners *owners, const char *package, const char *file)
{
    size_t root = folder_size(file) - 1 - strlen(package);
    if (owners->has_versions || !owners->main_folder ||
        strncmp(owners->main_folder, file, root) != 0)
        return true; /* libraries are marked, or nothing tells */
    const char *main_path = owners->main_folder + root;
    if (!has_dot_first(main_path))
        return true;
    size_t size = repository_size(main_path);
    return !strncmp(main_path, package, size) &&
           (package[size] == '\0' || package[size] == '/' || main_path[size - 1] == '/');
}

/* A package whose path begins with a host's name. */
static enum owner owner_of_module(
    const struct owners *owners, const char *package, const char *file)
{
    if (!is_go_file(file))
        return OWNER_LIBRARY;
    size_t tail = common_tail(package, file);
    if (tail == strlen(package))
        return is_beside_main(owners, package, file) ? OWNER_OWN : OWNER_LIBRARY;
    /* Bazel keeps other modules below external/. */
    bool is_external = starts_with(file, "external/") || strstr(file, "/external/");
    return is_external ? OWNER_LIBRARY : OWNER_OWN;
}

/* The name alone is not enough: an app may be called "index". */
static bool is_standard(const struct owners *owners, const char *package, const char *file)
{
    if (!go_names_is_standard(package))
        return false;
    if (!owners->goroot || *file != '/' || starts_with(file, owners->goroot))
        return true;
    size_t tail = common_tail(package, file), folder = folder_size(file);
    return tail == strlen(package) && folder > tail + strlen("/src/") &&
           !strncmp(file + folder - 1 - tail - strlen("/src/"), "/src/", strlen("/src/"));
}

static enum owner owner_of_package(
    const struct owners *owners, const char *package, const char *file)
{
    if (is_standard(owners, package, file))
        return go_names_is_runtime(package) ? OWNER_RUNTIME : OWNER_STANDARD;
    if (!strcmp(package, "main"))
        return OWNER_OWN;
    if (owners->prefix_count > 0)
        return OWNER_LIBRARY;
    if (owners->main_version && starts_with(file, owners->main_version))
        return OWNER_OWN;
    if (version_in(file) || is_vendored(package, file))
        return OWNER_LIBRARY;
    return has_dot_first(package) ? owner_of_module(owners, package, file) : OWNER_OWN;
}

enum owner owners_of(const struct owners *owners, const char *name, const char *file)
{
    for (size_t i = 0; i < owners->prefix_count; i++)
        if (starts_with(name, owners->prefixes[i]))
            return OWNER_OWN;
    bool is_c = *file && *file != '<' && !ends_with(file, ".go") && !ends_with(file, ".s");
    if (!owners->is_go || !*name || starts_with(name, "0x") || is_c)
        return OWNER_UNKNOWN;
    char *package = go_names_package(name);
    enum owner owner = *package ? owner_of_package(owners, package, file) : OWNER_RUNTIME;
    free(package);
    return owner;
}

bool owners_is_go(const struct owners *owners)
{
    return owners->is_go;
}

/* Where main is, or a test, which stands in the package that it tests. */
static void learn_main(struct owners *owners, const char *file)
{
    const char *version = version_in(file);
    if (version && !owners->main_version)
        owners->main_version = xstrndup(file, (size_t)(version - file) + strcspn(version, "/") + 1);
    if (!owners->main_folder)
        owners->main_folder = xstrndup(file, folder_size(file));
}

static void learn_function(struct owners *owners, const char *name, const char *file)
{
    if (!is_go_file(file) || !*name)
        return;
    owners->is_go = true;
    char *package = go_names_package(name);
    if (!strcmp(package, "main") || ends_with(file, "_test.go"))
        learn_main(owners, file);
    else if (version_in(file))
        owners->has_versions = true;
    const char *source = strstr(file, "/src/runtime/");
    if (!owners->goroot && *file == '/' && source && !strcmp(package, "runtime"))
        owners->goroot = xstrndup(file, (size_t)(source - file) + strlen("/src/"));
    free(package);
}

static void learn_profile(struct owners *owners, const struct profile *profile)
{
    for (uint32_t i = 0; profile && i < profile->function_count; i++)
        learn_function(owners, profile->strings[profile->functions[i].name].text,
            profile->strings[profile->functions[i].file].text);
}

/* Whether it could be the app's own, when nothing tells where main is. */
static bool may_be_own(const struct profile *profile, uint32_t function)
{
    const char *name = profile->strings[profile->functions[function].name].text;
    const char *file = profile->strings[profile->functions[function].file].text;
    if (!is_go_file(file))
        return false;
    char *package = go_names_package(name);
    bool may = has_dot_first(package) && !is_vendored(package, file) && !version_in(file) &&
               !starts_with(package, "golang.org/x/") &&
               !starts_with(package, "google.golang.org/") &&
               common_tail(package, file) == strlen(package);
    free(package);
    return may;
}

/* The outermost function of a sample that may be the app's own, or UINT32_MAX. */
static uint32_t outermost_own(
    const struct profile *profile, const struct profile_sample *sample, const bool *may)
{
    for (uint32_t i = sample->location_count; i-- > 0;) {
        const struct profile_location *location =
            &profile->locations[profile->stacks[sample->first_location + i]];
        if (!location->line_count)
            continue;
        uint32_t line = location->first_line + location->line_count - 1;
        if (may[profile->lines[line].function])
            return profile->lines[line].function;
    }
    return UINT32_MAX;
}

/* Without main on any stack (a CPU profile seldom has it), the app's code is taken to be that which
 * is outermost on most of them. */
static void guess_main(struct owners *owners, const struct profile *profile)
{
    bool *may = xcalloc((size_t)profile->function_count + 1, sizeof *may);
    uint32_t *votes = xcalloc((size_t)profile->function_count + 1, sizeof *votes), best = 0;
    for (uint32_t i = 0; i < profile->function_count; i++)
        may[i] = may_be_own(profile, i);
    for (uint32_t i = 0; i < profile->sample_count; i++) {
        uint32_t function = outermost_own(profile, &profile->samples[i], may);
        if (function != UINT32_MAX && ++votes[function] > votes[best])
            best = function;
    }
    if (votes[best] > 0) {
        const char *file = profile->strings[profile->functions[best].file].text;
        owners->main_folder = xstrndup(file, folder_size(file));
    }
    free(may);
    free(votes);
}

struct owners *owners_learn(const struct evidence *evidence)
{
    struct owners *owners = xcalloc(1, sizeof *owners);
    const struct incident *incident = evidence->incident;
    owners->prefixes = xcalloc(incident->own_code_count + 1, sizeof *owners->prefixes);
    for (; owners->prefix_count < incident->own_code_count; owners->prefix_count++)
        owners->prefixes[owners->prefix_count] = xstrdup(incident->own_code[owners->prefix_count]);
    for (size_t i = 0; i < evidence->profile_count; i++) {
        learn_profile(owners, evidence->profiles[i].profile);
        learn_profile(owners, evidence->profiles[i].base);
    }
    for (size_t i = 0; i < evidence->profile_count; i++)
        if (!owners->main_folder && !owners->has_versions && evidence->profiles[i].profile)
            guess_main(owners, evidence->profiles[i].profile);
    return owners;
}

void owners_free(struct owners *owners)
{
    if (!owners)
        return;
    for (size_t i = 0; i < owners->prefix_count; i++)
        free(owners->prefixes[i]);
    free(owners->prefixes);
    free(owners->goroot);
    free(owners->main_folder);
    free(owners->main_version);
    free(owners);
}
