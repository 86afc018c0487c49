// Package rounds runs the tournament: all games of a round start at the same moment.
package rounds

import (
	"context"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"tournament/web"
)

// Director starts a round every so often.
type Director struct {
	Site  *web.Site
	Every time.Duration // from the start of one round to the start of the next
	Games int           // games a round
}

// Run starts the rounds, the first one after Every, until the context ends.
func (d *Director) Run(ctx context.Context) {
	ticker := time.NewTicker(d.Every)
	defer ticker.Stop()
	for round := 1; ; round++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.startRound(ctx, round)
		}
	}
}

// startRound starts all games of a round at once. Players wait for their board for three fifths of
// the round and then give up, so that on a slow machine one round's starts never reach the next.
func (d *Director) startRound(ctx context.Context, round int) {
	log.Printf("round %d starts: %d games", round, d.Games)
	ctx, cancel := context.WithTimeout(ctx, d.Every*3/5)
	defer cancel()

	began := time.Now()
	var started atomic.Int64
	var games sync.WaitGroup
	for table := 1; table <= d.Games; table++ {
		players := [2]string{fmt.Sprintf("player-%d", 2*table-1), fmt.Sprintf("player-%d", 2*table)}
		games.Add(1)
		go func() {
			defer games.Done()
			if _, err := d.Site.StartGame(ctx, players, ""); err == nil {
				started.Add(1)
			}
		}()
	}
	games.Wait()

	took := time.Since(began).Round(100 * time.Millisecond)
	if gaveUp := int64(d.Games) - started.Load(); gaveUp > 0 {
		log.Printf("round %d: %d games running after %s, %d gave up waiting",
			round, started.Load(), took, gaveUp)
		return
	}
	log.Printf("round %d: all games running after %s", round, took)
}
