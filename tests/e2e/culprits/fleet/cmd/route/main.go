// Plans the ways of tomorrow.
package main

import (
	"github.com/acme/fleet/route"
	"github.com/acme/fleet/worker"
)

func main() {
	worker.Run(map[string]worker.Job{"/town": func() { route.NewNetwork(20).Shorten() },
		"/country": func() { route.NewNetwork(500).Shorten() }})
}
