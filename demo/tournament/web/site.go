// Package web is what the players' browsers talk to.
package web

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync/atomic"

	"tournament/stores"
)

// Site serves the tournament's pages.
type Site struct {
	store   *stores.GameStore
	started atomic.Int64
}

// Board is what a player gets to see when a game starts.
type Board struct {
	ID      string    `json:"id"`
	Players [2]string `json:"players"`
	Streak  []string  `json:"streak"`
}

// NewSite returns a site on a store.
func NewSite(store *stores.GameStore) *Site {
	return &Site{store: store}
}

// ServeHTTP answers
//
//	GET  /healthz       "ok" once the site is up
//	GET  /games         the 20 newest games
//	GET  /games/{id}    one game with all its turns
//	POST /games         starts a game: ?white=NAME&black=NAME&original=ID of the game to be rematched
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/games/")
	switch {
	case r.URL.Path == "/healthz":
		fmt.Fprintln(w, "ok")
	case r.URL.Path == "/games" && r.Method == http.MethodPost:
		players := [2]string{r.FormValue("white"), r.FormValue("black")}
		board, err := s.StartGame(r.Context(), players, r.FormValue("original"))
		answer(w, board, err)
	case r.URL.Path == "/games":
		games, err := s.store.Recent(r.Context(), 20)
		answer(w, games, err)
	case id != r.URL.Path && id != "":
		game, err := s.store.Get(r.Context(), id)
		answer(w, game, err)
	default:
		http.NotFound(w, r)
	}
}

// StartGame sets up the board for two players. An empty originalID means that it is no rematch.
func (s *Site) StartGame(
	ctx context.Context, players [2]string, originalID string,
) (*Board, error) {
	streak, err := s.store.RematchStreak(ctx, originalID)
	if err != nil {
		return nil, fmt.Errorf("start game of %s and %s: %w", players[0], players[1], err)
	}
	if len(streak) > 5 {
		streak = streak[len(streak)-5:]
	}
	id := fmt.Sprintf("live-%d", s.started.Add(1))
	return &Board{ID: id, Players: players, Streak: streak}, nil
}

func answer(w http.ResponseWriter, body any, err error) {
	switch {
	case errors.Is(err, context.Canceled):
		// The visitor has gone away: there is no one left to answer.
	case errors.Is(err, sql.ErrNoRows):
		http.Error(w, "no such game", http.StatusNotFound)
	case err != nil:
		log.Print(err)
		http.Error(w, "something went wrong, try again", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			log.Print(err)
		}
	}
}
