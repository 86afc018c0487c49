// Package worker takes jobs one after the other, beside the work that every service of the fleet does.
package worker

import (
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"time"

	"github.com/acme/fleet/telemetry"
)

// Job is what is to be done when somebody asks for its name.
type Job func()

type request struct {
	job  Job
	done chan struct{}
}

// Worker has the jobs and a queue.
type Worker struct {
	jobs  map[string]Job
	queue chan request
}

func (w *Worker) loop() {
	for next := range w.queue {
		next.job()
		close(next.done)
	}
}

func (w *Worker) submit(out http.ResponseWriter, r *http.Request) {
	job, ok := w.jobs[r.URL.Path]
	if !ok {
		http.NotFound(out, r)
		return
	}
	next := request{job, make(chan struct{})}
	w.queue <- next
	<-next.done
	fmt.Fprintln(out, "done")
}

// heartbeat reports every moment on where the vehicles are.
func heartbeat(every time.Duration) {
	for range time.Tick(every) {
		telemetry.Encode(telemetry.Sample(40))
	}
}

// Run works until the end, and says on which port it takes jobs.
func Run(jobs map[string]Job) {
	jobs["/positions"] = func() { telemetry.Encode(telemetry.Sample(200)) }
	w := &Worker{jobs: jobs, queue: make(chan request)}
	for i := 0; i < 2; i++ {
		go w.loop()
	}
	go heartbeat(5 * time.Millisecond)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.HandleFunc("/", w.submit)
	log.Fatal(http.Serve(listener, nil))
}
