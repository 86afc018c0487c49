// Tells when a vehicle leaves its area.
package main

import (
	"github.com/acme/fleet/geo"
	"github.com/acme/fleet/worker"
)

func main() {
	simple, detailed := geo.Circle(8), geo.Circle(40000)
	worker.Run(map[string]worker.Job{"/simple": func() { geo.Inside(simple, 100) },
		"/detailed": func() { geo.Inside(detailed, 400) }})
}
