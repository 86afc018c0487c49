// Package events tells everybody who watches a game what happens in it.
package events

import "sync"

// Hub has who watches.
type Hub struct {
	mu       sync.Mutex
	watchers map[int]chan string
	next     int
}

// NewHub makes one without watchers.
func NewHub() *Hub {
	return &Hub{watchers: map[int]chan string{}}
}

// Watch passes events on until its channel is closed. Nobody closes it.
func (h *Hub) Watch(seen func(string)) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	events := make(chan string)
	h.watchers[h.next] = events
	go func() {
		for event := range events {
			seen(event)
		}
	}()
	return h.next
}
