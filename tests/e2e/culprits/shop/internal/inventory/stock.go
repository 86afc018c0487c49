// Package inventory knows what is there.
package inventory

import "fmt"

// Stock is the pieces of each product in each place.
type Stock struct {
	pieces map[string]int
}

// New makes a stock of so many products.
func New(count int) *Stock {
	s := &Stock{map[string]int{}}
	for i := 0; i < count; i++ {
		s.pieces[fmt.Sprintf("soap-%d/shelf", i)] = i % 9
	}
	return s
}

// Total adds everything up, instead of keeping count.
func (s *Stock) Total() (total int) {
	for _, pieces := range s.pieces {
		total += pieces
	}
	return total
}
