/* The log: one line a record on standard error, as logfmt or JSON. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Process-wide, like standard error itself. Until it is called: info, logfmt. */
void log_setup(enum log_level level, enum log_format format);
/* The format that log_setup was given; -1 when it was not called. May be called from a signal
 * handler. */
int log_chosen_format(void);

bool log_enabled(enum log_level level);

/* One record with the current time; text that does not fit 1,000 bytes is cut. Safe from any
 * thread. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
