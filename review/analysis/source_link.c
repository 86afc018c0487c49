#include "review/analysis/source_link.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/incident.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES_MAX = 4096, PATH_BYTES_MAX = 1024, COMMIT_BYTES_MAX = 128 };

struct source_links {
    char *url;    /* the template */
    char *commit; /* "": not needed */
    char *root;   /* the folder of the module, as the profile has it; NULL: not known yet */
};

/* http(s), and nothing that could end the attribute or the link that it stands in. */
static bool is_link(const char *url)
{
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return false;
    for (const char *at = url; *at; at++)
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f ||
            strchr("\"'<>\\^`|()[]", *at))
            return false;
    return strlen(url) < URL_BYTES_MAX;
}

/* Bytes of the hex number of 7 to 40 digits, letters and figures among them, that text is up to
 * what is no letter or figure; "git describe" puts a g before it. 0: it is none. */
static size_t hex_length(const char *text)
{
    size_t length = strspn(text, "0123456789abcdef");
    size_t figures = strcspn(text, "abcdef"), letters = strcspn(text, "0123456789");
    bool mixed = figures < length && letters < length;
    return mixed && length >= 7 && length <= 40 && !isalnum((unsigned char)text[length]) ? length
                                                                                         : 0;
}

/* "registry:5000/shop:main-1a2b3c4@sha256:..." -> "1a2b3c4"; NULL: it tells no commit. */
static char *commit_of(const char *image)
{
    if (!image)
        return NULL;
    const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image;
    const char *digest = strchr(image, '@');
    if (digest && slash > digest) /* a digest has no slash: this is no image's name */
        return NULL;
    size_t name_length = strcspn(name, "@");
    const char *colon = memchr(name, ':', name_length);
    if (!colon)
        return NULL;
    char *tag = xstrndup(colon + 1, name_length - (size_t)(colon + 1 - name)), *commit = NULL;
    for (char *at = tag; *at && !commit; at++) {
        bool begins = at == tag || !isalnum((unsigned char)at[-1]) ||
                      (at[-1] == 'g' && (at - tag == 1 || !isalnum((unsigned char)at[-2])));
        size_t length = begins ? hex_length(at) : 0;
        commit = length ? xstrndup(at, length) : NULL;
    }
    if (commit || !*tag || !strcmp(tag, "latest") || strlen(tag) > COMMIT_BYTES_MAX) {
        free(tag);
        return commit;
    }
    return tag;
}

struct source_links *source_links_new(const struct incident *incident)
{
    const char *url = incident->source_url;
    if (!url || !strstr(url, "{path}"))
        return NULL;
    bool needs_commit = strstr(url, "{commit}") != NULL;
    char *commit = needs_commit ? commit_of(incident->target.image) : xstrdup("");
    if (!commit)
        return NULL;
    struct source_links *links = xcalloc(1, sizeof *links);
    links->url = xstrdup(url);
    links->commit = commit;
    return links;
}

void source_links_free(struct source_links *links)
{
    if (!links)
        return;
    free(links->url);
    free(links->commit);
    free(links->root);
    free(links);
}

/* The import path in a Go function's name: "a.com/me/app/pkg/db.(*T).F" -> "a.com/me/app/pkg/db".
 * The caller frees. */
static char *package_of(const char *function)
{
    char *package = xstrndup(function, strcspn(function, "[("));
    char *slash = strrchr(package, '/'), *base = slash ? slash + 1 : package;
    base[strcspn(base, ".")] = '\0';
    for (char *dot; (dot = strstr(package, "%2e"));) { /* the linker's way to write a dot there */
        *dot = '.';
        memmove(dot + 1, dot + 3, strlen(dot + 3) + 1);
    }
    return package;
}

static size_t count_elements(const char *path)
{
    size_t count = *path != '\0';
    for (; *path; path++)
        count += *path == '/';
    return count;
}

/* The path without its first `skip` elements; "" when there are no more. */
static const char *skip_elements(const char *path, size_t skip)
{
    for (; skip > 0; skip--) {
        const char *slash = strchr(path, '/');
        if (!slash)
            return path + strlen(path);
        path = slash + 1;
    }
    return path;
}

static bool is_major(const char *element, size_t length)
{
    return length > 1 && *element == 'v' && strspn(element + 1, "0123456789") >= length - 1;
}

/* How many elements of an import path are the module, by the habits of Go: host, owner and name, or
 * a name without a dot; and a major version behind that. */
