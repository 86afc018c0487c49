/* What is different from normal: for each profile the functions that grew, and the flame graph. */
#include "core/buf.h"
#include "core/incident.h"
#include "review/analysis/source_link.h"
#include "review/compare/flame_tree.h"
#include "review/compare/growth.h"
#include "review/evidence/evidence.h"
#include "review/page/flame.h"
#include "review/page/html.h"
#include "review/page/page.h"
#include "review/page/tables.h"
#include "review/profile/profile.h"
#include "review/top/totals.h"

#include <stdio.h>
#include <string.h>

enum {
    VIEWS_MAX = 4,        /* profiles and sample types that are shown */
    PROFILES_MAX = 20,    /* that are looked at */
    PLACE_MAX = 156000,   /* bytes of the page that all of it may take */
    FLAME_SMALLEST = 200, /* nodes that a flame graph has at least; else there is none */
    ID_SIZE = 32
};

/* One sample type of one profile. */
struct view {
    const struct evidence_profile *profile;
    const char *title;  /* "CPU time" */
    const char *sample; /* NULL: the profile's own default */
    bool has_flame;     /* else only the table */
};

struct views {
    struct view all[VIEWS_MAX];
    size_t count;
    size_t spare;    /* places that second views may take */
    size_t left_out; /* profiles that are too many */
};

static const struct {
    const char *profile, *sample, *title;
    bool has_flame;
    bool is_second; /* of its profile: shown where all profiles have a place */
} known[] = {
    {"cpu", NULL, "CPU time", true, false},
    {"heap", "inuse_space", "Heap in use", true, false},
    {"heap", "alloc_space", "Allocated since the start", false, true},
    {"allocs", "alloc_space", "Allocated", true, false},
    {"mutex", "delay", "Waiting for locks", true, false},
    {"block", "delay", "Waiting", true, false},
};

static void add_view(struct views *views, const struct view *view)
{
    if (views->count < VIEWS_MAX && totals_sample_type(view->profile->profile, view->sample) >= 0)
        views->all[views->count++] = *view;
}

static bool is_compared(const struct evidence_profile *profile)
{
    return profile->profile && strcmp(profile->name, "goroutine") != 0;
}

static void add_profile(struct views *views, const struct evidence_profile *profile)
{
    bool is_known = false;
    if (!is_compared(profile))
        return;
    if (views->count == VIEWS_MAX) {
        views->left_out++;
        return;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].profile, profile->name)) {
            is_known = true;
            if (known[i].is_second && !views->spare)
                continue;
            views->spare -= known[i].is_second;
            add_view(views,
                &(struct view){profile, known[i].title, known[i].sample, known[i].has_flame});
        }
    if (!is_known)
        add_view(views, &(struct view){profile, profile->name, NULL, true});
}

/* The profile that the suspect is from comes first. */
static struct views views_of(const struct evidence *evidence)
{
    struct views views = {.spare = VIEWS_MAX};
    for (size_t i = 0; i < evidence->profile_count && i < PROFILES_MAX && views.spare; i++)
        views.spare -= is_compared(&evidence->profiles[i]);
    const char *lead = evidence->incident->analysis.suspect.profile;
    const struct evidence_profile *first = lead ? evidence_profile(evidence, lead) : NULL;
    if (first)
        add_profile(&views, first);
    for (size_t i = 0; i < evidence->profile_count && i < PROFILES_MAX; i++)
        if (&evidence->profiles[i] != first)
            add_profile(&views, &evidence->profiles[i]);
    return views;
}

static char *source_of(const void *arg, const char *function, const char *file, long long line)
{
    return source_links_to(arg, function, file, line);
}

static void put_table(struct buf *out, const struct page *page, const struct view *view,
    uint32_t sample_type, size_t number)
{
    char id[ID_SIZE];
    struct growth growth;
    snprintf(id, sizeof id, "grew%zu", number);
    growth_of(&growth, view->profile->profile, sample_type, view->profile->base);
    growth_prefer(&growth, page->evidence->incident->analysis.suspect.function);
    const struct tables_options options = {.id = id,
        .title = view->title,
        .owners = page->owners,
        .rows = view->has_flame ? 15 : 8,
        .source = source_of,
        .source_arg = page->sources};
    tables_write_growth(out, &growth, &options);
    growth_free(&growth);
}

