// Drivers look for tours in the morning.
package main

import (
	"github.com/acme/fleet/dispatch"
	"github.com/acme/fleet/worker"
)

func main() {
	board := dispatch.NewBoard(20000)
	worker.Run(map[string]worker.Job{"/driver": func() { dispatch.NewBoard(20).Take() },
		"/morning": func() { board.Morning(50) }})
}
