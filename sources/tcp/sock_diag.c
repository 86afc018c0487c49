#include "sources/tcp/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const uint32_t wanted_states = 1U << SOCK_ESTABLISHED | 1U << SOCK_SYN_SENT |
                                      1U << SOCK_FIN_WAIT1 | 1U << SOCK_FIN_WAIT2 |
                                      1U << SOCK_CLOSE_WAIT | 1U << SOCK_LAST_ACK |
                                      1U << SOCK_CLOSING;

/* Adds one comparison of the destination port: two slots, the second holds the port. Where it does
 * not hold, it goes on `otherwise` bytes further. */
static struct inet_diag_bc_op *add_comparison(
    struct inet_diag_bc_op *at, unsigned char code, uint16_t port, size_t otherwise)
{
    at[0] = (struct inet_diag_bc_op){
        .code = code, .yes = 2 * sizeof *at, .no = (unsigned short)otherwise};
    at[1] = (struct inet_diag_bc_op){.no = port};
    return at + 2;
}

/* "to port A, or to port B, ...". A port's block is five slots: two comparisons, and a jump to the
 * end, where the socket is accepted; a last jump would be to the next slot and is left out, so that
 * the way on after the last block ends one slot beyond the end: rejected. D_GE with D_LE, as D_EQ
 * came only with Linux 5.12. */
static size_t build_bytecode(struct inet_diag_bc_op *code, const uint16_t *ports, size_t count)
{
    const size_t slot = sizeof *code;
    struct inet_diag_bc_op *at = code;
    for (size_t i = 0; i < count; i++) {
        at = add_comparison(at, INET_DIAG_BC_D_GE, ports[i], 5 * slot);
        at = add_comparison(at, INET_DIAG_BC_D_LE, ports[i], 3 * slot);
        size_t blocks_left = count - i - 1;
        if (blocks_left > 0)
            *at++ = (struct inet_diag_bc_op){.code = INET_DIAG_BC_JMP,
                .yes = (unsigned char)slot,
                .no = (unsigned short)(5 * blocks_left * slot)};
    }
    return (size_t)(at - code) * slot;
}

/* Both forms of a dump request; returns the body's size. */
static size_t build_body(uint8_t *body, int family)
{
    if (family == AF_UNSPEC) {
        struct inet_diag_req both = {
            .idiag_ext = 1U << (INET_DIAG_INFO - 1), .idiag_states = wanted_states};
        memcpy(body, &both, sizeof both);
        return sizeof both;
    }
    struct inet_diag_req_v2 one = {
        .sdiag_family = (uint8_t)family,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_ext = 1U << (INET_DIAG_INFO - 1),
        .idiag_states = wanted_states,
    };
    memcpy(body, &one, sizeof one);
    return sizeof one;
}

size_t sock_diag_dump_request(uint8_t request[SOCK_DIAG_REQUEST_MAX], uint32_t sequence, int family,
    const uint16_t *ports, size_t port_count)
{
    struct inet_diag_bc_op code[5 * SOCK_DIAG_PORTS_MAX];
    size_t code_size = build_bytecode(code, ports, port_count);
    size_t body_size = build_body(request + NLMSG_HDRLEN, family);
    struct rtattr filter = {
        .rta_len = (unsigned short)RTA_LENGTH(code_size), .rta_type = INET_DIAG_REQ_BYTECODE};
    struct nlmsghdr header = {
        .nlmsg_len = (uint32_t)(NLMSG_LENGTH(body_size) + RTA_LENGTH(code_size)),
        .nlmsg_type = family == AF_UNSPEC ? TCPDIAG_GETSOCK : SOCK_DIAG_BY_FAMILY,
        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
        .nlmsg_seq = sequence,
    };
    memcpy(request, &header, sizeof header);
    uint8_t *at = request + NLMSG_LENGTH(body_size);
    memcpy(at, &filter, sizeof filter);
    memcpy(at + RTA_LENGTH(0), code, code_size);
    return header.nlmsg_len;
}

