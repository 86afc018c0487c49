#include "review/web/web_compare.h"

#include "review/analysis/reanalysis.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/compare/flame_tree.h"
#include "review/compare/growth.h"
#include "review/evidence/evidence.h"
#include "review/page/flame.h"
#include "review/page/html.h"
#include "review/page/tables.h"
#include "review/profile/profile.h"
#include "review/top/totals.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"
#include "review/web/web_reading.h"
#include "review/web/web_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The pair that a page compares, the older one first. */
struct pair {
    const char *ids[2];
    struct web_reading readings[2];
};

/* Which part of the two. */
struct choice {
    const char *profile; /* the profile's name */
    const char *sample;  /* NULL: its default */
};

static const char *const sides[2] = {"before", "after"};

static int find_ids(const struct web_form *query, const char *ids[2])
{
    size_t count = 0;
    for (size_t i = 0; i < query->count && count < 2; i++) {
        const char *name = query->fields[i].name, *value = query->fields[i].value;
        bool is_id = !strcmp(name, "a") || !strcmp(name, "b") || !strcmp(name, "id");
        if (is_id && incident_id_valid(value))
            ids[count++] = value;
    }
    if (count < 2 || !strcmp(ids[0], ids[1]))
        return -1;
    if (strcmp(ids[0], ids[1]) > 0) {
        const char *newer = ids[0];
        ids[0] = ids[1];
        ids[1] = newer;
    }
    return 0;
}

static const struct incident *incident_of(const struct pair *pair, int side)
{
    return pair->readings[side].evidence->incident;
}

static const struct profile *profile_of(const struct pair *pair, int side, const char *name)
{
    const struct evidence_profile *found = evidence_profile(pair->readings[side].evidence, name);
    return found ? found->profile : NULL;
}

static void put_side(struct buf *out, const struct pair *pair, int side)
{
    const struct incident *incident = incident_of(pair, side);
    char exactly[WEB_WORDS_SIZE], stamp[RFC3339_SIZE];
    const char *headline = incident->analysis.headline;
    if (!headline)
        headline = incident->trigger.reason ? incident->trigger.reason : incident->id;
    html_printf(out,
        "<div class=\"side\"><h2>%s</h2><p><a href=\"/incident/%s\">%s</a></p>"
        "<p class=\"small\">%s, <time datetime=\"%s\">%s</time>",
        side ? "After" : "Before", incident->id, headline, incident->service,
        rfc3339_format(incident->fired_ms, stamp), web_words_exactly(incident->fired_ms, exactly));
    if (incident->target.revision)
        html_printf(out, ", revision %s", incident->target.revision);
    if (incident->kind && strcmp(incident->kind, "spike") != 0)
        html_printf(out, ", %s", incident->kind);
    buf_puts(out, "</p></div>\n");
}

static void put_value(struct buf *out, const char *metric, double value)
{
    char text[WEB_WORDS_SIZE];
    html_printf(out, "<td class=\"number\">%s</td>",
        isfinite(value) ? web_words_value(metric, value, text) : "\xe2\x80\x93");
}

static void put_factor(struct buf *out, double before, double after)
{
    buf_puts(out, "<td class=\"number\">");
    if (before > 0 && isfinite(after))
        html_printf(out, after < 10 * before ? "\xc3\x97 %.2f" : "\xc3\x97 %.0f", after / before);
    buf_puts(out, "</td></tr>\n");
}

static void put_peak(struct buf *out, const struct pair *pair, const char *metric)
{
    double before = incident_peak_of(incident_of(pair, 0), metric);
    double after = incident_peak_of(incident_of(pair, 1), metric);
    html_printf(out, "<tr><th scope=\"row\">%s</th>", metric);
    put_value(out, metric, before);
    put_value(out, metric, after);
    put_factor(out, before, after);
}

static void put_peaks(struct buf *out, const struct pair *pair)
{
    const struct incident *before = incident_of(pair, 0), *after = incident_of(pair, 1);
    if (before->peak_count + after->peak_count == 0)
        return;
    buf_puts(out, "<section><h2>Peaks of the metrics</h2><div class=\"scroll\" tabindex=\"0\" "
                  "role=\"region\" "
                  "aria-label=\"Peaks of the metrics\"><table class=\"peaks\">"
                  "<thead><tr><th>metric</th><th class=\"number\">before</th>"
                  "<th class=\"number\">after</th><th class=\"number\">after / before</th></tr>"
                  "</thead><tbody>\n");
    for (size_t i = 0; i < after->peak_count; i++)
        put_peak(out, pair, after->peaks[i].metric);
    for (size_t i = 0; i < before->peak_count; i++)
        if (isnan(incident_peak_of(after, before->peaks[i].metric)))
            put_peak(out, pair, before->peaks[i].metric);
    buf_puts(out, "</tbody></table></div></section>\n");
}

static void put_link(struct buf *out, const struct pair *pair, const char *profile,
    const char *sample, const char *text, bool current)
{
    struct buf address;
    buf_init(&address, 4096);
    buf_puts(&address, "/compare");
    web_form_put(&address, "a", pair->ids[0]);
    web_form_put(&address, "b", pair->ids[1]);
    web_form_put(&address, "profile", profile);
    if (sample)
        web_form_put(&address, "sample", sample);
    html_printf(out, "<a href=\"%s\"%s>%s</a>\n", address.data,
        current ? " aria-current=\"true\"" : "", text);
    buf_free(&address);
}

