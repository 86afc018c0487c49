#include "review/page/report.h"

#include "core/buf.h"
#include "core/incident.h"
#include "review/analysis/source_link.h"
#include "review/evidence/evidence.h"
#include "review/page/embedded.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/profile/profile.h"
#include "review/suspect/owners.h"

#include <openssl/evp.h>
#include <string.h>

EMBEDDED(page_style_css);
EMBEDDED(page_report_js);
EMBEDDED(page_flame_css);
EMBEDDED(page_flame_js);

enum { SECTION_MAX = 4 * REPORT_MAX, INLINE_MAX = 16 };

/* The texts of the inline styles, or scripts: our own first. */
struct inlined {
    const char *texts[INLINE_MAX];
    size_t count;
};

static struct inlined gather(const char *own, const char *flame, const char *const *more)
{
    struct inlined all = {.texts = {own, flame}, .count = 2};
    for (; more && *more && all.count < INLINE_MAX; more++)
        all.texts[all.count++] = *more;
    return all;
}

/* 'sha256-...' of each, as a Content-Security-Policy wants it. */
static void put_hashes(struct buf *out, const struct inlined *all)
{
    unsigned char hash[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
    for (size_t i = 0; i < all->count; i++) {
        unsigned size = 0;
        EVP_Digest(all->texts[i], strlen(all->texts[i]), hash, &size, EVP_sha256(), NULL);
        EVP_EncodeBlock(text, hash, (int)size);
        buf_printf(out, " 'sha256-%s'", (const char *)text);
    }
}

static void put_policy(struct buf *out, const struct inlined *styles, const struct inlined *scripts)
{
    buf_puts(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "img-src data:; base-uri 'none'; form-action 'none'; style-src");
    put_hashes(out, styles);
    buf_puts(out, "; script-src");
    put_hashes(out, scripts);
    buf_puts(out, "\">\n");
}

static void put_inline(
    struct buf *out, const char *element, const struct inlined *all, const char *nonce)
{
    for (size_t i = 0; i < all->count; i++) {
        buf_printf(out, "<%s", element);
        if (nonce)
            html_printf(out, " nonce=\"%s\"", nonce);
        buf_printf(out, ">%s</%s>\n", all->texts[i], element);
    }
}

static void put_head(struct buf *out, const struct page *page, const struct inlined *styles,
    const struct inlined *scripts)
{
    const struct incident *incident = page->evidence->incident;
    const char *headline = incident->analysis.headline;
    buf_puts(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n");
    if (!page->extras->nonce) { /* a server sends both, and its own forms need its origin */
        buf_puts(out, "<meta name=\"referrer\" content=\"no-referrer\">\n");
        put_policy(out, styles, scripts);
    }
    html_printf(out, "<title>%s: ", incident->service);
    page_clipped(out, headline ? headline : incident->id, 200);
    buf_puts(out, "</title>\n<link rel=\"icon\" href=\"data:,\">\n");
    put_inline(out, "style", styles, page->extras->nonce);
    buf_puts(out, "</head>\n");
}

/* The sections, and what each may take of the page. A section that would take more is replaced by a
 * sentence; together with 60 KB of styles and scripts they are less than REPORT_MAX, so that every
 * document has its end. */
static const struct section {
    void (*put)(struct buf *out, const struct page *page);
    size_t most;
    const char *name;
} sections[] = {
    {page_headline, 16000, "What happened"},
    {page_suspect, 24000, "The suspect"},
    {page_charts, 120000, "The metrics"},
    {page_difference, 166000, "The difference"},
    {page_goroutines, 40000, "The goroutines"},
    {page_statements, 14000, "What the database did"},
    {page_history, 10000, "The history"},
    {page_caught, 30000, "The list of profiles"},
    {page_rest, 16000, "The list of everything else"},
};

static void put_section(struct buf *out, const struct page *page, const struct section *section)
{
    struct buf content;
    buf_init(&content, SECTION_MAX);
    section->put(&content, page);
    if (content.size <= section->most)
        buf_append(out, content.data, content.size);
    else
        html_printf(out,
            "<p class=\"note\">%s would make this page too large and is left out: "
            "%zu of at most %zu bytes.</p>\n",
            section->name, content.size, section->most);
    buf_free(&content);
}

/* Links into the source, which the functions of the app's own code tell how to make. */
static struct source_links *sources_of(const struct evidence *evidence, const struct owners *owners)
{
    struct source_links *sources = source_links_new(evidence->incident);
    for (size_t i = 0; sources && i < evidence->profile_count; i++) {
        const struct profile *profile = evidence->profiles[i].profile;
        for (uint32_t j = 0; profile && j < profile->function_count; j++) {
            const char *name = profile->strings[profile->functions[j].name].text;
            const char *file = profile->strings[profile->functions[j].file].text;
            if (owners_of(owners, name, file) == OWNER_OWN)
                source_links_learn(sources, name, file);
        }
    }
    return sources;
}

void report_write(
    struct buf *out, const struct evidence *evidence, const struct report_extras *extras)
{
    static const struct report_extras none;
    struct owners *owners = owners_learn(evidence);
    struct source_links *sources = sources_of(evidence, owners);
    const struct page page = {evidence, extras ? extras : &none, owners, sources};
    const struct inlined styles = gather(page_style_css, page_flame_css, page.extras->styles);
    const struct inlined scripts = gather(page_report_js, page_flame_js, page.extras->scripts);
    put_head(out, &page, &styles, &scripts);
    buf_puts(out, "<body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>\n");
    if (page.extras->put_navigation)
        page.extras->put_navigation(page.extras->arg, out);
    buf_puts(out, "<main id=\"main\">\n");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        put_section(out, &page, &sections[i]);
        if (sections[i].put == page_headline && page.extras->put_actions)
            page.extras->put_actions(page.extras->arg, out);
    }
    buf_puts(out, "</main>\n");
    put_inline(out, "script", &scripts, page.extras->nonce);
    buf_puts(out, "</body>\n</html>\n");
    source_links_free(sources);
    owners_free(owners);
}
