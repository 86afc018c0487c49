// Shows products by their addresses.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/catalog"
	"example.org/shop/internal/web"
)

func main() {
	few, all := catalog.New(10), catalog.New(20000)
	show := func(catalog *catalog.Catalog) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, catalog.Lookup("creme-brulee-a-la-facon-19999-tres-grande"))
		}
	}
	web.New(map[string]http.HandlerFunc{"/few": show(few), "/product": show(all)}).Run()
}
