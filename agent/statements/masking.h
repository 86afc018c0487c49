/* pg_stat_statements normalises queries, but keeps what is none as it was written: the password of
 * an ALTER ROLE, the connection of a CREATE SUBSCRIPTION, the body of a DO. */
#ifndef AGENT_STATEMENTS_MASKING_H
#define AGENT_STATEMENTS_MASKING_H

/* Puts ? in place of what stands between the quotes of literals, in place: 'x' becomes '?' and
 * $tag$x$tag$ becomes $$?$$. Comments and quoted names stay. The text may have been cut anywhere; a
 * literal without an end is masked to the end of the text.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html, with standard_conforming_strings
 * on, as it is since PostgreSQL 9.1. */
void masking_hide_literals(char *text);

/* The same, and puts ? in place of every number as well: for what nobody has normalised. What is a
 * part of a name stays, as do $1 and comments. */
void masking_hide_constants(char *text);

/* A statement's text as an incident has it: masked by one of these, and no longer than
 * incident_statement_text makes it. The caller frees it. */
char *masking_copy(const char *text, void (*masks)(char *text));

#endif
