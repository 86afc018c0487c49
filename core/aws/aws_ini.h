/* The AWS CLI's configuration files: sections of "key = value".
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html */
#ifndef CORE_AWS_INI_H
#define CORE_AWS_INI_H

#include <stdbool.h>
#include <stddef.h>

struct error;

struct aws_ini {
    struct aws_ini_entry {
        char *section, *key, *value; /* the key in lower case */
    } * entries;
    size_t count;
};

/* Adds what a text says to an ini that is zeroed at first. Nested settings (indented, as below `s3
 * =`) and comments are passed over. -1 and err with the line for what is no such text; what came
 * before stays. */
int aws_ini_parse(struct aws_ini *ini, const char *text, size_t size, struct error *err);
void aws_ini_free(struct aws_ini *ini);

/* The last value of a key, NULL when there is none; and whether there is such a section. */
const char *aws_ini_get(const struct aws_ini *ini, const char *section, const char *key);
bool aws_ini_has(const struct aws_ini *ini, const char *section);

#endif
