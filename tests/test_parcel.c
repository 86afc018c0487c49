/* A baseline as one file: what is packed comes back, and tar agrees; what is none of ours is an
 * error. */
#include "agent/baseline/parcel.h"

#include "core/buf.h"
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char id[] = "20231123T150401Z-baseline-1a2b3c";

static void add(struct buf *out, const char *folder, const char *name, const char *text)
{
    assert_int_equal(parcel_add(out, folder, name, text, strlen(text), 1700000000), 0);
}

static void what_is_packed_comes_back(void **state)
{
    (void)state;
    struct buf out;
    struct parcel parcel;
    struct error err;
    char large[1300];
    memset(large, 'x', sizeof large);
    buf_init(&out, 100000);
    add(&out, id, "incident.json", "{}");
    assert_int_equal(parcel_add(&out, id, "cpu.pb.gz", large, sizeof large, -5), 0);
    add(&out, id, "heap.pb.gz", "");
    parcel_end(&out);
    assert_int_equal(out.size % 512, 0);
    assert_int_equal(parcel_read(out.data, out.size, &parcel, &err), 0);
    assert_string_equal(parcel.id, id);
    assert_int_equal(parcel.count, 3);
    assert_string_equal(parcel.files[0].name, "incident.json");
    assert_int_equal(parcel.files[0].size, 2);
    assert_memory_equal(parcel.files[0].data, "{}", 2);
    assert_string_equal(parcel.files[1].name, "cpu.pb.gz");
    assert_int_equal(parcel.files[1].size, sizeof large);
    assert_memory_equal(parcel.files[1].data, large, sizeof large);
    assert_int_equal(parcel.files[2].size, 0);
    buf_free(&out);
}

static void tar_reads_it(void **state)
{
    (void)state;
    struct buf out;
    char folder[] = "/tmp/stakeout-parcel-XXXXXX", command[400], text[200] = "";
    assert_non_null(mkdtemp(folder));
    buf_init(&out, 100000);
    add(&out, id, "incident.json", "{}");
    add(&out, id, "cpu.pb.gz", "profile");
    parcel_end(&out);
    snprintf(command, sizeof command, "cd %s && tar x && cat %s/cpu.pb.gz > said", folder, id);
    FILE *tar = popen(command, "w");
    assert_int_equal(fwrite(out.data, 1, out.size, tar), out.size);
    assert_int_equal(pclose(tar), 0);
    snprintf(command, sizeof command, "%s/said", folder);
    FILE *said = fopen(command, "r");
    assert_non_null(fgets(text, sizeof text, said));
    fclose(said);
    assert_string_equal(text, "profile");
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    buf_free(&out);
}

static void what_does_not_fit_is_left_out(void **state)
{
    (void)state;
    struct buf out;
    char name[90] = "";
    memset(name, 'n', sizeof name - 1);
    buf_init(&out, 2000);
    assert_int_equal(parcel_add(&out, id, name, "", 0, 0), -1);
    assert_int_equal(parcel_add(&out, id, "large", "", 0, 0), 0);
    assert_int_equal(out.size, 512);
    static const char text[1200];
    assert_int_equal(parcel_add(&out, id, "larger", text, sizeof text, 0), -1);
    assert_int_equal(out.size, 512);
    assert_int_equal(parcel_add(&out, id, "last", "", 0, 0), -1); /* the end takes 1024 */
    parcel_end(&out);
    assert_int_equal(out.size, 512 + 1024);
    buf_free(&out);
}

/* Sets a byte of the header and, unless it is the checksum's, makes the checksum right again. */
static void patch(struct buf *out, size_t at, const char *text)
{
    memcpy(out->data + at, text, strlen(text) + 1);
    unsigned sum = 0;
    memset(out->data + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)out->data[i];
    snprintf(out->data + 148, 8, "%06o", sum);
}

static void hostile_ones_are_errors(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        const char *text, *error;
    } cases[] = {
        {0, "../../etc/passwd", "its folder is not named"},
        {0, "/etc/passwd", "its folder is not named"},
        {0, "incident.json", "outside of a folder"},
        {0, "20231123T150401Z-baseline-1a2b3c/../x", "not plain"},
        {0, "20231123T150401Z-baseline-1a2b3c/.x", "not plain"},
        {0, "20231123T150401Z-baseline-1a2b3c/a/b", "not plain"},
        {0, "20231123T150401Z-baseline-1a2b3c/", "not plain"},
        {0, "20231123T150401Z-cpu-high-1a2b3c/x", "its folder is not named"},
        {124, "77777777777", "size is wrong"},
        {124, "00000077777", "in the middle"},
        {124, "-0000000001", "size is wrong"},
        {124, "", "size is wrong"},
        {156, "2", "not a file"},
        {156, "5", "not a file"},
        {257, "gnutar", "not a tar"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        struct parcel parcel;
        struct error err = {0};
        buf_init(&out, 100000);
        add(&out, id, "incident.json", "{}");
        parcel_end(&out);
        patch(&out, cases[i].at, cases[i].text);
        if (parcel_read(out.data, out.size, &parcel, &err) == 0 ||
            !strstr(err.text, cases[i].error))
            fail_msg("%s at %zu: %s", cases[i].text, cases[i].at, err.text);
        buf_free(&out);
    }
}

static void so_is_what_is_not_whole_or_too_much(void **state)
{
    (void)state;
    struct buf out;
    struct parcel parcel;
    struct error err;
    buf_init(&out, 100000);
    parcel_end(&out);
    assert_int_equal(parcel_read(out.data, out.size, &parcel, &err), -1);
    assert_int_equal(parcel_read("", 0, &parcel, &err), -1);
    buf_clear(&out);
    add(&out, id, "incident.json", "{}");
    size_t whole = out.size;
    parcel_end(&out);
    for (size_t size = 0; size < whole + 512; size++)
        assert_int_equal(parcel_read(out.data, size, &parcel, &err), -1);
    buf_clear(&out);
    add(&out, id, "a", "");
    add(&out, id, "a", "");
    parcel_end(&out);
    assert_int_equal(parcel_read(out.data, out.size, &parcel, &err), -1);
    buf_clear(&out);
    add(&out, id, "a", "");
    add(&out, "20231123T150401Z-baseline-1a2b3d", "b", "");
    parcel_end(&out);
    assert_int_equal(parcel_read(out.data, out.size, &parcel, &err), -1);
    buf_clear(&out);
    for (int i = 0; i <= PARCEL_FILES_MAX; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%d", i);
        add(&out, id, name, "");
    }
    parcel_end(&out);
    assert_int_equal(parcel_read(out.data, out.size, &parcel, &err), -1);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(tar_reads_it),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(hostile_ones_are_errors),
        cmocka_unit_test(so_is_what_is_not_whole_or_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
