// Package gateway asks vehicles how they are.
package gateway

import (
	"errors"
	"time"

	"github.com/kit/backoff"
)

// Fleet is the vehicles.
type Fleet struct {
	answers chan int
}

// New makes a fleet in which nobody answers.
func New() *Fleet {
	return &Fleet{make(chan int)}
}

var errSilent = errors.New("no answer")

// Ask waits for an answer.
func (f *Fleet) Ask() error {
	return backoff.Retry(3, func() error {
		select {
		case <-f.answers:
			return nil
		case <-time.After(time.Minute):
			return errSilent
		}
	})
}

// AskAll asks everybody at once, and does not wait.
func (f *Fleet) AskAll(count int) {
	for i := 0; i < count; i++ {
		go f.Ask()
	}
}
