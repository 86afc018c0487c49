// Lets people in.
package main

import (
	"fmt"
	"net/http"

	"liwords/pkg/auth"
	"liwords/pkg/server"
)

func main() {
	hasher := &auth.Hasher{Rounds: 60000, Salt: "pepper"}
	enter := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, hasher.Check(r.FormValue("password"), [32]byte{}))
	}
	server.Run(map[string]http.HandlerFunc{"/enter": enter})
}
