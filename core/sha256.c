#include "core/sha256.h"

#include "core/alloc.h"
#include "core/error.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char sha256_of_nothing[SHA256_HEX_SIZE] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct sha256 {
    EVP_MD_CTX *context;
};

/* libcrypto fails here only for want of memory. */
static void must(int ok)
{
    if (!ok)
        abort();
}

char *sha256_to_hex(const unsigned char *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

struct sha256 *sha256_new(void)
{
    struct sha256 *sha256 = xcalloc(1, sizeof *sha256);
    sha256->context = EVP_MD_CTX_new();
    must(sha256->context && EVP_DigestInit_ex(sha256->context, EVP_sha256(), NULL));
    return sha256;
}

void sha256_add(struct sha256 *sha256, const void *data, size_t size)
{
    must(EVP_DigestUpdate(sha256->context, data, size));
}

void sha256_finish(struct sha256 *sha256, char *hex)
{
    unsigned char digest[SHA256_SIZE];
    must(EVP_DigestFinal_ex(sha256->context, digest, NULL));
    if (hex)
        sha256_to_hex(digest, sizeof digest, hex);
    EVP_MD_CTX_free(sha256->context);
    free(sha256);
}

void sha256_hash(const void *data, size_t size, char hex[SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_SIZE];
    must(EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL));
    sha256_to_hex(digest, sizeof digest, hex);
}

void sha256_hmac(
    const void *key, size_t key_size, const void *data, size_t size, char hex[SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_SIZE];
    must(HMAC(EVP_sha256(), key, (int)key_size, data, size, digest, NULL) != NULL);
    sha256_to_hex(digest, sizeof digest, hex);
}

int sha256_file(int fd, char hex[SHA256_HEX_SIZE], uint64_t *size, struct error *err)
{
    struct sha256 *sha256 = sha256_new();
    char block[16384];
    ssize_t got;
    *size = 0;
    do {
        got = pread(fd, block, sizeof block, (off_t)*size);
        if (got > 0) {
            sha256_add(sha256, block, (size_t)got);
            *size += (uint64_t)got;
        }
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (got < 0)
        error_set(err, "cannot read the file to hash it: %s", strerror(errno));
    sha256_finish(sha256, hex);
    return got < 0 ? -1 : 0;
}
