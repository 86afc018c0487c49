/* An exporter stores the files of an incident somewhere, or tells people of it once it is stored
 * (`send` or `tell`). One file a kind; agent/kinds.c lists them. It never blocks, and storing is
 * idempotent: the same artifact sent twice does no harm. */
#ifndef EXPORTERS_EXPORTER_H
#define EXPORTERS_EXPORTER_H

#include "config/fields.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct loop;
struct notice;
struct offload;

struct exporter_setup {
    struct loop *loop;
    struct offload *disk; /* thread for the spool's files: nothing that may hang for long */
    const void *options;
    const char *service;
    bool quiet; /* who opens it says itself what it is: nothing is logged about that */
};

/* One file of the spool and where it goes. */
struct artifact {
    const char *path; /* the file */
    const char *key;  /* "service=woogles/date=2026-11-23/<id>/cpu.pb.gz", below the prefix */
    const char *content_type;
    bool replaces; /* what is under this key, as it is another version of the same; else that is
                      left alone where the store can: nothing of an incident is overwritten */
    const char *manifest; /* incident.json of the incident that it is of; NULL: of none */
};

/* How a send ended. */
enum send_outcome {
    SEND_STORED,
    SEND_RETRY,   /* may work later: an outage, throttling; wait at least retry_after_ms */
    SEND_FAILED,  /* will not work until somebody changes something; worth a try now and then */
    SEND_REJECTED /* this file will never be taken, and the incident goes on without it */
};

struct send_result {
    enum send_outcome outcome;
    int64_t retry_after_ms; /* 0: as the caller likes */
    char reason[512];       /* a sentence with the remedy; "" when stored */
};

/* How a recall ended. */
enum recall_outcome {
    RECALL_FOUND,
    RECALL_NONE,      /* nothing is stored under that key */
    RECALL_FORBIDDEN, /* the store does not let us look; reason names the right that it takes */
    RECALL_FAILED     /* another try may work */
};

struct recall_result {
    enum recall_outcome outcome;
    const char *data; /* RECALL_FOUND; valid within `done` */
    size_t size;
    char reason[512]; /* "" when found or none */
};

/* A link to what is stored, for whoever may not look into the store. */
struct link_result {
    const char *url;    /* a secret while it lasts; valid within `done`; NULL: there is none */
    int64_t expires_ms; /* wall: its true end */
    char reason[512];   /* "" with a url */
};

/* What an exporter proves to its store with who it is. */
struct exporter_credentials {
    const char *provider; /* "the environment (AWS_ACCESS_KEY_ID)"; valid until the loop runs */
    int64_t expires_ms;   /* wall; INT64_MAX: nobody said that they do */
};

/* How a claim ended. */
enum claim_outcome {
    CLAIM_TAKEN,  /* nothing was stored under that key, and now there is what was given */
    CLAIM_EXISTS, /* something was: somebody's, or our own where an earlier answer was lost */
    CLAIM_FAILED, /* no telling; another try may work: reason, retry_after_ms */
    CLAIM_UNABLE  /* the store has no way to do it: reason */
};

struct claim_result {
    enum claim_outcome outcome;
    bool refused; /* CLAIM_FAILED: it takes somebody to change something */
    bool busy;    /* CLAIM_FAILED: others are about to write it; soon it can be told */
    int64_t retry_after_ms;
    char reason[512]; /* "" when taken, or there */
};

/* What is stored below a key. */
struct count_result {
    int64_t count;    /* at most EXPORTER_COUNT_MAX; -1: it cannot be told */
    char reason[512]; /* why not */
};
enum { EXPORTER_COUNT_MAX = 1000 };

/* What is stored of this service, where the exporter removes what is too old or too much. */
struct exporter_holdings {
    bool known;       /* it has looked */
    uint64_t bytes;   /* what is not complete included */
    size_t incidents; /* complete ones */
    size_t held;      /* those of them that never go, as people left something there */
    uint64_t removed; /* incidents, in this run */
    int64_t keep_ms;  /* the limits; 0: none */
    uint64_t size_bytes;
};

