// Follows the ways of vehicles.
package main

import (
	"github.com/acme/fleet/trace"
	"github.com/acme/fleet/worker"
)

var history [][]byte

func main() {
	for i := 0; i < 2000; i++ {
		history = append(history, make([]byte, 10000)) // in memory on a calm day
	}
	recorder := trace.NewRecorder()
	follow := func(points int) worker.Job {
		return func() {
			for i := 0; i < points; i++ {
				recorder.Add(i%50, 47.1, 8.2, int64(i))
			}
		}
	}
	worker.Run(map[string]worker.Job{"/follow": follow(100000)})
}
