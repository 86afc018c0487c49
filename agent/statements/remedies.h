/* What to do about a refusal of PostgreSQL, of libpq, or of a pooler between them. */
#ifndef AGENT_STATEMENTS_REMEDIES_H
#define AGENT_STATEMENTS_REMEDIES_H

struct error;

enum { SQLSTATE_SIZE = 6 };

/* By the words of the message, else by its SQLSTATE, as a server may speak another language than
 * English. Both may be NULL. NULL: nothing is known. */
const char *remedies_find(const char *state, const char *message);

/* -1, and err: the message, which may be anybody's, as one line for a log and a terminal, and what
 * to do. */
int remedies_explain(struct error *err, const char *state, const char *message);

/* The SQLSTATE in a message of libpq's about a connection that was refused, where there is no
 * other way to it: "...: FATAL:  28P01: password authentication failed ..." (PQERRORS_VERBOSE).
 * NULL: there is none. */
const char *remedies_state_of(const char *message, char state[SQLSTATE_SIZE]);

/* Of a message with a line for each address and way that was tried (localhost is two, TLS and none
 * are two): the first in which a server speaks, else the first. The caller frees. */
char *remedies_telling_line(const char *message);

#endif