/* The profiles that there are to look at, and the sample types of the chosen one. */
static void put_choices(
    struct buf *out, const struct pair *pair, const struct choice *choice, uint32_t sample_type)
{
    const struct incident *incident = incident_of(pair, 1);
    buf_puts(out, "<nav class=\"tabs\" aria-label=\"profiles\">\n");
    for (size_t i = 0; i < incident->profile_count; i++) {
        const char *name = incident->profiles[i].name;
        if (profile_of(pair, 1, name))
            put_link(out, pair, name, NULL, name, !strcmp(name, choice->profile));
    }
    const struct profile *profile = profile_of(pair, 1, choice->profile);
    if (profile && profile->sample_type_count > 1) {
        buf_puts(out, "<span class=\"gap\"></span>\n");
        for (uint32_t i = 0; i < profile->sample_type_count; i++) {
            const char *type = profile->strings[profile->sample_types[i].type].text;
            put_link(out, pair, choice->profile, type, web_words_sample(type), i == sample_type);
        }
    }
    buf_puts(out, "</nav>\n");
}

/* Why one of them has no such profile to look at. */
static void put_missing(struct buf *out, const struct pair *pair, int side, const char *name)
{
    const struct evidence *evidence = pair->readings[side].evidence;
    const char *why = "it was not asked for one";
    for (size_t i = 0; i < evidence->profile_count; i++)
        if (!strcmp(evidence->profiles[i].name, name))
            why = evidence->profiles[i].problem.text;
    html_printf(out, "<p>%s, <a href=\"/incident/%s\">%s</a>, has none: %s.</p>\n",
        side ? "The later one" : "The earlier one", evidence->incident->id, evidence->incident->id,
        why);
}

static void put_difference(struct buf *out, const struct pair *pair, const struct choice *choice)
{
    const struct profile *before = profile_of(pair, 0, choice->profile);
    const struct profile *after = profile_of(pair, 1, choice->profile);
    if (!before || !after) {
        put_choices(out, pair, choice, 0);
        html_printf(
            out, "<p>There is no difference to show of the profile %s.</p>\n", choice->profile);
        for (int side = 0; side < 2; side++)
            if (!profile_of(pair, side, choice->profile))
                put_missing(out, pair, side, choice->profile);
        return;
    }
    int type = totals_sample_type(after, choice->sample);
    uint32_t sample_type = type < 0 ? (uint32_t)totals_sample_type(after, NULL) : (uint32_t)type;
    put_choices(out, pair, choice, sample_type);
    struct growth growth;
    struct flame_tree tree;
    growth_of(&growth, after, sample_type, before);
    flame_tree_build(&tree, after, sample_type, before, NULL);
    const char *title = web_words_sample(growth.type);
    const struct flame_options flame = {
        .id = "flame", .title = title, .now = sides[1], .then = sides[0]};
    const struct tables_options table = {
        .id = "table", .title = title, .now = sides[1], .then = sides[0], .rows = 40};
    flame_write(out, &tree, &flame);
    tables_write_growth(out, &growth, &table);
    flame_tree_free(&tree);
    growth_free(&growth);
}

/* The profile of the suspect, else the first that both have. */
static const char *first_profile(const struct pair *pair)
{
    const struct incident *incident = incident_of(pair, 1);
    const char *suspect = incident->analysis.suspect.profile;
    if (suspect && profile_of(pair, 0, suspect) && profile_of(pair, 1, suspect))
        return suspect;
    for (size_t i = 0; i < incident->profile_count; i++) {
        const char *name = incident->profiles[i].name;
        if (profile_of(pair, 0, name) && profile_of(pair, 1, name))
            return name;
    }
    return "cpu";
}

static void put_pair(struct buf *out, const struct web_request *request, const struct pair *pair)
{
    const char *profile = web_form_get(&request->query, "profile");
    const struct choice choice = {.profile = profile && *profile ? profile : first_profile(pair),
        .sample = web_form_get(&request->query, "sample")};
    buf_puts(out, "<h1>What is different</h1>\n<div class=\"sides\">\n");
    put_side(out, pair, 0);
    put_side(out, pair, 1);
    buf_puts(out, "</div>\n");
    put_peaks(out, pair);
    buf_puts(out, "<section class=\"difference\"><h2>Functions</h2>\n");
    put_difference(out, pair, &choice);
    buf_puts(out, "</section>\n");
}

/* Both share what one page may take: what the first does not need of its half is the second's. */
static int read_pair(struct pair *pair, struct web_site *site, struct error *err)
{
    struct reanalysis_wish wish = {.inflated_bytes = REANALYSIS_MAX / 2};
    if (web_reading_make(&pair->readings[0], site, pair->ids[0], &wish, err) < 0)
        return -1;
    wish.inflated_bytes = REANALYSIS_MAX - pair->readings[0].evidence->inflated_bytes;
    return web_reading_make(&pair->readings[1], site, pair->ids[1], &wish, err);
}

void web_compare_page(
    struct web_site *site, const struct web_request *request, struct web_reply *reply)
{
    struct pair pair = {.readings = {{.stored = NULL}, {.stored = NULL}}};
    struct error err = {""};
    if (find_ids(&request->query, pair.ids) < 0) {
        web_page_problem(site, reply, 400,
            "A comparison is of two incidents: tick two in the list, then press Compare.");
        return;
    }
    web_reading_enter();
    int status = read_pair(&pair, site, &err);
    if (status < 0) {
        web_page_problem(site, reply, 404, err.text);
    } else {
        web_page_begin(site, reply, "Comparison", "compare");
        put_pair(&reply->body, request, &pair);
        web_page_end(reply);
    }
    web_reading_free(&pair.readings[0]);
    web_reading_free(&pair.readings[1]);
    web_reading_leave();
}
