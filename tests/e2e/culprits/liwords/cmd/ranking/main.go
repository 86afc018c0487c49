// The page of a tournament shows the rank of every player.
package main

import (
	"fmt"
	"net/http"

	"liwords/pkg/ranking"
	"liwords/pkg/server"
)

func main() {
	small, large := ranking.NewDivision(20), ranking.NewDivision(5000)
	page := func(division *ranking.Division) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < 8; i++ {
				fmt.Fprintln(w, division.RankOf(i))
			}
		}
	}
	server.Run(map[string]http.HandlerFunc{"/small": page(small), "/large": page(large)})
}
