// Package lobby lists the games that wait for a player.
package lobby

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// Seek is an open game.
type Seek struct {
	ID       string   `json:"id"`
	Owner    string   `json:"owner"`
	Rating   int      `json:"rating"`
	Lexicon  string   `json:"lexicon"`
	Minutes  float64  `json:"minutes"`
	Variants []string `json:"variants"`
}

// Lobby has all seeks.
type Lobby struct {
	mu    sync.RWMutex
	seeks []Seek
}

// New makes a lobby with so many seeks.
func New(count int) *Lobby {
	lobby := &Lobby{}
	for i := 0; i < count; i++ {
		lobby.seeks = append(lobby.seeks, Seek{fmt.Sprint("seek-", i), fmt.Sprint("player", i),
			1000 + i%900, "CSW21", 15.5, []string{"classic", "wordsmog"}})
	}
	return lobby
}

// List writes them as JSON.
func (l *Lobby) List(w http.ResponseWriter, _ *http.Request) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := json.NewEncoder(w).Encode(l.seeks); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
