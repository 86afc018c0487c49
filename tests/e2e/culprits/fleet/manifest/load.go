// Package manifest is what vehicles carry.
package manifest

import (
	"encoding/xml"
	"fmt"
	"strings"
)

type item struct {
	Name   string `xml:"name,attr"`
	Pieces int    `xml:"pieces"`
}

type manifest struct {
	Items []item `xml:"item"`
}

// Document makes a manifest of so many items.
func Document(items int) string {
	var text strings.Builder
	text.WriteString("<manifest>")
	for i := 0; i < items; i++ {
		fmt.Fprintf(&text, "<item name=\"box %d\"><pieces>%d</pieces></item>", i, i%12)
	}
	text.WriteString("</manifest>")
	return text.String()
}

// Pieces counts what is in a manifest.
func Pieces(document string) (sum int, err error) {
	var read manifest
	if err := xml.Unmarshal([]byte(document), &read); err != nil {
		return 0, err
	}
	for _, item := range read.Items {
		sum += item.Pieces
	}
	return sum, nil
}
