// Package cart adds up what somebody buys.
package cart

import (
	"encoding/json"
	"net/http"
)

type line struct {
	Product string `json:"product"`
	Pieces  int    `json:"pieces"`
	Cents   int    `json:"cents"`
}

// Handle answers with a cart and its sum.
func Handle(w http.ResponseWriter, _ *http.Request) {
	lines := make([]line, 60)
	sum := 0
	for i := range lines {
		lines[i] = line{"soap", 1 + i%3, 199 + i}
		sum += lines[i].Pieces * lines[i].Cents
	}
	json.NewEncoder(w).Encode(map[string]interface{}{"lines": lines, "sum": sum})
}
