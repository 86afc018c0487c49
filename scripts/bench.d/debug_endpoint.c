/* A debug endpoint that answers every request at once with the same small, whole profile, and is
 * fast enough not to be what is measured. Prints its URL and serves until it is ended. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>

/* proto/profile.proto: sample_type {cpu, nanoseconds}, the string table, duration_nanos. */
static const char profile[] = "\x0a\x04\x08\x01\x10\x02"
                              "\x32\x00"
                              "\x32\x03"
                              "cpu"
                              "\x32\x0b"
                              "nanoseconds"
                              "\x50\x80\x94\xeb\xdc\x03";

static size_t make_answer(char *answer, size_t room)
{
    char packed[256];
    z_stream stream = {.next_in = (Bytef *)profile,
        .avail_in = sizeof profile - 1,
        .next_out = (Bytef *)packed,
        .avail_out = sizeof packed};
    deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY); /* + 16: gzip */
    deflate(&stream, Z_FINISH);
    size_t head = (size_t)snprintf(answer, room,
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
        "Content-Length: %lu\r\nConnection: close\r\n\r\n",
        stream.total_out);
    memcpy(answer + head, packed, stream.total_out);
    deflateEnd(&stream);
    return head + stream.total_out;
}

static void serve(int client, const char *answer, size_t size)
{
    struct timeval patience = {.tv_sec = 1};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char request[4096];
    size_t used = 0;
    while (!memmem(request, used, "\r\n\r\n", 4)) {
        ssize_t got = read(client, request + used, sizeof request - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    (void)!send(client, answer, size, MSG_NOSIGNAL);
    close(client);
}

int main(void)
{
    char answer[1024];
    size_t size = make_answer(answer, sizeof answer);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 16) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) < 0) {
        perror("debug_endpoint");
        return 1;
    }
    printf("http://127.0.0.1:%d/debug/pprof\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0)
            serve(client, answer, size);
    }
}
