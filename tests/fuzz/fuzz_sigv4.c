/* Paths and queries come from keys that other writers chose. Line by line: path, query, header. */
#include "core/aws/sigv4.h"
#include "core/sha256.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 3, 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    char *lines[3] = {text, text + size, text + size};
    for (int i = 1; i < 3; i++) {
        lines[i] = lines[i - 1] + strcspn(lines[i - 1], "\n");
        if (*lines[i])
            *lines[i]++ = '\0';
    }
    struct sigv4_scope scope = {.credentials = {"A", "S", "T"},
        .region = "us-east-1",
        .service = "s3",
        .time_ms = 1369353600000,
        .normalize_path = size % 2,
        .hash_header = true};
    struct sigv4_header headers[] = {{"Host", "h"}, {"X-Fuzz", lines[2]}};
    struct sigv4_request request = {"GET", lines[0], lines[1], headers, 2, sha256_of_nothing};
    struct sigv4_signature signature;
    if (sigv4_sign(&scope, &request, &signature, NULL) == 0 &&
        (strlen(signature.signature) != 64 ||
            memcmp(signature.canonical_request.data, "GET\n", 4) != 0))
        abort();
    sigv4_free(&signature);
    sigv4_presign(&scope, &request, 60, &signature, NULL);
    sigv4_free(&signature);
    free(text);
    return 0;
}
