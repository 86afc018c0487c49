#include "review/web/web_filter.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "review/web/web_form.h"
#include "review/web/web_summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const lookeds[] = {
    [WEB_LOOKED_ANY] = "", [WEB_LOOKED_YES] = "yes", [WEB_LOOKED_NO] = "no"};

/* The index of the text, or -1. */
static int find(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(text, names[i]))
            return (int)i;
    return -1;
}

static const char *value_of(const struct web_form *form, const char *name)
{
    const char *value = web_form_get(form, name);
    return value && *value ? value : NULL;
}

/* "7d" -> ms */
static int read_duration(const char *text, int64_t *duration_ms)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 6 || !text[digits] || text[digits + 1])
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (text[digits] != units[i].letter)
            continue;
        *duration_ms = strtol(text, NULL, 10) * units[i].seconds * 1000;
        return 0;
    }
    return -1;
}

static int read_since(struct web_filter *filter, int64_t now_ms, struct error *err)
{
    int64_t ago_ms;
    char *midnight = xasprintf("%sT00:00:00Z", filter->since);
    int status = rfc3339_parse(midnight, strlen(midnight), &filter->since_ms);
    free(midnight);
    if (status < 0)
        status = rfc3339_parse(filter->since, strlen(filter->since), &filter->since_ms);
    if (status == 0)
        return 0;
    if (read_duration(filter->since, &ago_ms) < 0)
        return error_set(err,
            "since: \"%.40s\" is neither a time ago (7d, 12h), a date (2026-11-23) nor an RFC 3339 "
            "time",
            filter->since);
    filter->since_ms = now_ms - ago_ms;
    return 0;
}

static int read_choices(const struct web_form *form, struct web_filter *filter, struct error *err)
{
    const char *verdict = value_of(form, "verdict"), *looked = value_of(form, "looked");
    const char *page = value_of(form, "page");
    if (verdict) {
        int choice = find(verdict, verdict_names, VERDICT_GONE + 1);
        if (choice < 0)
            return error_set(err, "verdict is new, seen, known, worse or gone");
        filter->has_verdict = true;
        filter->verdict = (enum verdict)choice;
    }
    if (looked) {
        int choice = find(looked, lookeds, sizeof lookeds / sizeof *lookeds);
        if (choice < 0)
            return error_set(err, "looked is yes or no");
        filter->looked = (enum web_looked)choice;
    }
    if (page) {
        long number = strspn(page, "0123456789") == strlen(page) ? strtol(page, NULL, 10) : 0;
        if (number < 1 || number > WEB_PAGE_MAX)
            return error_set(err, "page is a number from 1 to %d", WEB_PAGE_MAX);
        filter->page = (size_t)number;
    }
    return 0;
}

int web_filter_parse(
    const struct web_form *form, int64_t now_ms, struct web_filter *filter, struct error *err)
{
    static const struct web_filter everything = {.since_ms = INT64_MIN, .page = 1};
    *filter = everything;
    filter->service = value_of(form, "service");
    filter->trigger = value_of(form, "trigger");
    filter->app = value_of(form, "app");
    filter->kind = value_of(form, "kind");
    filter->group = value_of(form, "group");
    filter->since = value_of(form, "since");
    filter->q = value_of(form, "q");
    int status = filter->since ? read_since(filter, now_ms, err) : 0;
    if (status == 0)
        status = read_choices(form, filter, err);
    if (status < 0)
        *filter = everything;
    return status;
}

static void put(struct buf *out, const char *name, const char *value)
{
    if (value && *value)
        web_form_put(out, name, value);
}

void web_filter_format(const struct web_filter *filter, size_t page, struct buf *out)
{
    put(out, "q", filter->q);
    put(out, "service", filter->service);
    put(out, "app", filter->app);
    put(out, "trigger", filter->trigger);
    put(out, "kind", filter->kind);
    put(out, "since", filter->since);
    put(out, "verdict", filter->has_verdict ? verdict_names[filter->verdict] : NULL);
    put(out, "looked", lookeds[filter->looked]);
    put(out, "group", filter->group);
    if (page > 1) {
        char number[24];
        snprintf(number, sizeof number, "%zu", page);
        put(out, "page", number);
    }
}

bool web_filter_is_set(const struct web_filter *filter)
{
    return filter->service || filter->trigger || filter->app || filter->kind || filter->group ||
           filter->since || filter->q || filter->has_verdict || filter->looked != WEB_LOOKED_ANY;
}

static bool is(const char *wanted, const char *text)
{
    return !wanted || !strcmp(wanted, text);
}

static bool is_kind(const char *wanted, const struct web_summary *summary)
{
    if (wanted && !strcmp(wanted, "all"))
        return true;
    if (summary->duplicate)
        return false;
    return wanted ? !strcmp(wanted, summary->kind) : strcmp(summary->kind, "baseline") != 0;
}

static bool contains(const struct web_summary *summary, const char *q)
{
    const char *const texts[] = {summary->headline, summary->suspect, summary->id, summary->service,
        summary->app, summary->trigger, summary->metric, summary->revision, summary->problem,
        summary->note ? summary->note : ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcasestr(texts[i], q))
            return true;
    return false;
}

bool web_filter_matches(const struct web_filter *filter, const struct web_summary *summary)
{
    if (filter->looked != WEB_LOOKED_ANY &&
        (filter->looked == WEB_LOOKED_YES) != (summary->looked_ms != 0))
        return false;
    return summary->fired_ms >= filter->since_ms && is(filter->service, summary->service) &&
           is(filter->trigger, summary->trigger) && is(filter->app, summary->app) &&
           is(filter->group, summary->group) && is_kind(filter->kind, summary) &&
           (!filter->q || contains(summary, filter->q));
}
