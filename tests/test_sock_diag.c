#include "sources/tcp/sock_diag.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A datagram under construction. */
struct datagram {
    uint8_t bytes[4096];
    size_t size;
};

static void add_message(
    struct datagram *datagram, uint16_t type, uint32_t sequence, const void *body, size_t size)
{
    struct nlmsghdr header = {
        .nlmsg_len = (uint32_t)NLMSG_LENGTH(size), .nlmsg_type = type, .nlmsg_seq = sequence};
    memcpy(datagram->bytes + datagram->size, &header, sizeof header);
    if (size)
        memcpy(datagram->bytes + datagram->size + NLMSG_HDRLEN, body, size);
    datagram->size += NLMSG_ALIGN(header.nlmsg_len);
}

/* A socket's message with tcp_info cut to info_size bytes, after an attribute of another kind. */
static void add_socket(struct datagram *datagram, uint32_t sequence,
    const struct inet_diag_msg *message, const struct tcp_info *info, size_t info_size)
{
    uint8_t body[1024] = {0};
    memcpy(body, message, sizeof *message);
    size_t size = sizeof *message;
    struct rtattr other = {.rta_len = RTA_LENGTH(1), .rta_type = INET_DIAG_SHUTDOWN};
    memcpy(body + size, &other, sizeof other);
    size += RTA_SPACE(1);
    struct rtattr attribute = {
        .rta_len = (unsigned short)RTA_LENGTH(info_size), .rta_type = INET_DIAG_INFO};
    memcpy(body + size, &attribute, sizeof attribute);
    memcpy(body + size + RTA_LENGTH(0), info, info_size);
    size += RTA_SPACE(info_size);
    add_message(datagram, SOCK_DIAG_BY_FAMILY, sequence, body, size);
}

static const struct inet_diag_msg example = {.idiag_family = AF_INET,
    .idiag_state = SOCK_ESTABLISHED,
    .idiag_rqueue = 3,
    .id = {.idiag_cookie = {0x55667788, 0x11223344}}};
static const struct tcp_info example_info = {.tcpi_rtt = 1500,
    .tcpi_bytes_received = 1000,
    .tcpi_bytes_acked = 41,
    .tcpi_bytes_sent = 50,
    .tcpi_bytes_retrans = 10,
    .tcpi_last_data_sent = 7,
    .tcpi_last_data_recv = 8};

static void a_socket_is_read(void **state)
{
    (void)state;
    struct datagram datagram = {.size = 0};
    struct inet_diag_msg message = example;
    message.id.idiag_sport = htons(40000);
    message.id.idiag_dport = htons(5432);
    inet_pton(AF_INET, "10.0.0.1", message.id.idiag_src);
    inet_pton(AF_INET, "10.0.0.2", message.id.idiag_dst);
    add_socket(&datagram, 5, &message, &example_info, sizeof example_info);
    add_message(&datagram, NLMSG_DONE, 5, &(int){0}, sizeof(int));
    struct sock_diag_reader reader;
    struct sock_diag_record record;
    sock_diag_reader_init(&reader, datagram.bytes, datagram.size, 5);
    assert_int_equal(sock_diag_next(&reader, &record), SOCK_DIAG_RECORD);
    static const uint8_t remote[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2};
    assert_true(record.cookie == UINT64_C(0x1122334455667788));
    assert_int_equal(record.name.local_port, 40000);
    assert_int_equal(record.name.remote_port, 5432);
    assert_memory_equal(record.name.remote, remote, sizeof remote);
    assert_int_equal(record.name.local[15], 1);
    assert_int_equal(record.unread, 3);
    assert_true(record.counted);
    assert_int_equal(record.received, 1000);
    assert_int_equal(record.sent, 40);
    assert_int_equal(record.rtt_us, 1500);
    assert_int_equal(record.data_sent_ms, 7);
    assert_int_equal(record.data_received_ms, 8);
    assert_int_equal(sock_diag_next(&reader, &record), SOCK_DIAG_DONE);
    assert_int_equal(sock_diag_next(&reader, &record), SOCK_DIAG_END);
}

