package rounds

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"time"
)

// Visitors browse the site at addr, ten requests a second, until the context ends: the normal
// traffic between rounds. Errors are theirs to live with.
func Visitors(ctx context.Context, addr string) {
	client := &http.Client{Timeout: 5 * time.Second}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			visit(ctx, client, "http://"+addr+page())
		}
	}
}

func page() string {
	if rand.Intn(4) == 0 {
		return "/games"
	}
	return fmt.Sprintf("/games/game-%d", 1+rand.Intn(15000))
}

func visit(ctx context.Context, client *http.Client, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	response, err := client.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body) // read to the end, so that the connection is used again
}
