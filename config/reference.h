/* What the reference of the configuration is written through: one walk of the field tables makes
 * the text of `config --reference` and the manual page stakeout.yaml(5). */
#ifndef CONFIG_REFERENCE_H
#define CONFIG_REFERENCE_H

#include <stdio.h>

enum reference_form { REFERENCE_TEXT, REFERENCE_ROFF };

struct reference {
    FILE *out;
    enum reference_form form;
};

/* A part of the page; the text has none. */
void reference_section(const struct reference *reference, const char *title);

/* What stands between top-level keys: the page has a heading for each. */
void reference_key(const struct reference *reference, const char *key);

/* Prose, as roff_layout (core/roff.h) takes it. */
void reference_prose(const struct reference *reference, const char *text);

/* A key and all that is said beside it, `what`; help below may be NULL. `path` is put before. */
void reference_entry(const struct reference *reference, const char *path, const char *key,
    const char *what, const char *help);

/* A line below an entry. */
void reference_note(const struct reference *reference, const char *text);

/* What holds without a key: lines that are shown as they are. */
void reference_default(const struct reference *reference, const char *text);

/* A metric; `prefix` is put before its name, `width` columns are kept free for it. */
void reference_metric(const struct reference *reference, const char *prefix, int width,
    const char *name, const char *unit, const char *help);

#endif