/* Our form of an address to the kernel's, and back. */
static void address_to_kernel(__be32 to[4], int family, const uint8_t from[SOCK_ADDRESS_SIZE])
{
    memset(to, 0, SOCK_ADDRESS_SIZE);
    if (family == AF_INET)
        memcpy(to, from + 12, 4);
    else
        memcpy(to, from, SOCK_ADDRESS_SIZE);
}

static void address_from_kernel(uint8_t to[SOCK_ADDRESS_SIZE], int family, const __be32 from[4])
{
    if (family == AF_INET) {
        memset(to, 0, 10);
        memset(to + 10, 0xff, 2);
        memcpy(to + 12, from, 4);
    } else {
        memcpy(to, from, SOCK_ADDRESS_SIZE);
    }
}

size_t sock_diag_find_request(uint8_t request[SOCK_DIAG_REQUEST_MAX], uint32_t sequence,
    const struct sock_name *name, uint64_t cookie)
{
    struct inet_diag_req_v2 body = {
        .sdiag_family = name->family,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_ext = 1U << (INET_DIAG_INFO - 1),
        .idiag_states = UINT32_MAX,
        .id = {.idiag_sport = htons(name->local_port),
            .idiag_dport = htons(name->remote_port),
            .idiag_if = name->interface,
            .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
    };
    if (cookie) {
        body.id.idiag_cookie[0] = (uint32_t)cookie;
        body.id.idiag_cookie[1] = (uint32_t)(cookie >> 32);
    }
    address_to_kernel(body.id.idiag_src, name->family, name->local);
    address_to_kernel(body.id.idiag_dst, name->family, name->remote);
    struct nlmsghdr header = {
        .nlmsg_len = (uint32_t)NLMSG_LENGTH(sizeof body),
        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
        .nlmsg_flags = NLM_F_REQUEST,
        .nlmsg_seq = sequence,
    };
    memcpy(request, &header, sizeof header);
    memcpy(request + NLMSG_HDRLEN, &body, sizeof body);
    return header.nlmsg_len;
}

size_t sock_diag_event_filter(
    struct sock_filter filter[SOCK_DIAG_FILTER_MAX], const uint16_t *ports, size_t port_count)
{
    const uint32_t port_offset = NLMSG_HDRLEN + offsetof(struct inet_diag_msg, id) +
                                 offsetof(struct inet_diag_sockid, idiag_dport);
    size_t length = 0;
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, port_offset);
    filter[length++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)(port_count + 1), 0);
    for (size_t i = 0; i < port_count; i++)
        filter[length++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, ports[i], (uint8_t)(port_count - i), 0);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    return length;
}

void sock_diag_reader_init(
    struct sock_diag_reader *reader, const void *data, size_t size, uint32_t sequence)
{
    *reader = (struct sock_diag_reader){.at = data, .left = size, .sequence = sequence};
}

/* tcp_info grows with the kernel: what is there is taken, an older one's end is missing. */
static void read_info(struct sock_diag_record *record, const uint8_t *data, size_t size)
{
    struct tcp_info info = {0};
    if (size < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof info.tcpi_bytes_retrans)
        return;
    memcpy(&info, data, size < sizeof info ? size : sizeof info);
    record->counted = true;
    record->received = info.tcpi_bytes_received;
    record->acked = info.tcpi_bytes_acked;
    record->sent = info.tcpi_bytes_sent > info.tcpi_bytes_retrans
                       ? info.tcpi_bytes_sent - info.tcpi_bytes_retrans
                       : 0;
    record->rtt_us = info.tcpi_rtt;
    record->data_sent_ms = info.tcpi_last_data_sent;
    record->data_received_ms = info.tcpi_last_data_recv;
}

/* False when an attribute reaches beyond the message. */
static bool read_attributes(struct sock_diag_record *record, const uint8_t *at, size_t left)
{
    while (left >= sizeof(struct rtattr)) {
        struct rtattr attribute;
        memcpy(&attribute, at, sizeof attribute);
        if (attribute.rta_len < RTA_LENGTH(0) || attribute.rta_len > left)
            return false;
        if (attribute.rta_type == INET_DIAG_INFO)
            read_info(record, at + RTA_LENGTH(0), attribute.rta_len - RTA_LENGTH(0));
        size_t step = RTA_ALIGN((size_t)attribute.rta_len);
        if (step >= left)
            return true;
        at += step;
        left -= step;
    }
    return true;
}

