// Figures for the owner.
package main

import (
	"fmt"
	"net/http"

	"example.org/shop/internal/report"
	"example.org/shop/internal/web"
)

func main() {
	days := make([]float64, 365)
	for i := range days {
		days[i] = float64(i)
	}
	show := func(steps ...report.Step) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, report.Run(days, steps...))
		}
	}
	web.New(map[string]http.HandlerFunc{"/day": show(report.Scale(1.19)),
		"/year": show(report.Scale(1.19), report.Smooth(4000))}).Run()
}
