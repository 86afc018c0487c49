// Price lists.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/pricing"
	"example.org/shop/internal/web"
)

func main() {
	quotes := make(chan int)
	asked := make(chan int)
	go func() {
		engine := pricing.New()
		for count := range asked {
			sum := 0
			for i := 0; i < count; i++ {
				sum += engine.Quote("DE", "soap", i%500)
			}
			quotes <- sum
		}
	}()
	list := func(count int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			asked <- count
			fmt.Fprintln(w, <-quotes)
		}
	}
	web.New(map[string]http.HandlerFunc{"/price": list(10), "/list": list(40000)}).Run()
}
