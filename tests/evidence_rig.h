/* Evidence from files in memory, for tests: what an incident's folder would have. */
#ifndef TESTS_EVIDENCE_RIG_H
#define TESTS_EVIDENCE_RIG_H

#include "core/buf.h"
#include "core/error.h"
#include "review/evidence/evidence.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct rig_file {
    const char *name; /* NULL ends the list */
    const void *data;
    size_t size; /* 0: data is text */
};

static inline int rig_read(
    void *arg, const char *name, size_t max, struct buf *buf, struct error *err)
{
    buf_init(buf, max);
    for (const struct rig_file *file = arg; file->name; file++) {
        size_t size = file->size ? file->size : strlen(file->data);
        if (strcmp(file->name, name) != 0)
            continue;
        if (buf_append(buf, file->data, size) < 0)
            return error_set(err, "%s is larger than %zu bytes", name, max);
        return 0;
    }
    return error_set(err, "there is no file %s", name);
}

static inline struct evidence *rig_evidence(const struct rig_file *files,
    const struct rig_file *baseline, size_t inflated_bytes, struct error *err)
{
    /* The reader's argument is not const, and nothing is written to it. */
    union {
        const struct rig_file *files;
        void *arg;
    } own = {files}, base = {baseline};
    const struct evidence_place place = {rig_read, own.arg}, calm = {rig_read, base.arg};
    const struct evidence_limits limits = {.inflated_bytes = inflated_bytes};
    return evidence_read(&place, baseline ? &calm : NULL, &limits, err);
}

/* incident.json with the least that it must have and, at the end, `more`: "\"kind\": ...,". */
static inline void rig_incident(char *text, size_t size, const char *more)
{
    snprintf(text, size,
        "{\"schema\": 1, \"id\": \"20261123T150406Z-cpu-high-1a2b3c\", \"service\": \"games\", "
        "\"app\": \"api\", \"fired\": \"2026-11-23T15:04:06.000Z\", %s}",
        more);
}

#endif
