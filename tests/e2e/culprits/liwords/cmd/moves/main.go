// Analyses positions.
package main

import (
	"fmt"
	"net/http"
	"sync"

	"liwords/pkg/movegen"
	"liwords/pkg/server"
)

func main() {
	var mu sync.Mutex
	generator := movegen.New("AEINRST", 6)
	analyse := func(racks ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			for _, rack := range racks {
				fmt.Fprintln(w, rack, generator.Moves(rack))
			}
		}
	}
	server.Run(map[string]http.HandlerFunc{"/move": analyse("AEI"),
		"/analysis": analyse("AEINRST", "AAEINRST", "AEIINRRST", "AEINRSTAEINRST")})
}
