// Shows games from the cache.
package main

import (
	"fmt"
	"net/http"
	"time"

	"liwords/pkg/cache"
	"liwords/pkg/server"
	"liwords/pkg/stores/game"
)

var archive *game.DBStore

func main() {
	archive = game.Open(4000) // what is in memory on a calm day
	games := cache.NewGames()
	show := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, games.Remember(fmt.Sprint("game", time.Now().UnixNano()), 200000))
	}
	server.Run(map[string]http.HandlerFunc{"/show": show})
}
