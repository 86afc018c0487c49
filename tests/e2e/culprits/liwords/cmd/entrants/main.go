// Lists who plays in a tournament, from the database.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"liwords/pkg/server"
	"liwords/pkg/stores/tournament"
)

func main() {
	store, err := tournament.Open(os.Getenv("DATABASE"))
	if err != nil {
		log.Fatal(err)
	}
	count := func(w http.ResponseWriter, _ *http.Request) {
		count, err := store.Count("round7")
		fmt.Fprintln(w, count, err)
	}
	list := func(w http.ResponseWriter, _ *http.Request) {
		names, err := store.Entrants("")
		fmt.Fprintln(w, len(names), err)
	}
	server.Run(map[string]http.HandlerFunc{"/count": count, "/entrants": list})
}
