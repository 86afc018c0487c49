#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/known.h"
#include "review/history/marking.h"
#include "review/store/store.h"
#include "review/web/web_incident.h"
#include "review/web/web_index.h"
#include "review/web/web_page.h"
#include "review/web/web_parts.h"
#include "review/web/web_stores.h"
#include "review/web/web_words.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A file is read, changed and written: by one thread of this process at a time. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

/* What is to be done. */
struct noting {
    struct web_site *site;
    const struct web_form *form;
    const char *what;
    struct store *store;
    struct store_incident *stored;
};

/* A note without what only confuses: line ends as browsers send them, blanks around it. */
static char *tidy(const char *note)
{
    note += strspn(note, " \t\r\n");
    char *text = web_words_cut(note, MARK_NOTE_MAX);
    size_t length = 0;
    for (const char *at = text; *at; at++)
        if (*at != '\r')
            text[length++] = *at;
    while (length > 0 && strchr(" \t\n", text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

static int note_mark(struct noting *noting, struct error *err)
{
    struct mark mark;
    const char *looked = web_form_get(noting->form, "looked");
    const char *note = web_form_get(noting->form, "note");
    int status = marking_read(noting->store, noting->stored, &mark, err);
    if (status >= 0 && looked)
        mark.looked_ms = !strcmp(looked, "yes") ? clock_wall_ms() : 0;
    if (status >= 0 && note) {
        char *text = tidy(note);
        free(mark.note);
        mark.note = *text ? text : (free(text), NULL);
    }
    if (status >= 0)
        status = marking_write(noting->store, noting->stored, &mark, err);
    if (status == 0)
        web_index_mark(noting->site->index, noting->stored->id, &mark);
    mark_free(&mark);
    return status;
}

/* The highest of the metric that fired, among all of the group. Where only this server has analysed
 * the incident, its index knows the group. */
static double highest_peak(struct web_index *index, struct incident *incident)
{
    double peak = NAN;
    struct web_index_view view = web_index_hold(index);
    const struct web_summary *own = web_index_find(&view, incident->id);
    if (own && !incident->analysis.group)
        incident->analysis.group = xstrdup(own->group);
    for (size_t i = 0; own && i < view.count; i++)
        if (!strcmp(view.summaries[i]->group, own->group))
            peak = fmax(peak, view.summaries[i]->peak);
    web_index_release(index);
    return peak;
}

static int note_known(struct noting *noting, struct error *err)
{
    const struct store_incident *stored = noting->stored;
    const char *known = web_form_get(noting->form, "known");
    struct web_index *index = noting->site->index;
    double peak = highest_peak(index, stored->incident);
    struct known now;
    if (!known)
        return error_set(err, "the form says nothing");
    if (marking_set_known(
            noting->store, stored, !strcmp(known, "yes"), peak, clock_wall_ms(), err) < 0)
        return -1;
    if (marking_read_known(noting->store, stored->service, &now, err) < 0)
        return -1;
    web_index_set_known(index, stored->service, &now);
    return 0;
}

static unsigned take_note(struct noting *noting, const char *id, struct error *err)
{
    bool known = !strcmp(noting->what, "known");
    if (!known && strcmp(noting->what, "looked") != 0 && strcmp(noting->what, "note") != 0) {
        error_set(err, "There is no such form.");
        return 404;
    }
    noting->stored = store_find(noting->store, id, err);
    if (!noting->stored)
        return 404;
    pthread_mutex_lock(&writing);
    int status = known ? note_known(noting, err) : note_mark(noting, err);
    pthread_mutex_unlock(&writing);
    store_incident_free(noting->stored);
    return status < 0 ? 500 : 303;
}

/* Where the form came from: a path of this server, as our own pages write it. */
static bool is_own_path(const char *back)
{
    if (!back || back[0] != '/' || back[1] == '/' || back[1] == '\\')
        return false;
    for (; *back; back++)
        if (*back <= ' ' || *back > '~' || *back == '\\')
            return false;
    return true;
}

void web_incident_note(struct web_site *site, const struct web_request *request, const char *id,
    const char *what, struct web_reply *reply)
{
    struct error err = {""};
    struct noting noting = {.site = site, .form = &request->form, .what = what};
    const char *back = web_form_get(&request->form, "back");
    if (!web_guard_token_valid(&site->guard, web_form_get(&request->form, "token"))) {
        web_page_problem(site, reply, 403,
            "The form is of an earlier start of this server: load its page again and repeat it.");
        return;
    }
    noting.store = web_stores_take(site->stores, &err);
    unsigned status = noting.store ? take_note(&noting, id, &err) : 503;
    web_stores_give(site->stores, noting.store);
    if (status != 303)
        web_page_problem(site, reply, status, err.text);
    else
        web_reply_see(reply, is_own_path(back) ? xstrdup(back) : xasprintf("/incident/%s", id));
}
