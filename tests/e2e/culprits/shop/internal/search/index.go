// Package search finds products by words of their titles.
package search

import (
	"fmt"
	"net/http"
	"strings"
)

// Index has the products of each word.
type Index struct {
	titles []string
}

// NewIndex makes one of so many products.
func NewIndex(count int) *Index {
	index := &Index{}
	for i := 0; i < count; i++ {
		index.titles = append(index.titles, fmt.Sprintf("Soap number %d with lavender", i))
	}
	return index
}

// Find returns how many titles have the word.
func (x *Index) Find(word string) int {
	found := 0
	for _, title := range x.titles {
		if strings.Contains(strings.ToLower(title), word) {
			found++
		}
	}
	return found
}

// Handle answers a search.
func (x *Index) Handle(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, x.Find("number 7"))
}
