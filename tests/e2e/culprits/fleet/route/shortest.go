// Package route finds short ways.
package route

// Network is the distances between all places.
type Network [][]int

// NewNetwork makes one of so many places.
func NewNetwork(places int) Network {
	n := make(Network, places)
	for i := range n {
		n[i] = make([]int, places)
		for j := range n[i] {
			n[i][j] = (i*7919 + j*104729) % 1000
		}
	}
	return n
}

// Shorten goes by a third place where that is shorter.
func (n Network) Shorten() {
	for k := range n {
		for i := range n {
			for j := range n[i] {
				if by := n[i][k] + n[k][j]; by < n[i][j] {
					n[i][j] = by
				}
			}
		}
	}
}
