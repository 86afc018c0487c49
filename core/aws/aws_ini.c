#include "core/aws/aws_ini.h"

#include "core/alloc.h"
#include "core/error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ENTRIES = 10000 };

/* Spaces at both ends do not count. */
struct piece {
    const char *text;
    size_t size;
};

static struct piece trim(const char *text, size_t size)
{
    while (size > 0 && isspace((unsigned char)*text)) {
        text++;
        size--;
    }
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        size--;
    return (struct piece){text, size};
}

/* A comment begins with # or ; at the line's start or after a space. */
static size_t before_comment(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((text[i] == '#' || text[i] == ';') && (i == 0 || isspace((unsigned char)text[i - 1])))
            return i;
    return size;
}

/* An entry without a key stands for a section that may be empty. */
static int add(struct aws_ini *ini, const char *section, struct piece key, struct piece value,
    struct error *err)
{
    if (ini->count == MAX_ENTRIES)
        return error_set(err, "it has more than %d settings", MAX_ENTRIES);
    ini->entries = xrealloc(ini->entries, ini->count + 1, sizeof *ini->entries);
    struct aws_ini_entry *entry = &ini->entries[ini->count++];
    *entry = (struct aws_ini_entry){
        xstrdup(section), xstrndup(key.text, key.size), xstrndup(value.text, value.size)};
    for (char *at = entry->key; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return 0;
}

struct reading {
    struct aws_ini *ini;
    char *section; /* NULL: none yet */
};

/* [profile "my own"] is [profile my own]: quotes do not count, nor how many spaces there are. */
static char *section_of(struct piece name)
{
    char *section = xstrndup(name.text, name.size), *to = section;
    for (const char *from = section; *from; from++) {
        bool space = isspace((unsigned char)*from);
        if (*from == '"' || *from == '\'' || (space && isspace((unsigned char)from[1])))
            continue;
        *to++ = space ? ' ' : *from;
    }
    *to = '\0';
    return section;
}

static int read_section(struct reading *reading, const char *line, size_t size, struct error *err)
{
    const char *end = memchr(line, ']', size);
    if (!end)
        return error_set(err, "the section has no ]");
    struct piece name = trim(line + 1, (size_t)(end - line) - 1);
    free(reading->section);
    reading->section = section_of(name);
    return add(reading->ini, reading->section, (struct piece){"", 0}, (struct piece){"", 0}, err);
}

static int read_line(struct reading *reading, const char *line, size_t size, struct error *err)
{
    bool indented = size > 0 && isspace((unsigned char)*line);
    struct piece content = trim(line, before_comment(line, size));
    if (content.size == 0 || indented)
        return 0;
    if (*content.text == '[')
        return read_section(reading, content.text, content.size, err);
    const char *equals = memchr(content.text, '=', content.size);
    if (!equals)
        return error_set(err, "there is neither a [section] nor \"key = value\"");
    if (!reading->section)
        return error_set(err, "the setting is in no [section]");
    size_t key_size = (size_t)(equals - content.text);
    return add(reading->ini, reading->section, trim(content.text, key_size),
        trim(equals + 1, content.size - key_size - 1), err);
}

int aws_ini_parse(struct aws_ini *ini, const char *text, size_t size, struct error *err)
{
    struct reading reading = {.ini = ini};
    int status = 0;
    if (memchr(text, '\0', size))
        return error_set(err, "it is no text");
    for (unsigned number = 1; size > 0 && status == 0; number++) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;
        status = read_line(&reading, text, length, err);
        if (status < 0)
            error_prefix(err, "line %u", number);
        size_t used = end ? length + 1 : length;
        text += used;
        size -= used;
    }
    free(reading.section);
    return status;
}

void aws_ini_free(struct aws_ini *ini)
{
    for (size_t i = 0; i < ini->count; i++) {
        free(ini->entries[i].section);
        free(ini->entries[i].key);
        free(ini->entries[i].value);
    }
    free(ini->entries);
    *ini = (struct aws_ini){0};
}

const char *aws_ini_get(const struct aws_ini *ini, const char *section, const char *key)
{
    for (size_t i = ini->count; i-- > 0;)
        if (!strcmp(ini->entries[i].section, section) && !strcmp(ini->entries[i].key, key))
            return ini->entries[i].value;
    return NULL;
}

bool aws_ini_has(const struct aws_ini *ini, const char *section)
{
    return aws_ini_get(ini, section, "") != NULL;
}
