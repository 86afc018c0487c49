/* What operators can ask a running agent: GET /healthz, /status (JSON), /metrics (Prometheus),
 * /capture/ID; POST /capture. On the Unix socket in the state folder, and on `listen`. */
#ifndef AGENT_CONTROL_CONTROL_H
#define AGENT_CONTROL_CONTROL_H

struct agent;
struct control;

/* What cannot be listened on is logged and tried again every 10 s. */
struct control *control_open(struct agent *agent);
void control_close(struct control *control);

/* The agent has another configuration of the same `state`; `listen` was this before, NULL: off. */
void control_reload(struct control *control, const char *listen_before);

/* The socket's path below a state folder; the caller frees. */
char *control_socket_path(const char *state);

#endif
