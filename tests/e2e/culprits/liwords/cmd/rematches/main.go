// Rounds of a tournament begin, and every game asks for the streak of its players.
package main

import (
	"fmt"
	"net/http"

	"liwords/pkg/server"
	"liwords/pkg/stores/game"
)

func main() {
	store := game.Open(3000)
	streaks := func(original string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			streak, err := store.GetRematchStreak(original)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprintln(w, streak)
		}
	}
	server.Run(map[string]http.HandlerFunc{"/streak": streaks("request3"), "/round": streaks("")})
}
