// What every customer has ordered.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/orders"
	"example.org/shop/internal/web"
)

func main() {
	today, ever := orders.New(50), orders.New(8000)
	page := func(service *orders.Service) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, service.Summaries())
		}
	}
	web.New(map[string]http.HandlerFunc{"/today": page(today), "/ever": page(ever)}).Run()
}
