#include "review/web/web_analyst.h"

#include "review/analysis/reanalysis.h"

#include "core/alloc.h"
#include "core/crash.h"
#include "core/error.h"
#include "review/web/web_index.h"
#include "review/web/web_parts.h"
#include "review/web/web_reading.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NICENESS = 10 };

struct web_analyst {
    struct web_site *site;
    int left;
    pthread_t thread;
};

static void analyse(struct web_site *site, const char *id)
{
    struct web_reading reading;
    const struct reanalysis_wish wish = {.baseline = true, .inflated_bytes = REANALYSIS_MAX};
    struct error err;
    web_reading_enter();
    web_reading_make(&reading, site, id, &wish, &err); /* which tells the index what it finds */
    web_reading_free(&reading);
    web_reading_leave();
    web_index_set_analysed(site->index, id); /* also when it failed: once is enough */
}

static void *run(void *arg)
{
    struct web_analyst *analyst = arg;
    crash_guard_thread();
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS); /* of this thread only */
    for (char *id; analyst->left > 0 && (id = web_index_wait_unanalysed(analyst->site->index));) {
        analyse(analyst->site, id);
        analyst->left--;
        free(id);
    }
    return NULL;
}

struct web_analyst *web_analyst_open(struct web_site *site, int most, struct error *err)
{
    sigset_t all, before;
    struct web_analyst *analyst = xcalloc(1, sizeof *analyst);
    *analyst = (struct web_analyst){.site = site, .left = most};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&analyst->thread, NULL, run, analyst);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        return analyst;
    error_set(err, "no thread can be started to analyse incidents: %s", strerror(code));
    free(analyst);
    return NULL;
}

void web_analyst_close(struct web_analyst *analyst)
{
    if (!analyst)
        return;
    pthread_join(analyst->thread, NULL);
    free(analyst);
}
