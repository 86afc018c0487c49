// Who gets the newsletter.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/collections"
	"example.org/shop/internal/web"
)

type reader struct {
	Mail string
	Age  int
}

func readers(count int) []reader {
	all := make([]reader, count)
	for i := range all {
		all[i] = reader{fmt.Sprintf("reader%d@example.org", i*3%count), i % 90}
	}
	return all
}

func main() {
	few, many := readers(20), readers(4000)
	send := func(to []reader) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			once := collections.Dedupe(to, func(a, b reader) bool { return a.Mail == b.Mail })
			mails := collections.Map(once, func(r reader) string { return r.Mail })
			fmt.Fprintln(w, len(mails))
		}
	}
	web.New(map[string]http.HandlerFunc{"/team": send(few), "/everybody": send(many)}).Run()
}
