// Package game stores games, one JSON document each.
package game

import (
	"encoding/json"
	"fmt"
	"time"
)

type turn struct {
	Player string `json:"player"`
	Tiles  string `json:"tiles"`
	Score  int    `json:"score"`
}

// Game is one that was played.
type Game struct {
	ID       string    `json:"id"`
	Original string    `json:"original_request_id"`
	Winner   string    `json:"winner"`
	Ended    time.Time `json:"ended"`
	Turns    []turn    `json:"turns"`
}

// DBStore stands for the table of games.
type DBStore struct {
	rows [][]byte
	of   map[string][]int
}

// Open fills the table.
func Open(count int) *DBStore {
	s := &DBStore{of: map[string][]int{}}
	for i := 0; i < count; i++ {
		game := Game{ID: fmt.Sprint("game", i), Winner: fmt.Sprint("player", i%7), Ended: time.Now()}
		if i%10 == 0 {
			game.Original = fmt.Sprint("request", i/20)
		}
		for j := 0; j < 12; j++ {
			game.Turns = append(game.Turns, turn{game.Winner, "AEINRST", 10 + j})
		}
		row, err := json.Marshal(game)
		if err != nil {
			panic(err)
		}
		s.of[game.Original] = append(s.of[game.Original], len(s.rows))
		s.rows = append(s.rows, row)
	}
	return s
}

func (s *DBStore) scan(number int) (Game, error) {
	var game Game
	err := json.Unmarshal(s.rows[number], &game)
	return game, err
}

// GetRematchStreak counts who won of the games that follow from one request.
func (s *DBStore) GetRematchStreak(original string) (map[string]int, error) {
	streak := map[string]int{}
	for _, number := range s.of[original] {
		game, err := s.scan(number)
		if err != nil {
			return nil, err
		}
		streak[game.Winner]++
	}
	return streak, nil
}
