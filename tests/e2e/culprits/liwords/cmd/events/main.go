// Pages that watch games open and go away.
package main

import (
	"fmt"
	"net/http"

	"liwords/pkg/events"
	"liwords/pkg/server"
)

func main() {
	hub := events.NewHub()
	watch := func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < 50; i++ {
			fmt.Fprintln(w, hub.Watch(func(string) {}))
		}
	}
	server.Run(map[string]http.HandlerFunc{"/watch": watch})
}
