// Package web puts a shop's handlers on a port, with those that every shop has.
package web

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"

	"example.org/shop/internal/cart"
	"example.org/shop/internal/search"
)

// Server routes requests by the first element of their path.
type Server struct {
	routes map[string]http.HandlerFunc
	hits   map[string]int
	count  chan string
}

// New makes a server with the shop's common pages and these.
func New(routes map[string]http.HandlerFunc) *Server {
	server := &Server{routes: routes, hits: map[string]int{}, count: make(chan string, 64)}
	products := search.NewIndex(2000)
	routes["/search"] = products.Handle
	routes["/cart"] = cart.Handle
	go server.tally()
	return server
}

func (s *Server) tally() {
	for path := range s.count {
		s.hits[path]++
	}
}

// ServeHTTP finds the page.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.count <- r.URL.Path:
	default:
	}
	page, ok := s.routes[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	page(w, r)
}

// Run serves until the end, and says on which port.
func (s *Server) Run() {
	mux := http.NewServeMux()
	mux.Handle("/", s)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, mux))
}
