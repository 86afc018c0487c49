// Labels pictures.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/images"
	"example.org/shop/internal/web"
)

func main() {
	picture := images.New(4 << 20)
	label := func(w http.ResponseWriter, r *http.Request) {
		labelled := picture.Label("lavender soap, handmade in a small town by the sea")
		fmt.Fprintln(w, labelled != nil)
	}
	web.New(map[string]http.HandlerFunc{"/label": label}).Run()
}