static bool read_record(struct sock_diag_record *record, const uint8_t *body, size_t size)
{
    struct inet_diag_msg message;
    if (size < sizeof message)
        return false;
    memcpy(&message, body, sizeof message);
    if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6)
        return false;
    *record = (struct sock_diag_record){
        .cookie = (uint64_t)message.id.idiag_cookie[1] << 32 | message.id.idiag_cookie[0],
        .name = {.family = message.idiag_family,
            .interface = message.id.idiag_if,
            .local_port = ntohs(message.id.idiag_sport),
            .remote_port = ntohs(message.id.idiag_dport)},
        .state = message.idiag_state,
        .unread = message.idiag_rqueue,
    };
    address_from_kernel(record->name.local, message.idiag_family, message.id.idiag_src);
    address_from_kernel(record->name.remote, message.idiag_family, message.id.idiag_dst);
    size_t start = NLMSG_ALIGN(sizeof message);
    return size <= start || read_attributes(record, body + start, size - start);
}

/* NLMSG_DONE and NLMSG_ERROR both begin with a negative errno, or 0. */
static int read_code(const uint8_t *body, size_t size)
{
    int code = 0;
    if (size >= sizeof code)
        memcpy(&code, body, sizeof code);
    if (code < -4095 || code > 0)
        return EPROTO;
    return -code;
}

enum sock_diag_item sock_diag_next(struct sock_diag_reader *reader, struct sock_diag_record *record)
{
    while (reader->left >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr header;
        memcpy(&header, reader->at, sizeof header);
        if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > reader->left)
            return SOCK_DIAG_BROKEN;
        const uint8_t *body = reader->at + NLMSG_HDRLEN;
        size_t size = header.nlmsg_len - NLMSG_HDRLEN;
        size_t step = NLMSG_ALIGN((size_t)header.nlmsg_len);
        if (step > reader->left)
            step = reader->left;
        reader->at += step;
        reader->left -= step;
        if (header.nlmsg_seq != reader->sequence)
            continue;
        if (header.nlmsg_flags & NLM_F_DUMP_INTR)
            reader->interrupted = true;
        if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY || header.nlmsg_type == TCPDIAG_GETSOCK)
            return read_record(record, body, size) ? SOCK_DIAG_RECORD : SOCK_DIAG_BROKEN;
        if (header.nlmsg_type != NLMSG_DONE && header.nlmsg_type != NLMSG_ERROR)
            continue;
        reader->code = read_code(body, size);
        if (reader->code || header.nlmsg_type == NLMSG_ERROR)
            return SOCK_DIAG_FAILED;
        return SOCK_DIAG_DONE;
    }
    return SOCK_DIAG_END;
}

enum sock_fin sock_diag_fin(const struct sock_diag_record *record)
{
    switch (record->state) {
    case SOCK_CLOSE_WAIT:
    case SOCK_LAST_ACK:
    case SOCK_CLOSING:
        return SOCK_FIN_COUNTED;
    case SOCK_CLOSE:
        break;
    default:
        return SOCK_FIN_NONE;
    }
    /* Our own SYN and FIN acknowledged: an orderly close, in which no data was left unread. */
    bool orderly = record->acked >= record->sent + 2;
    if (!orderly)
        return SOCK_FIN_NONE;
    return record->unread > 0 ? SOCK_FIN_COUNTED : SOCK_FIN_UNKNOWN;
}

enum sock_fin sock_diag_fin_from_leftover(const struct sock_diag_record *leftover)
{
    bool waiting = leftover && !leftover->counted &&
                   (leftover->state == SOCK_TIME_WAIT || leftover->state == SOCK_FIN_WAIT2);
    return waiting ? SOCK_FIN_NONE : SOCK_FIN_COUNTED;
}
