/* The AWS CLI's files. */
#include "core/aws/aws_ini.h"
#include "core/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aws_ini ini = {.count = 0};
    struct error err = {""};
    if (aws_ini_parse(&ini, (const char *)data, size, &err) < 0 && !err.text[0])
        abort();
    for (size_t i = 0; i < ini.count; i++)
        if (!aws_ini_get(&ini, ini.entries[i].section, ini.entries[i].key))
            abort();
    aws_ini_free(&ini);
    return 0;
}
