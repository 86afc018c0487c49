/* The built-in metrics: names, units, and values as people read them. */
#ifndef CORE_METRIC_H
#define CORE_METRIC_H

enum unit { UNIT_NONE, UNIT_PERCENT, UNIT_CORES, UNIT_BYTES, UNIT_RATE, UNIT_COUNT, UNIT_SECONDS };

struct metric {
    const char *name; /* without the app's or the database's name */
    enum unit unit;
    const char *help;
};

/* The built-in metric of this exact name, or NULL. */
const struct metric *metric_find(const char *name);

/* The built-in metric that a series' name stands for: "api.cpu" is cpu of the app api,
 * "db.games.rtt" db.rtt of the database games, "rds.CPUUtilization" what core/rds_metric.h has by
 * that name. NULL when it is none. */
const struct metric *metric_of_series(const char *series);

/* All of them, ended by a NULL name. */
extern const struct metric metrics[];

enum { VALUE_TEXT_SIZE = 40 };

/* "93.1%", "1.25 cores", "61.0 MiB", "5.2 MB/s", "2 min 5 s" into text. Returns text. */
const char *metric_format(enum unit unit, double value, char text[VALUE_TEXT_SIZE]);

/* The same for a level that somebody chose, as short as it can be said: "80%", "20 MB/s", "10 s".
 * Up to 6 digits; bytes in whichever of MB and MiB is shorter. */
const char *metric_format_level(enum unit unit, double value, char text[VALUE_TEXT_SIZE]);

/* "%", "cores", "bytes", "bytes/s", "s", "" */
const char *unit_name(enum unit unit);

#endif