struct exporter_kind {
    struct kind kind; /* first */
    /* NULL and err for what can never work. What is not reachable yet is no error. */
    void *(*open)(const struct exporter_setup *setup, struct error *err);
    /* "s3://woogles-profiles/prod": names it in the log and `status`. */
    const char *(*label)(const void *self);
    /* What no other destination has, the same in every run: the spool's marks are made of it, and
     * two exporters that share it are one. */
    const char *(*identity)(const void *self);
    /* Sends one artifact, whose strings it copies before it returns; `done` comes later, exactly
     * once unless closed before. One at a time. NULL: it tells. */
    void (*send)(void *self, const struct artifact *artifact,
        void (*done)(void *arg, const struct send_result *result), void *arg);
    /* Reads back what was sent under this key, a whole object of at most max_bytes; a larger one is
     * RECALL_FAILED. `done` as with send. One at a time, beside a send. NULL: it cannot. */
    void (*recall)(void *self, const char *key, size_t max_bytes,
        void (*done)(void *arg, const struct recall_result *result), void *arg);
    /* The incident in this folder of the spool is not to be sent (any more), and the folder may be
     * gone soon: what was begun for it and not ended is undone. NULL: there is no such thing. */
    void (*give_up)(void *self, const char *folder);
    /* Tells people of incidents (exporters/notice.h), which are valid until `done`; that comes
     * later, as with send. One at a time. NULL: it stores. */
    void (*tell)(void *self, const struct notice *notice,
        void (*done)(void *arg, const struct send_result *result), void *arg);
    /* Finds out, without telling anybody, whether there is a chance that telling works. `done` as
     * with send. Not beside a tell. NULL: it stores. */
    void (*reach)(void *self, void (*done)(void *arg, const struct send_result *result), void *arg);
    /* Makes a link to what is stored under this key, for so many seconds at most. `done` as with
     * send. One at a time, beside a send. NULL: it cannot. */
    void (*link)(void *self, const char *key, int64_t seconds,
        void (*done)(void *arg, const struct link_result *result), void *arg);
    /* Finds out who it is to its store, in a sentence without secrets (NULL: it has no
     * credentials). `done` as with send. One at a time, beside nothing. NULL: it needs none. */
    void (*identify)(void *self, void (*done)(void *arg, const char *who), void *arg);
    /* The credentials that are in use. False: none so far. NULL: it needs none. */
    bool (*credentials)(const void *self, struct exporter_credentials *credentials);
    /* Stores a short text under a key where nothing is stored; of many who do that at once exactly
     * one gets CLAIM_TAKEN. Copies its texts; `done` as with send, but any number of these run at
     * once. NULL: it cannot (kind.claims). */
    void (*claim)(void *self, const char *key, const char *text,
        void (*done)(void *arg, const struct claim_result *result), void *arg);
    /* Counts what is stored below a key that ends in a slash. As claim, and there where that is. */
    void (*count)(void *self, const char *key,
        void (*done)(void *arg, const struct count_result *result), void *arg);
    /* What it holds. NULL: it removes nothing. */
    void (*holdings)(const void *self, struct exporter_holdings *holdings);
    /* Ends what is running (a send, recall, tell, link) without `done`. May wait a moment for it,
     * but never hangs; what is given up may go on on the loop for a while (loop_linger). */
    void (*close)(void *self);
};

/* First in what an exporter opens, for these two: label and identity. */
struct exporter_names {
    char *label, *identity; /* identity NULL: the label is */
};
const char *exporter_label(const void *self);
const char *exporter_identity(const void *self);
void exporter_names_free(struct exporter_names *names);

extern const struct exporter_kind exporter_directory, exporter_pyroscope, exporter_s3;
extern const struct exporter_kind exporter_webhook, exporter_sns;

#endif