/* With as many frames as there is room for. */
static void put_flame(struct buf *out, const struct page *page, const struct view *view,
    uint32_t sample_type, size_t number, size_t room)
{
    char id[ID_SIZE];
    snprintf(id, sizeof id, "flame%zu", number);
    const struct flame_options options = {.id = id, .title = view->title, .owners = page->owners};
    for (uint32_t nodes = FLAME_TREE_NODES; nodes >= FLAME_SMALLEST; nodes /= 2) {
        struct flame_tree_limits limits = {.nodes = nodes};
        struct flame_tree tree;
        struct buf picture;
        flame_tree_build(&tree, view->profile->profile, sample_type, view->profile->base, &limits);
        buf_init(&picture, room);
        flame_write(&picture, &tree, &options);
        flame_tree_free(&tree);
        /* A buffer that is nearly full has lost something. */
        bool fits = picture.size + room / 16 < room;
        if (fits)
            buf_append(out, picture.data, picture.size);
        buf_free(&picture);
        if (fits)
            return;
    }
    html_printf(out,
        "<p class=\"note\">The flame graph of %s would make this page too large: "
        "<code>stakeout review</code> or <code>go tool pprof</code> shows it.</p>\n",
        view->title);
}

static void put_view(
    struct buf *out, const struct page *page, const struct view *view, size_t number, size_t room)
{
    uint32_t sample_type = (uint32_t)totals_sample_type(view->profile->profile, view->sample);
    size_t start = out->size;
    if (!view->profile->base && *view->profile->no_base.text) {
        html_printf(out, "<p class=\"small\">%s is not compared: ", view->title);
        page_clipped(out, view->profile->no_base.text, 300);
        buf_puts(out, ".</p>\n");
    }
    put_table(out, page, view, sample_type, number);
    size_t used = out->size - start;
    if (view->has_flame)
        put_flame(out, page, view, sample_type, number, used < room ? room - used : 0);
}

/* Why there is nothing to compare with. */
static void put_no_comparison(struct buf *out, const struct page *page)
{
    const struct evidence *evidence = page->evidence;
    if (evidence->baseline) {
        buf_puts(out, "<p class=\"small\">Compared with the calm moment ");
        page_incident(out, page, evidence->baseline->id);
        buf_puts(out, ".</p>\n");
    } else {
        buf_puts(out, "<p class=\"small\">Not compared: ");
        page_clipped(out, evidence->no_baseline.text, 400);
        buf_puts(out, ".</p>\n");
    }
}

void page_difference(struct buf *out, const struct page *page)
{
    struct views views = views_of(page->evidence);
    if (views.count == 0)
        return;
    bool compared = page->evidence->baseline != NULL;
    html_printf(out, "<section aria-labelledby=\"different\">\n<h2 id=\"different\">%s</h2>\n",
        compared ? "What is different from normal" : "What it was doing");
    put_no_comparison(out, page);
    size_t left = PLACE_MAX;
    for (size_t i = 0; i < views.count; i++) {
        size_t start = out->size, share = left / (views.count - i);
        if (i > 0)
            html_printf(out, "<details>\n<summary>%s</summary>\n", views.all[i].title);
        put_view(out, page, &views.all[i], i, i == 0 ? left / 2 + share / 2 : share);
        buf_puts(out, i > 0 ? "</details>\n" : "");
        size_t used = out->size - start;
        left -= used < left ? used : left;
    }
    if (views.left_out > 0)
        html_printf(out, "<p class=\"note\">%zu more profile%s below and not shown here.</p>\n",
            views.left_out, views.left_out == 1 ? " is listed" : "s are listed");
    buf_puts(out, "</section>\n");
}
