/* What Amazon RDS tells CloudWatch, as series: "rds.CPUUtilization", or "rds.games.CPUUtilization"
 * of the database games. One sample a minute, minutes late. */
#ifndef CORE_RDS_METRIC_H
#define CORE_RDS_METRIC_H

#include "core/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The time between two samples, and how late one is to be expected at the worst. */
enum { RDS_PERIOD_MS = 60000, RDS_LATE_MS = 300000 };

/* Those whose meaning is known here, in the order in which they are listed, ended by a NULL name;
 * names are CloudWatch's, without "rds.". The first `rds_metrics_usual` are what is fetched when
 * nobody says otherwise.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
 */
extern const struct metric rds_metrics[];
extern const size_t rds_metrics_usual;

/* The known one of CloudWatch's name, or NULL. */
const struct metric *rds_metric_find(const char *name);

/* Whether a series is one of these, and CloudWatch's name in it (for such a one). */
bool rds_metric_is_series(const char *series);
const char *rds_metric_of_series(const char *series);

#endif
