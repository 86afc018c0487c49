// Package ranking orders the players of a tournament.
package ranking

import "sort"

// Player is one with results.
type Player struct {
	Name         string
	Wins, Spread int
	Rating       float64
}

// Division is those who play against one another.
type Division struct {
	Players []Player
}

// NewDivision makes one of so many players.
func NewDivision(count int) *Division {
	d := &Division{}
	seed := uint32(7)
	for i := 0; i < count; i++ {
		seed = seed*1664525 + 1013904223
		d.Players = append(d.Players, Player{Name: string(rune('A' + i%26)), Wins: int(seed >> 28),
			Spread: int(seed>>16) % 500, Rating: float64(seed % 2000)})
	}
	return d
}

// Standings is the order after a round.
func (d *Division) Standings() []Player {
	ranked := append([]Player(nil), d.Players...)
	sort.Slice(ranked, func(i, j int) bool {
		a, b := &ranked[i], &ranked[j]
		if a.Wins != b.Wins {
			return a.Wins > b.Wins
		}
		if a.Spread != b.Spread {
			return a.Spread > b.Spread
		}
		return a.Rating > b.Rating
	})
	return ranked
}

// RankOf is where a player stands.
func (d *Division) RankOf(index int) int {
	for rank, player := range d.Standings() {
		if player == d.Players[index] {
			return rank + 1
		}
	}
	return 0
}
