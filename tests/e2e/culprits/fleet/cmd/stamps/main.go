// Imports the history of another system.
package main

import (
	"github.com/acme/fleet/stamps"
	"github.com/acme/fleet/worker"
)

func main() {
	worker.Run(map[string]worker.Job{"/hour": func() { stamps.All(20) },
		"/year": func() { stamps.All(20000) }})
}
