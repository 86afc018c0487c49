# The figure `metrics`: an own metric's page of 5 MB every second, beside the same agent without it.
# A part of scripts/bench.

# metrics_cpu_us: CPU of the agent that runs, a tick.
metrics_cpu_us() {
    local before
    pause 3 # for its start
    before=$(cpu_ns "$agent")
    pause "$seconds"
    calc "($(cpu_ns "$agent") - $before) / $seconds / 1e3"
}

metrics_agent() {
    start_agent "$1" <<END
app: {debug: "http://127.0.0.1:9/debug/pprof", container: none}
source: cgroup
export: {directory: $work/incidents}
$2
END
}

bench_metrics() {
    local page input with without without_kb
    mkfifo "$work/page-input"
    "$python" "$tools/metrics_page.py" >"$work/page" <"$work/page-input" &
    children+=($!)
    exec {input}>"$work/page-input"
    wait_until 10 "the metrics page" test -s "$work/page"
    page=$(<"$work/page")
    say "metrics: 5 MB every second, for $seconds s, and as long without"
    metrics_agent without ""
    without=$(metrics_cpu_us) without_kb=$(memory_kb "$agent" Rss)
    end "$agent"
    metrics_agent with "metrics:
  goroutines: {prometheus: \"$page\", series: go_goroutines}
  errors: {prometheus: \"$page\", series: 'http_requests_total{code=\"500\"}'}
  calls: {prometheus: \"$page\", series: 'http_request_duration_seconds_count{handler=\"/api/7\"}'}"
    with=$(metrics_cpu_us)
    figure "metrics: CPU for a page of 5 MB" "$(calc "($with - $without) / 1e3")" ms 5
    figure "metrics: RSS more than without" $(($(memory_kb "$agent" Rss) - without_kb)) kB 512
    exec {input}>&-
    end_children
}