static void a_mapped_ipv6_socket_has_the_ipv4_form(void **state)
{
    (void)state;
    struct inet_diag_msg v4 = example, v6 = example;
    v6.idiag_family = AF_INET6;
    inet_pton(AF_INET, "10.0.0.2", v4.id.idiag_dst);
    inet_pton(AF_INET6, "::ffff:10.0.0.2", v6.id.idiag_dst);
    struct datagram datagram = {.size = 0};
    add_socket(&datagram, 0, &v4, &example_info, sizeof example_info);
    add_socket(&datagram, 0, &v6, &example_info, sizeof example_info);
    struct sock_diag_reader reader;
    struct sock_diag_record first, second;
    sock_diag_reader_init(&reader, datagram.bytes, datagram.size, 0);
    assert_int_equal(sock_diag_next(&reader, &first), SOCK_DIAG_RECORD);
    assert_int_equal(sock_diag_next(&reader, &second), SOCK_DIAG_RECORD);
    assert_memory_equal(first.name.remote, second.name.remote, SOCK_ADDRESS_SIZE);
}

static void a_kernel_without_the_counters_is_not_taken_for_zero(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 8, offsetof(struct tcp_info, tcpi_bytes_sent),
        offsetof(struct tcp_info, tcpi_bytes_retrans)};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct datagram datagram = {.size = 0};
        add_socket(&datagram, 0, &example, &example_info, sizes[i]);
        struct sock_diag_reader reader;
        struct sock_diag_record record;
        sock_diag_reader_init(&reader, datagram.bytes, datagram.size, 0);
        assert_int_equal(sock_diag_next(&reader, &record), SOCK_DIAG_RECORD);
        assert_false(record.counted);
    }
}

static void answers_to_other_questions_are_skipped(void **state)
{
    (void)state;
    struct datagram datagram = {.size = 0};
    add_message(&datagram, NLMSG_DONE, 4, &(int){0}, sizeof(int));
    add_socket(&datagram, 4, &example, &example_info, sizeof example_info);
    add_message(&datagram, NLMSG_NOOP, 5, NULL, 0);
    add_message(&datagram, NLMSG_ERROR, 5, &(int){-ENOENT}, sizeof(int));
    struct sock_diag_reader reader;
    struct sock_diag_record record;
    sock_diag_reader_init(&reader, datagram.bytes, datagram.size, 5);
    assert_int_equal(sock_diag_next(&reader, &record), SOCK_DIAG_FAILED);
    assert_int_equal(reader.code, ENOENT);
}

static void an_interrupted_dump_is_noticed(void **state)
{
    (void)state;
    struct datagram datagram = {.size = 0};
    add_message(&datagram, NLMSG_DONE, 5, &(int){0}, sizeof(int));
    struct nlmsghdr header;
    memcpy(&header, datagram.bytes, sizeof header);
    header.nlmsg_flags = NLM_F_MULTI | NLM_F_DUMP_INTR;
    memcpy(datagram.bytes, &header, sizeof header);
    struct sock_diag_reader reader;
    struct sock_diag_record record;
    sock_diag_reader_init(&reader, datagram.bytes, datagram.size, 5);
    assert_int_equal(sock_diag_next(&reader, &record), SOCK_DIAG_DONE);
    assert_true(reader.interrupted);
}

