// You may also like.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/recommend"
	"example.org/shop/internal/web"
)

func main() {
	visitor := make(chan int, 1)
	visitor <- 0
	like := func(depth int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			number := <-visitor
			defer func() { visitor <- number + 1 }()
			fmt.Fprintln(w, recommend.For(number, depth))
		}
	}
	web.New(map[string]http.HandlerFunc{"/soap": like(6), "/everything": like(14)}).Run()
}