static size_t module_elements(const char *path)
{
    size_t first = strcspn(path, "/");
    if (!memchr(path, '.', first))
        return 1;
    size_t elements = 3;
    const char *third = skip_elements(path, 2);
    size_t length = strcspn(third, "/");
    /* no module is called so: host and name, then */
    static const char *const folders[] = {"pkg", "internal", "cmd"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (length == strlen(folders[i]) && !strncmp(third, folders[i], length))
            elements = 2;
    const char *next = skip_elements(path, elements);
    return is_major(next, strcspn(next, "/")) ? elements + 1 : elements;
}

/* How many elements at their ends two paths have in common. */
static size_t common_elements(const char *left, const char *right)
{
    const char *a = left + strlen(left), *b = right + strlen(right);
    size_t count = 0;
    while (a > left && b > right && a[-1] == b[-1]) {
        a--;
        b--;
        bool left_ends = a == left || a[-1] == '/', right_ends = b == right || b[-1] == '/';
        if (left_ends && right_ends && *a != '/')
            count++;
    }
    return count;
}

/* How many of the last elements of a file's folder are within the module: what its folder shares
 * with its package, as far as that is not the module's own name. -1: the two do not fit. */
static int elements_within(const char *package, const char *folder)
{
    size_t all = count_elements(package), module = module_elements(package);
    size_t within = all > module ? all - module : 0, common = common_elements(folder, package);
    if (within > 0 && common == 0)
        return -1;
    return (int)(common < within ? common : within);
}

static bool is_main(const char *function)
{
    return !strncmp(function, "main.", strlen("main."));
}

/* A module of others, from the module cache. */
static bool is_foreign(const char *file)
{
    return strchr(file, '@') || strstr(file, "/pkg/mod/");
}

/* The path without its last `drop` elements, to be freed. */
static char *drop_elements(const char *path, size_t drop)
{
    char *kept = xstrdup(path);
    for (; drop > 0; drop--) {
        char *slash = strrchr(kept, '/');
        if (!slash) {
            *kept = '\0';
            break;
        }
        *slash = '\0';
    }
    return kept;
}

void source_links_learn(struct source_links *links, const char *function, const char *file)
{
    if (!links || links->root || is_main(function) || is_foreign(file) || !strchr(file, '/') ||
        strlen(file) > PATH_BYTES_MAX || strlen(function) > PATH_BYTES_MAX)
        return;
    char *package = package_of(function), *folder = drop_elements(file, 1);
    int within = elements_within(package, folder);
    /* of a package at the root, any folder could be it; one that shares a name is */
    if (within > 0 || (within == 0 && common_elements(folder, package) > 0))
        links->root = drop_elements(folder, (size_t)within);
    if (links->root && !*links->root) {
        free(links->root);
        links->root = NULL;
    }
    free(package);
    free(folder);
}

/* Where package main lies when nothing else tells: below cmd/, as is the habit, else at the root.
 */
static const char *guess_main(const char *file)
{
    if (*file != '/') { /* built with -trimpath */
        const char *within = skip_elements(file, module_elements(file));
        return *within ? within : file;
    }
    const char *commands = strstr(file, "/cmd/");
    return commands ? commands + 1 : strrchr(file, '/') + 1;
}

/* Other languages: the path as it is, or below where images keep programs. */
static const char *guess_other(const char *file)
{
    static const char *const places[] = {
        "/usr/src/app/", "/app/", "/src/", "/code/", "/workspace/", "/srv/"};
    if (*file != '/')
        return file;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strncmp(file, places[i], strlen(places[i])))
            return file + strlen(places[i]);
    return "";
}

/* The path within the module: a part of `file`; "": not known. */
static const char *path_within(
    const struct source_links *links, const char *function, const char *file)
{
    size_t length = strlen(file), root = links->root ? strlen(links->root) : 0;
    if (root && !strncmp(file, links->root, root) && file[root] == '/')
        return file + root + 1;
    if (length < 3 || strcmp(file + length - 3, ".go") != 0)
        return guess_other(file);
    if (is_main(function))
        return guess_main(file);
    char *package = package_of(function), *folder = drop_elements(file, 1);
    int within = strchr(file, '/') ? elements_within(package, folder) : -1;
    size_t all = count_elements(file);
    free(package);
    free(folder);
    return within < 0 ? "" : skip_elements(file, all - (size_t)within - 1);
}

/* Neither empty nor leading out of the module. */
static bool is_plain_path(const char *path)
{
    for (const char *at = path; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        size_t length = strcspn(at, "/");
        if (length == 0 || (length == 1 && *at == '.') || (length == 2 && !strncmp(at, "..", 2)))
            return false;
    }
    return true;
}

/* Percent-encoded but for what stands for itself (RFC 3986, section 2.3) and the slash. */
static void put_encoded(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (isalnum((unsigned char)*text) || strchr("-._~/", *text))
            buf_append(out, text, 1);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

/* What stands for the braces at this place; 0: nothing does. */
static size_t put_part(const struct source_links *links, const char *at, const char *path,
    int64_t line, struct buf *out)
{
    static const char commit[] = "{commit}", file[] = "{path}", number[] = "{line}";
    if (!strncmp(at, commit, sizeof commit - 1)) {
        put_encoded(out, links->commit);
        return sizeof commit - 1;
    }
    if (!strncmp(at, file, sizeof file - 1)) {
        put_encoded(out, path);
        return sizeof file - 1;
    }
    if (!strncmp(at, number, sizeof number - 1)) {
        buf_printf(out, "%lld", (long long)(line > 0 ? line : 1));
        return sizeof number - 1;
    }
    return 0;
}

char *source_links_to(
    const struct source_links *links, const char *function, const char *file, int64_t line)
{
    if (!links || !function || !file || strlen(file) > PATH_BYTES_MAX ||
        strlen(function) > PATH_BYTES_MAX || is_foreign(file))
        return NULL;
    if (!strncmp(file, "./", 2))
        file += 2;
    const char *path = path_within(links, function, file);
    if (!is_plain_path(path))
        return NULL;
    struct buf out;
    buf_init(&out, (size_t)2 * URL_BYTES_MAX);
    for (const char *at = links->url; *at;) {
        /* without a line there is no place within the page */
        if (*at == '#' && line <= 0 && strstr(at, "{line}"))
            break;
        size_t used = put_part(links, at, path, line, &out);
        if (!used)
            buf_append(&out, at, 1);
        at += used ? used : 1;
    }
    char *link = buf_take(&out);
    if (is_link(link))
        return link;
    free(link);
    return NULL;
}
