// Players say that they are there, each with many tabs.
package main

import (
	"fmt"
	"net/http"
	"sync"

	"liwords/pkg/presence"
	"liwords/pkg/server"
)

func main() {
	tracker := presence.NewTracker()
	ping := func(tabs int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			var group sync.WaitGroup
			for i := 0; i < tabs; i++ {
				group.Add(1)
				go func() {
					defer group.Done()
					tracker.Touch("cesar")
				}()
			}
			group.Wait()
			fmt.Fprintln(w, tabs)
		}
	}
	server.Run(map[string]http.HandlerFunc{"/ping": ping(1), "/reconnect": ping(60)})
}
