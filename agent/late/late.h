/* Metrics that come late: RDS's, one a minute and minutes late, which CloudWatch is asked for once
 * an incident is complete. No incident waits for them: it is stored first, and what came is added
 * to its metrics.csv, incident.json and report.html afterwards, which are then stored once more, in
 * place of the first ones.
 *
 * Until then its files are kept in <state>/late/<id>/ as links to those of the spool, so that the
 * report can be made anew, and so that the next start goes on where this run ends. */
#ifndef AGENT_LATE_LATE_H
#define AGENT_LATE_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct delivery;
struct late;
struct loop;
struct offload;
struct reports;
struct spool;
struct worker;

struct late_setup {
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    struct delivery *delivery;
    struct reports *reports;
    struct worker *worker;
    const struct config *config;
    /* Whether there is no memory for a child now, with that in words; as agent/incidents/reports.h
     * has it. */
    bool (*short_of_memory)(void *arg, char *why);
    void *arg;
};

/* Takes up what earlier runs left. Blocks for a moment. */
struct late *late_open(const struct late_setup *setup);

/* Asks nothing any more and listens to nobody; what is not done is left to the next start. And
 * after the disk thread has ended. NULL is allowed. */
void late_stop(struct late *late);
void late_close(struct late *late);

/* Goes on for another configuration, unless what came is being added just now; what waits for a
 * database that is gone from it gets nothing. */
bool late_is_adding(const struct late *late);
void late_reload(struct late *late, const struct config *config);

/* A complete incident of the spool with its report, if it has one, right before it is delivered.
 * Nothing happens where no database has cloudwatch, and for baselines. */
void late_take(struct late *late, const char *id);

/* Lets go of one that has all been stored, the oldest first, where the spool is four fifths full,
 * as what waits for an exporter is worth more; to be called every now and then. */
void late_give_way(struct late *late);

/* What `status` tells: how many incidents wait for that, and why the last question had no answer
 * (NULL: it had one, or there was none). */
size_t late_waiting(const struct late *late);
const char *late_error(const struct late *late);

#endif
