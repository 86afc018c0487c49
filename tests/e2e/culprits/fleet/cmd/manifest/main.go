// Checks what vehicles carry.
package main

import (
	"github.com/acme/fleet/manifest"
	"github.com/acme/fleet/worker"
)

func main() {
	bike, ship := manifest.Document(3), manifest.Document(5000)
	worker.Run(map[string]worker.Job{"/bike": func() { manifest.Pieces(bike) },
		"/ship": func() { manifest.Pieces(ship) }})
}
