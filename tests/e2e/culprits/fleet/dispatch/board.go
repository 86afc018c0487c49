// Package dispatch gives tours to drivers.
package dispatch

import (
	"sync"
)

// Board is the tours, which all drivers look at.
type Board struct {
	mu    sync.RWMutex
	tours map[int]int
}

// NewBoard makes a board of so many tours.
func NewBoard(count int) *Board {
	b := &Board{tours: map[int]int{}}
	for i := 0; i < count; i++ {
		b.tours[i] = i * 31 % 1009
	}
	return b
}

// Take looks for the longest tour, with everybody else waiting.
func (b *Board) Take() (longest int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for tour, length := range b.tours {
		if length > b.tours[longest] {
			longest = tour
		}
	}
	return longest
}

// Morning lets so many drivers take tours at once.
func (b *Board) Morning(drivers int) {
	var group sync.WaitGroup
	for i := 0; i < drivers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			b.Take()
		}()
	}
	group.Wait()
}
