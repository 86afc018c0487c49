// The service that the end-to-end tests watch: a real Go program with net/http/pprof, whose debug
// endpoint can be as awkward as those of real services.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	listen       = flag.String("listen", "127.0.0.1:0", "address")
	writeTimeout = flag.Duration("write-timeout", 0, "the server's WriteTimeout")
	profiles     = flag.String("profiles", "profile,heap,goroutine,allocs,trace,block",
		"the paths that exist below /debug/pprof/")
	login = flag.String("login", "", "the Authorization header that the debug endpoint wants")
)

var (
	keeping sync.Mutex
	kept    [][]byte
)

// DecodeRematches is what burns the CPU; tests look for its name in profiles.
//
//go:noinline
func DecodeRematches(until time.Time) uint64 {
	sum := uint64(1)
	for time.Now().Before(until) {
		for i := 0; i < 100000; i++ {
			sum = sum*6364136223846793005 + 1442695040888963407
		}
	}
	return sum
}

func duration(r *http.Request) time.Duration {
	d, err := time.ParseDuration(r.FormValue("for"))
	if err != nil {
		return time.Second
	}
	return d
}

// Answers at once; the work goes on.
func burn(w http.ResponseWriter, r *http.Request) {
	until := time.Now().Add(duration(r))
	go DecodeRematches(until)
	fmt.Fprintln(w, "burning")
}

//go:noinline
func keepGames(bytes int) {
	block := make([]byte, bytes)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	keeping.Lock()
	defer keeping.Unlock()
	kept = append(kept, block)
}

type move struct {
	previous *move
	board    [14]int64
}

var moves *move

// The same as many small objects, which cost the collector more.
//
//go:noinline
func keepMoves(bytes int) {
	keeping.Lock()
	defer keeping.Unlock()
	for i := 0; i < bytes/128; i++ {
		moves = &move{previous: moves}
	}
}

func grow(w http.ResponseWriter, r *http.Request) {
	var mb int
	fmt.Sscan(r.FormValue("mb"), &mb)
	keepGames(mb << 20)
	fmt.Fprintln(w, "grown")
}

func number(r *http.Request, name string, otherwise int) int {
	n, err := strconv.Atoi(r.FormValue(name))
	if err != nil {
		return otherwise
	}
	return n
}

// What is gone at once, and only makes the collector's saw-tooth.
//
//go:noinline
func parseGames(bytes int) byte {
	block := make([]byte, bytes)
	for i := 0; i < len(block); i += 4096 {
		block[i] = byte(i)
	}
	return block[len(block)/2]
}

// Answers at once; `bytes` a step are kept for ever, in one block or in many; `garbage` are not.
func leak(w http.ResponseWriter, r *http.Request) {
	until := time.Now().Add(duration(r))
	bytes, garbage := number(r, "bytes", 1<<20), number(r, "garbage", 0)
	keep := keepGames
	if number(r, "small", 0) != 0 {
		keep = keepMoves
	}
	every := time.Duration(number(r, "every_ms", 50)) * time.Millisecond
	go func() {
		next := time.Now()
		for next.Before(until) {
			keep(bytes)
			if garbage > 0 {
				parseGames(garbage)
			}
			next = next.Add(every)
			time.Sleep(time.Until(next))
		}
	}()
	fmt.Fprintln(w, "leaking")
}

// Memory that no heap profile knows: an application's caches in C, for instance.
func mapMemory(w http.ResponseWriter, r *http.Request) {
	block, err := syscall.Mmap(-1, 0, number(r, "bytes", 1<<20), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	fmt.Fprintln(w, "mapped")
}

func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if *login != "" && r.Header.Get("Authorization") != *login {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func debugHandler(name string) http.Handler {
	if name == "goroutineleak" {
		provideLeakProfile()
	}
	switch name {
	case "profile":
		return http.HandlerFunc(pprof.Profile)
	case "trace":
		return http.HandlerFunc(pprof.Trace)
	default:
		return pprof.Handler(name)
	}
}

func main() {
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("/burn", burn)
	mux.HandleFunc("/grow", grow)
	mux.HandleFunc("/leak", leak)
	mux.HandleFunc("/map", mapMemory)
	serveOtherProfiles(mux)
	serveMetrics(mux)
	for _, name := range strings.Split(*profiles, ",") {
		if name != "" {
			mux.Handle("/debug/pprof/"+name, guarded(debugHandler(name)))
		}
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: mux, WriteTimeout: *writeTimeout}
	log.Fatal(server.Serve(listener))
}
