# The figures of analysing and showing what was caught; part of scripts/bench, which has what they use.
# shellcheck shell=bash

bench_review() {
    say "review: 10,000 incidents in a folder"
    "$python" "$tools/incidents.py" "$work/incidents" 10000
    read -r first all rss < <("$python" "$tools/review.py" "$stakeout" "$work/incidents")
    figure "review: from the start to the first page" "$first" ms 300
    figure "review: until all 10,000 are read" "$all" ms
    figure "review: RSS then" "$rss" kB
    rm -r "$work/incidents"
}

bench_list() {
    local all day lists gets review early late
    say "list: a bucket of 100,000 incidents, 20 ms an answer"
    read -r all day lists gets review early late < <("$python" "$tools/list.py" "$stakeout" \
        "$root/tests/e2e/many_store.py" 10000)
    figure "list: to the first row of 100,000" "$all" ms 1000
    figure "list: to the first row of the last day's" "$day" ms 1000
    figure "list: LIST requests for the last day's" "$lists" '' 6
    figure "list: GET requests for the last day's 144" "$gets" '' 145
    figure "list: RSS" "$late" kB 30000
    figure "list: RSS that 9,000 more rows take" "$((late - early))" kB 500
    figure "list: to the first page of review" "$review" ms 1000
}

# The decoder on its own, with libdeflate if the program has it.
compile_decode() {
    local deflate=()
    ! pkg-config --exists libdeflate || deflate=(-DSTAKEOUT_LIBDEFLATE -ldeflate)
    compile decode -I"$root" "$tools/decode.c" "$root"/review/profile/*.c "$root"/core/{alloc,buf,error,fs}.c \
        "${deflate[@]}" -lz -lm >>"$out/build.log" 2>&1 ||
        { cat "$out/build.log" >&2; fail "the build failed"; }
}

bench_profiles() {
    local inflated decoded ours pprofs
    compile_decode
    say "profiles: writing one"
    "$python" "$tools/large_profile.py" "$work/large" 1
    read -r inflated decoded < <("$out/decode" "$work/large" 50)
    figure "profiles: zlib's inflate alone" "$inflated" ms
    figure "profiles: decoding" "$decoded" ms
    figure "profiles: decoding, times the inflate" "$(calc "$decoded / $inflated")" times 1.5
    read -r pprofs ours < <("$python" "$tools/cpu_times.py" 15 go tool pprof -top "$work/large" -- \
        "$stakeout" top "$work/large")
    figure "profiles: CPU of go tool pprof -top" "$pprofs" ms
    figure "profiles: CPU of stakeout top" "$ours" ms
    figure "profiles: top, a share of pprof's CPU" "$(calc "100 * $ours / $pprofs")" % 2.857
    rm "$work/large"
}

bench_report() {
    local took cpu peak
    "$python" "$tools/large_incident.py" "$work/incident" 10
    read -r took cpu peak < <("$python" "$tools/timed.py" "$stakeout" report --memory 200MiB "$work/incident")
    grep -q flame-graph "$work/incident/report.html" || fail "the report has no flame graph"
    figure "report of a 10 MB profile: time" "$took" s 2
    figure "report of a 10 MB profile: CPU" "$cpu" s
    figure "report of a 10 MB profile: largest RSS" "$peak" kB 200000
}
