// Package trace remembers the ways of vehicles.
package trace

import "sync"

type point struct {
	lat, lon float64
	at       int64
}

// Recorder has the way of each vehicle since the start.
type Recorder struct {
	mu   sync.Mutex
	ways map[int][]*point
}

// NewRecorder makes one that has seen nothing.
func NewRecorder() *Recorder {
	return &Recorder{ways: map[int][]*point{}}
}

// Add notes where a vehicle is; what is old stays.
func (r *Recorder) Add(vehicle int, lat, lon float64, at int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ways[vehicle] = append(r.ways[vehicle], &point{lat, lon, at})
}
