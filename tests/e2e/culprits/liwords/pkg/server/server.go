// Package server is what every service of liwords has in common: the debug endpoint, the lobby, and
// the middleware in front of all.
package server

import (
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"time"

	"liwords/pkg/lobby"
	"liwords/pkg/sessions"
	"liwords/pkg/words"
)

type timings struct {
	next  http.Handler
	spent chan time.Duration
}

// ServeHTTP notes how long each request takes.
func (t *timings) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	t.next.ServeHTTP(w, r)
	select {
	case t.spent <- time.Since(start):
	default:
	}
}

func authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.Header.Get("X-Session"); token != "" && !sessions.Valid(token) {
			http.Error(w, "log in again", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Run serves the handlers beside the lobby, and says on which port.
func Run(handlers map[string]http.HandlerFunc) {
	mux := http.NewServeMux()
	hall := lobby.New(300)
	dictionary := words.Load(20000)
	mux.HandleFunc("/lobby", hall.List)
	mux.HandleFunc("/word", dictionary.Look)
	mux.HandleFunc("/login", sessions.Login)
	for path, handler := range handlers {
		mux.HandleFunc(path, handler)
	}
	front := &timings{next: authenticated(mux), spent: make(chan time.Duration, 16)}
	root := http.NewServeMux()
	root.Handle("/", front)
	root.Handle("/debug/pprof/", http.DefaultServeMux)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, root))
}
