// Messages to vehicles go through stages.
package main

import (
	"github.com/acme/fleet/pipeline"
	"github.com/acme/fleet/worker"
)

func main() {
	worker.Run(map[string]worker.Job{"/one": func() { pipeline.Relay(5, 2) },
		"/all": func() { pipeline.Relay(20000, 6) }})
}
