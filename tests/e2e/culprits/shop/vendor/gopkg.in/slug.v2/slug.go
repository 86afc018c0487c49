// Package slug makes titles fit for addresses.
package slug

import (
	"strings"
	"unicode"
)

// Make turns "Crème brûlée, 2 pieces" into "creme-brulee-2-pieces".
func Make(title string) string {
	var out strings.Builder
	dash := false
	for _, r := range strings.ToLower(title) {
		if plain, ok := latin[r]; ok {
			r = plain
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			if dash && out.Len() > 0 {
				out.WriteByte('-')
			}
			dash = false
			out.WriteRune(r)
		} else {
			dash = true
		}
	}
	return out.String()
}

var latin = map[rune]rune{'è': 'e', 'é': 'e', 'û': 'u', 'ü': 'u', 'ö': 'o', 'ä': 'a', 'ñ': 'n'}