static void broken_lengths_end_the_reading(void **state)
{
    (void)state;
    static const struct {
        size_t offset; /* of a 16-bit length in the datagram of one socket */
        uint16_t value;
    } cases[] = {
        {0, 0}, {0, NLMSG_HDRLEN - 1}, {0, NLMSG_HDRLEN}, {0, 50}, {0, 0xffff},
        {NLMSG_HDRLEN + sizeof(struct inet_diag_msg), 0},
        {NLMSG_HDRLEN + sizeof(struct inet_diag_msg), 3},
        {NLMSG_HDRLEN + sizeof(struct inet_diag_msg), 0xffff},
        {NLMSG_HDRLEN, 77}, /* an address family that is none */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct datagram datagram = {.size = 0};
        add_socket(&datagram, 0, &example, &example_info, sizeof example_info);
        memcpy(datagram.bytes + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        struct sock_diag_reader reader;
        struct sock_diag_record record;
        sock_diag_reader_init(&reader, datagram.bytes, datagram.size, 0);
        assert_int_equal(sock_diag_next(&reader, &record), SOCK_DIAG_BROKEN);
    }
}

/* Each prefix lies in memory of exactly its size, so that ASan sees what goes beyond. */
static void every_cut_is_survived(void **state)
{
    (void)state;
    struct datagram datagram = {.size = 0};
    add_socket(&datagram, 0, &example, &example_info, sizeof example_info);
    add_message(&datagram, NLMSG_DONE, 0, &(int){0}, sizeof(int));
    for (size_t size = 0; size <= datagram.size; size++) {
        uint8_t *cut = malloc(size ? size : 1);
        memcpy(cut, datagram.bytes, size);
        struct sock_diag_reader reader;
        struct sock_diag_record record;
        sock_diag_reader_init(&reader, cut, size, 0);
        while (sock_diag_next(&reader, &record) == SOCK_DIAG_RECORD)
            continue;
        free(cut);
    }
}

static void a_fin_is_told_from_data(void **state)
{
    (void)state;
    static const struct {
        uint8_t socket_state;
        uint32_t unread;
        uint64_t sent, acked;
        enum sock_fin expected;
    } cases[] = {
        {SOCK_ESTABLISHED, 9, 10, 11, SOCK_FIN_NONE}, {SOCK_FIN_WAIT1, 0, 10, 11, SOCK_FIN_NONE},
        {SOCK_FIN_WAIT2, 0, 10, 12, SOCK_FIN_NONE}, {SOCK_CLOSE_WAIT, 0, 10, 11, SOCK_FIN_COUNTED},
        {SOCK_LAST_ACK, 0, 10, 11, SOCK_FIN_COUNTED}, {SOCK_CLOSING, 1, 10, 11, SOCK_FIN_COUNTED},
        {SOCK_CLOSE, 1, 10, 12, SOCK_FIN_COUNTED}, /* closed first, the FIN came to it */
        {SOCK_CLOSE, 0, 10, 12, SOCK_FIN_UNKNOWN},
        {SOCK_CLOSE, 100, 10, 11, SOCK_FIN_NONE}, /* aborted with data unread */
        {SOCK_CLOSE, 0, 10, 11, SOCK_FIN_NONE},   /* reset by the peer */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sock_diag_record record = {.state = cases[i].socket_state,
            .unread = cases[i].unread,
            .sent = cases[i].sent,
            .acked = cases[i].acked};
        assert_int_equal(sock_diag_fin(&record), cases[i].expected);
    }
    assert_int_equal(sock_diag_fin_from_leftover(NULL), SOCK_FIN_COUNTED);
    struct sock_diag_record leftover = {.state = SOCK_FIN_WAIT2};
    assert_int_equal(sock_diag_fin_from_leftover(&leftover), SOCK_FIN_NONE);
    leftover.state = SOCK_TIME_WAIT;
    assert_int_equal(sock_diag_fin_from_leftover(&leftover), SOCK_FIN_NONE);
    /* The port is in use again. */
    leftover = (struct sock_diag_record){.state = SOCK_ESTABLISHED, .counted = true};
    assert_int_equal(sock_diag_fin_from_leftover(&leftover), SOCK_FIN_COUNTED);
}

static void requests_with_all_ports_fit(void **state)
{
    (void)state;
    uint16_t ports[SOCK_DIAG_PORTS_MAX] = {0};
    uint8_t request[SOCK_DIAG_REQUEST_MAX];
    struct sock_filter filter[SOCK_DIAG_FILTER_MAX];
    for (size_t i = 0; i < SOCK_DIAG_PORTS_MAX; i++)
        ports[i] = (uint16_t)(5000 + i);
    size_t size = sock_diag_dump_request(request, 1, AF_INET, ports, SOCK_DIAG_PORTS_MAX);
    assert_in_range(size, 1, sizeof request);
    struct nlmsghdr header;
    memcpy(&header, request, sizeof header);
    assert_int_equal(header.nlmsg_len, size);
    size_t length = sock_diag_event_filter(filter, ports, SOCK_DIAG_PORTS_MAX);
    assert_in_range(length, 1, SOCK_DIAG_FILTER_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_is_read),
        cmocka_unit_test(a_mapped_ipv6_socket_has_the_ipv4_form),
        cmocka_unit_test(a_kernel_without_the_counters_is_not_taken_for_zero),
        cmocka_unit_test(answers_to_other_questions_are_skipped),
        cmocka_unit_test(an_interrupted_dump_is_noticed),
        cmocka_unit_test(broken_lengths_end_the_reading),
        cmocka_unit_test(every_cut_is_survived),
        cmocka_unit_test(a_fin_is_told_from_data),
        cmocka_unit_test(requests_with_all_ports_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
