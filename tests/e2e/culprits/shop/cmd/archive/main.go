// Keeps a copy of the shop at every change.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/archive"
	"example.org/shop/internal/web"
)

func pages(count int) [][]byte {
	var all [][]byte
	for i := 0; i < count; i++ {
		page := ""
		for j := 0; j < 60; j++ {
			page += fmt.Sprintf("<p>%d soap %x lavender %d</p>", i, i*j*2654435761, j)
		}
		all = append(all, []byte(page))
	}
	return all
}

func main() {
	shop := pages(300)
	keep := func(w http.ResponseWriter, _ *http.Request) {
		if err := archive.Snapshot(w, shop); err != nil {
			fmt.Fprintln(w, err)
		}
	}
	web.New(map[string]http.HandlerFunc{"/snapshot": keep}).Run()
}
