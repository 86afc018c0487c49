// Tournament is a small site for word game tournaments with a large problem: whenever a round
// starts, its CPU use goes through the roof. It is the service that stakeout's demo watches.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tournament/rounds"
	"tournament/stores"
	"tournament/web"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "`address` of the site")
	debug := flag.String("debug", "127.0.0.1:8001", "`address` of /debug/pprof")
	database := flag.String("database", "host=127.0.0.1 dbname=postgres sslmode=disable",
		"PostgreSQL connection `string`; an empty database is filled at start")
	every := flag.Duration("round", 20*time.Second, "`time` from one round to the next")
	games := flag.Int("games", 20, "`number` of games that start with every round")
	flag.Parse()
	log.SetFlags(log.Ltime)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	director := rounds.Director{Every: *every, Games: *games}
	if err := run(ctx, *listen, *debug, *database, director); err != nil {
		log.Fatal(err)
	}
}

// run serves until the context ends or something breaks.
func run(ctx context.Context, listen, debug, database string, director rounds.Director) error {
	store, err := stores.Open(ctx, database)
	if err != nil {
		return err
	}
	director.Site = web.NewSite(store)

	failed := make(chan error, 2)
	if err := serve(debug, debugPages(), failed); err != nil {
		return err
	}
	if err := serve(listen, director.Site, failed); err != nil {
		return err
	}
	log.Printf("tournament: site on http://%s, profiles on http://%s/debug/pprof/", listen, debug)

	go director.Run(ctx)
	go rounds.Visitors(ctx, listen)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// serve binds at once, so that a taken port is told at start, and then serves in the background.
func serve(address string, handler http.Handler, failed chan<- error) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:      handler,
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 40 * time.Second, // longer than any profile that is asked for
	}
	go func() { failed <- server.Serve(listener) }()
	return nil
}

func debugPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
