/* What detector.c and detector_handover.c share. */
#ifndef AGENT_DETECTION_DETECTOR_PARTS_H
#define AGENT_DETECTION_DETECTOR_PARTS_H

#include "agent/detection/detector.h"
#include "core/error.h"
#include "triggers/spacing.h"

struct gate;
struct series;
struct trigger_config;
struct trigger_kind;

enum { HELD_BACK_SIZE = sizeof(struct error) };

/* One trigger of the configuration at work. */
struct watch {
    const struct trigger_config *config;
    const struct trigger_kind *kind;
    void *trigger;
    size_t *feeds; /* where its metrics are in the detector's feeds */
    double *values;
    const struct verdict **members; /* those of its members' watches */
    struct verdict verdict;         /* of the newest step */
    int64_t last_ms;                /* of the last step that it looked at */
    struct spacing spacing;         /* of those */
    enum excursion excursion;
    int64_t ended_ms;      /* of the excursion, once it ebbs or is over */
    const char *held_by;   /* why the excursion's fire waits; NULL: it does not */
    struct verdict missed; /* of a fire that opened nothing */
    uint64_t fires, suppressed, withdrawn;
    int64_t told_ms; /* the last of these; INT64_MIN: none */
    char told[REASON_SIZE + HELD_BACK_SIZE + 16];
};

/* A series that is looked at, and what it has in this step. */
struct feed {
    char *name;
    const struct series *series; /* NULL: not there yet */
    uint64_t seen;               /* of series->pushed */
    double value;                /* NAN: nothing */
    double before;               /* the value before it; NAN: there was none */
    size_t restarts_of;          /* the app whose restarts it counts; SIZE_MAX: none's */
};

struct detector {
    const struct config *config;
    struct watch *watches; /* as many as the configuration has triggers */
    struct feed *feeds;
    size_t feed_count;
    const struct series_set *series;
    size_t series_known; /* series->count at the last look-up */
    struct gate *gate;
    struct detector_hooks hooks;
    int64_t now_ms; /* of the newest step; INT64_MIN: there was none */
};

/* Finds the series that are there by now. */
void detector_look_up_series(struct detector *detector);

/* Tells the gate when the app was started; at the latest then. */
void detector_note_start(struct detector *detector, size_t app, int64_t time_ms);

#endif
