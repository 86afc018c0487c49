// Reads what vehicles send, and logs each line.
package main

import (
	"fmt"
	"io"

	"github.com/acme/fleet/ingest"
	"github.com/acme/fleet/worker"
)

func lines(count int) []string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf("speed:%d", i%130)
	}
	return all
}

func main() {
	decoder := ingest.NewDecoder(io.Discard)
	few, many := lines(10), lines(20000)
	worker.Run(map[string]worker.Job{"/few": func() { decoder.Decode(few) },
		"/many": func() { decoder.Decode(many) }})
}
