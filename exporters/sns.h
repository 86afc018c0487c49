/* Options of the SNS notifier, public for tests. */
#ifndef EXPORTERS_SNS_H
#define EXPORTERS_SNS_H

struct sns_options {
    char *topic;              /* its ARN, with the region */
    char *endpoint;           /* NULL: AWS_ENDPOINT_URL_SNS, else AWS's of the region */
    char *role, *external_id; /* assumed on top of the chain; NULL: none */
    char *ca_file;            /* NULL: the system's */
};

#endif
