// How much is left.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/inventory"
	"example.org/shop/internal/web"
)

func main() {
	shelf, store := inventory.New(100), inventory.New(300000)
	left := func(stock *inventory.Stock) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, stock.Total())
		}
	}
	web.New(map[string]http.HandlerFunc{"/shelf": left(shelf), "/store": left(store)}).Run()
}
