// Prints invoices.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/invoice"
	"example.org/shop/internal/web"
)

func main() {
	print := func(w http.ResponseWriter, _ *http.Request) {
		for number := 0; number < 20; number++ {
			bill := invoice.Invoice{Number: number, Customer: "Ada", Lines: []invoice.Line{{Title: "Soap", Cents: 199}}}
			if err := bill.Write(w); err != nil {
				fmt.Fprintln(w, err)
			}
		}
	}
	web.New(map[string]http.HandlerFunc{"/month": print}).Run()
}
