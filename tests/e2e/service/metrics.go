package main

import (
	"fmt"
	"net/http"
	"runtime"
	"sort"
	"strconv"
	"sync"
)

var (
	counting sync.Mutex
	requests = map[int]int{http.StatusOK: 0}
)

// Answers with the status that is asked for, and counts it.
func answer(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.FormValue("code"))
	if err != nil {
		code = http.StatusOK
	}
	counting.Lock()
	requests[code]++
	counting.Unlock()
	w.WriteHeader(code)
}

// What Prometheus' client library for Go would say of it, with the same names.
func metrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprintln(w, "# HELP go_goroutines Number of goroutines that currently exist.")
	fmt.Fprintln(w, "# TYPE go_goroutines gauge")
	fmt.Fprintln(w, "go_goroutines", runtime.NumGoroutine())
	counting.Lock()
	defer counting.Unlock()
	codes := []int{}
	for code := range requests {
		codes = append(codes, code)
	}
	sort.Ints(codes)
	fmt.Fprintln(w, "# HELP http_requests_total Requests by status.")
	fmt.Fprintln(w, "# TYPE http_requests_total counter")
	for _, code := range codes {
		fmt.Fprintf(w, "http_requests_total{code=\"%d\",path=\"/answer\"} %d\n", code, requests[code])
	}
}

func serveMetrics(mux *http.ServeMux) {
	mux.HandleFunc("/answer", answer)
	mux.Handle("/metrics", guarded(http.HandlerFunc(metrics)))
}
