// Exports orders for the accountant.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/export"
	"example.org/shop/internal/web"
)

type order struct {
	Number   int     `csv:"number"`
	Customer string  `csv:"customer"`
	Total    float64 `csv:"total"`
	Note     string  `csv:"-"`
	Paid     bool    `csv:"paid"`
}

func main() {
	var orders []interface{}
	for i := 0; i < 10000; i++ {
		orders = append(orders, order{i, "Ada", float64(i) * 1.19, "", i%2 == 0})
	}
	all := func(w http.ResponseWriter, _ *http.Request) {
		if err := export.CSV(w, orders); err != nil {
			fmt.Fprintln(w, err)
		}
	}
	web.New(map[string]http.HandlerFunc{"/export": all}).Run()
}
