#include "core/alloc.h"
#include "core/incident.h"
#include "review/page/embedded.h"
#include "review/web/assets.h"
#include "review/web/web_compare.h"
#include "review/web/web_incident.h"
#include "review/web/web_list.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

EMBEDDED(page_style_css);
EMBEDDED(page_flame_css);
EMBEDDED(page_flame_js);
EMBEDDED(web_css);
EMBEDDED(web_js);
EMBEDDED(web_icon_svg);

enum { REPLY_MAX = 256 << 20 };

const char web_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
                          "img-src 'self' data:; connect-src 'self'; form-action 'self'; "
                          "frame-ancestors 'none'; base-uri 'none'";

void web_reply_init(struct web_reply *reply)
{
    *reply = (struct web_reply){
        .status = 200, .type = "text/html; charset=utf-8", .policy = web_policy, .file = -1};
    buf_init(&reply->body, REPLY_MAX);
}

void web_reply_free(struct web_reply *reply)
{
    free(reply->location);
    free(reply->attachment);
    free(reply->own_policy);
    if (reply->file >= 0)
        close(reply->file);
    if (reply->release)
        reply->release(buf_take(&reply->body));
    buf_free(&reply->body);
}

void web_reply_see(struct web_reply *reply, char *location)
{
    reply->status = 303;
    reply->location = location;
}

static void send_static(
    struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    static const struct {
        const char *path, *type, *content;
        const uint64_t *size;
    } files[] = {
        {"/static/style.css", "text/css; charset=utf-8", page_style_css, &page_style_css_size},
        {"/static/flame.css", "text/css; charset=utf-8", page_flame_css, &page_flame_css_size},
        {"/static/flame.js", "text/javascript; charset=utf-8", page_flame_js, &page_flame_js_size},
        {"/static/web.css", "text/css; charset=utf-8", web_css, &web_css_size},
        {"/static/web.js", "text/javascript; charset=utf-8", web_js, &web_js_size},
        {"/static/icon.svg", "image/svg+xml", web_icon_svg, &web_icon_svg_size},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(request->path, files[i].path) != 0)
            continue;
        reply->type = files[i].type;
        reply->keeps = true;
        buf_append(&reply->body, files[i].content, (size_t)*files[i].size);
        return;
    }
    web_page_problem(site, reply, 404, "There is no such file.");
}

/* See assets.h for why each of these is there. */
static const char speedscope_policy[] =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void send_speedscope(
    struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    const struct asset *asset = asset_find(request->path);
    if (!asset) {
        web_page_problem(site, reply, 404,
            asset_has_speedscope() ? "speedscope has no such file."
                                   : "This program was built without speedscope.");
        return;
    }
    reply->type = asset->content_type;
    reply->policy = speedscope_policy;
    reply->gzip = asset->gzip;
    reply->keeps = true;
    buf_append(&reply->body, asset->data, asset->size);
}

/* What notifications may link to: "https://review.internal/<id>". */
static void go_to_incident(
    struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    if (incident_id_valid(request->path + 1))
        web_reply_see(reply, xasprintf("/incident%s", request->path));
    else
        web_page_problem(site, reply, 404, "There is no such page.");
}

typedef void answer_function(
    struct web_site *site, const struct web_request *request, struct web_reply *reply);

static const struct {
    const char *path; /* with a slash at its end: all that begins so */
    bool post;        /* takes forms, too */
    answer_function *answer;
} routes[] = {
    {"/", false, web_list_page},
    {"/api/list", false, web_list_part},
    {"/api/changes", false, web_list_changes},
    {"/incident/", true, web_incident},
    {"/compare", false, web_compare_page},
    {"/static/", false, send_static},
    {"/speedscope/", false, send_speedscope},
};

static bool is_of(const char *path, const char *route)
{
    size_t length = strlen(route);
    if (length > 1 && route[length - 1] == '/')
        return !strncmp(path, route, length);
    return !strcmp(path, route);
}

/* Nothing of ours has another character in its path, so that nothing need be unescaped. */
static bool is_plain(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-/";
    return path[0] == '/' && strspn(path, plain) == strlen(path) && !strstr(path, "..") &&
           !strstr(path, "//");
}

void web_route(struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    if (!is_plain(request->path)) {
        web_page_problem(site, reply, 404, "There is no such page.");
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!is_of(request->path, routes[i].path))
            continue;
        if (request->post && !routes[i].post)
            web_page_problem(site, reply, 405, "This page takes no forms.");
        else
            routes[i].answer(site, request, reply);
        return;
    }
    go_to_incident(site, request, reply);
}
