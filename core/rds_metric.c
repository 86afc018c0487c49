#include "core/rds_metric.h"

#include <string.h>

const struct metric rds_metrics[] = {
    {"CPUUtilization", UNIT_PERCENT, "CPU use"},
    {"DatabaseConnections", UNIT_COUNT, "client connections"},
    {"FreeableMemory", UNIT_BYTES, "memory that is free or can be freed"},
    {"NetworkReceiveThroughput", UNIT_RATE, "bytes received, replication included"},
    {"NetworkTransmitThroughput", UNIT_RATE, "bytes sent, replication included"},
    {"ReadIOPS", UNIT_COUNT, "reads from disk a second"},
    {"WriteIOPS", UNIT_COUNT, "writes to disk a second"},
    {"ReadLatency", UNIT_SECONDS, "mean time of a read from disk"},
    {"WriteLatency", UNIT_SECONDS, "mean time of a write to disk"},
    {"DiskQueueDepth", UNIT_COUNT, "reads and writes that wait for the disk"},
    {"ReadThroughput", UNIT_RATE, "bytes read from disk"},
    {"WriteThroughput", UNIT_RATE, "bytes written to disk"},
    {"FreeStorageSpace", UNIT_BYTES, "free storage"},
    {"FreeLocalStorage", UNIT_BYTES, "free storage of the instance itself (Aurora)"},
    {"SwapUsage", UNIT_BYTES, "swap in use"},
    {"BurstBalance", UNIT_PERCENT, "burst credits of gp2 storage that are left"},
    {"CPUCreditBalance", UNIT_COUNT, "CPU credits that are left (burstable classes)"},
    {"CPUCreditUsage", UNIT_COUNT, "CPU credits that are spent (burstable classes)"},
    {"CheckpointLag", UNIT_SECONDS, "time since the newest checkpoint (PostgreSQL)"},
    {"ConnectionAttempts", UNIT_COUNT, "attempts to connect (MySQL)"},
    {"MaximumUsedTransactionIDs", UNIT_COUNT, "transaction ids in use (PostgreSQL)"},
    {"OldestReplicationSlotLag", UNIT_BYTES, "WAL that the slowest replica lacks (PostgreSQL)"},
    {"ReplicaLag", UNIT_SECONDS, "how far a read replica is behind"},
    {"TransactionLogsDiskUsage", UNIT_BYTES, "disk space of transaction logs (PostgreSQL)"},
    {"TransactionLogsGeneration", UNIT_RATE, "bytes of transaction logs written (PostgreSQL)"},
    {"DBLoad", UNIT_COUNT, "mean active sessions (Performance Insights)"},
    {"DBLoadCPU", UNIT_COUNT, "mean active sessions on the CPU (Performance Insights)"},
    {"DBLoadNonCPU", UNIT_COUNT, "mean active sessions that wait (Performance Insights)"},
    {"ACUUtilization", UNIT_PERCENT, "share of the capacity limit (Aurora Serverless)"},
    {"ServerlessDatabaseCapacity", UNIT_COUNT, "capacity units (Aurora Serverless)"},
    {"BufferCacheHitRatio", UNIT_PERCENT, "requests that the buffer cache serves (Aurora)"},
    {"CommitThroughput", UNIT_COUNT, "commits a second (Aurora)"},
    {"Deadlocks", UNIT_COUNT, "deadlocks a second (Aurora)"},
    {"NetworkThroughput", UNIT_RATE, "bytes from and to clients (Aurora)"},
    {"StorageNetworkReceiveThroughput", UNIT_RATE, "bytes from the storage (Aurora)"},
    {"StorageNetworkTransmitThroughput", UNIT_RATE, "bytes to the storage (Aurora)"},
    {NULL, UNIT_NONE, NULL},
};
const size_t rds_metrics_usual = 10;

const struct metric *rds_metric_find(const char *name)
{
    for (const struct metric *metric = rds_metrics; metric->name; metric++)
        if (!strcmp(metric->name, name))
            return metric;
    return NULL;
}

bool rds_metric_is_series(const char *series)
{
    return !strncmp(series, "rds.", 4) && series[4];
}

const char *rds_metric_of_series(const char *series)
{
    return strrchr(series, '.') + 1;
}
