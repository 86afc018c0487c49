#include "core/sha256.h"

#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The one of "abc" is FIPS 180-4's own example. */
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void hashes_memory_and_pieces_alike(void **state)
{
    (void)state;
    char hex[SHA256_HEX_SIZE];
    sha256_hash("abc", 3, hex);
    assert_string_equal(hex, of_abc);
    sha256_hash("", 0, hex);
    assert_string_equal(hex, sha256_of_nothing);
    struct sha256 *sha256 = sha256_new();
    sha256_add(sha256, "a", 1);
    sha256_add(sha256, "", 0);
    sha256_add(sha256, "bc", 2);
    sha256_finish(sha256, hex);
    assert_string_equal(hex, of_abc);
    sha256_finish(sha256_new(), NULL);
}

/* RFC 4231, test cases 1, 2 and 6 (a key that is longer than a block). */
static void authenticates_as_rfc_4231_has_it(void **state)
{
    (void)state;
    char hex[SHA256_HEX_SIZE], key[131];
    memset(key, 0x0b, 20);
    sha256_hmac(key, 20, "Hi There", 8, hex);
    assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    sha256_hmac("Jefe", 4, "what do ya want for nothing?", 28, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    sha256_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hashes_a_whole_file_wherever_it_stands(void **state)
{
    (void)state;
    char path[] = "/tmp/stakeout-test-sha256-XXXXXX", hex[SHA256_HEX_SIZE], wanted[SHA256_HEX_SIZE];
    int fd = mkstemp(path);
    unlink(path);
    static char data[100000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7);
    assert_int_equal(write(fd, data, sizeof data), sizeof data);
    uint64_t size;
    assert_int_equal(sha256_file(fd, hex, &size, NULL), 0);
    sha256_hash(data, sizeof data, wanted);
    assert_string_equal(hex, wanted);
    assert_int_equal(size, sizeof data);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), sizeof data);
    close(fd);
}

static void says_when_a_file_cannot_be_read(void **state)
{
    (void)state;
    char hex[SHA256_HEX_SIZE];
    uint64_t size;
    struct error err;
    assert_int_equal(sha256_file(-1, hex, &size, &err), -1);
    assert_non_null(strstr(err.text, "cannot read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_memory_and_pieces_alike),
        cmocka_unit_test(authenticates_as_rfc_4231_has_it),
        cmocka_unit_test(hashes_a_whole_file_wherever_it_stands),
        cmocka_unit_test(says_when_a_file_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
