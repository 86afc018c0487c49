/* Options of the webhook notifier, public for tests. */
#ifndef EXPORTERS_WEBHOOK_H
#define EXPORTERS_WEBHOOK_H

enum webhook_format { WEBHOOK_SLACK, WEBHOOK_JSON };

struct webhook_options {
    char *url;     /* a secret: who knows Slack's can post */
    int format;    /* enum webhook_format */
    char *secret;  /* WEBHOOK_JSON: signs the body; NULL: it is not signed */
    char *ca_file; /* NULL: the system's */
};

/* "X-Stakeout-Signature: t=<seconds>,v1=<HMAC-SHA-256 of "<seconds>.<body>" in hex>"; the caller
 * frees. */
char *webhook_signature(const char *secret, const char *body, long long unix_s);

#endif
