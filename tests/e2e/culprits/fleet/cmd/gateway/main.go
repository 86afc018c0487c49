// Asks vehicles, of which none answers.
package main

import (
	"github.com/acme/fleet/gateway"
	"github.com/acme/fleet/worker"
)

func main() {
	fleet := gateway.New()
	worker.Run(map[string]worker.Job{"/ask": func() { fleet.AskAll(40) }})
}
