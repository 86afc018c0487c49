// A chat in which every message is filtered.
package main

import (
	"fmt"
	"net/http"

	"liwords/pkg/chat"
	"liwords/pkg/server"
)

func main() {
	filter := chat.NewFilter("darn", "heck", "bingo", "zounds", "blast", "drat", "fiddle", "rats",
		"crumbs", "golly", "goodness", "jeepers", "shucks", "nuts")
	say := func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < 20; i++ {
			fmt.Fprintln(w, filter.Clean(fmt.Sprintf("well, d.a.r.n: move %d was a z-o-u-n-d-s good one", i)))
		}
	}
	server.Run(map[string]http.HandlerFunc{"/say": say})
}
