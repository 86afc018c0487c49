// Exports games.
package main

import (
	"fmt"
	"net/http"

	"liwords/pkg/feed"
	"liwords/pkg/server"
)

func game(moves int) []feed.Event {
	events := make([]feed.Event, moves)
	for i := range events {
		events[i] = feed.Event{Nick: "cesar", Rack: "AEINRST", Word: "RETINAS", Score: 60 + i%20}
	}
	return events
}

func main() {
	export := func(events []feed.Event) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, len(feed.Render(events)))
		}
	}
	server.Run(map[string]http.HandlerFunc{"/game": export(game(20)), "/archive": export(game(4000))})
}
