// Package invoice writes invoices.
package invoice

import (
	"html/template"
	"io"
)

const page = `<html><body><h1>Invoice {{.Number}}</h1>{{with .Customer}}<p>{{.}}</p>{{end}}
<table>{{range .Lines}}<tr><td>{{.Title}}</td><td class="{{if gt .Cents 1000}}dear{{else}}cheap{{end}}">{{.Cents}}</td>
<td><a href="/product/{{.Title}}" onclick="show({{.Cents}})">again</a></td></tr>{{end}}</table></body></html>`

// Line is one product.
type Line struct {
	Title string
	Cents int
}

// Invoice is what is printed.
type Invoice struct {
	Number   int
	Customer string
	Lines    []Line
}

// Write renders it.
func (i *Invoice) Write(out io.Writer) error {
	parsed, err := template.New("invoice").Parse(page)
	if err != nil {
		return err
	}
	return parsed.Execute(out, i)
}
