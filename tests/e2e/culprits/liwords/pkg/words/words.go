// Package words is the dictionary.
package words

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
)

// Dictionary is a sorted list of words.
type Dictionary struct {
	all []string
}

// Load makes one of so many words.
func Load(count int) *Dictionary {
	d := &Dictionary{}
	for i := 0; i < count; i++ {
		d.all = append(d.all, strings.ToUpper(fmt.Sprintf("w%06xd", i*2654435761%16777216)))
	}
	sort.Strings(d.all)
	return d
}

// Has tells whether there is such a word.
func (d *Dictionary) Has(word string) bool {
	i := sort.SearchStrings(d.all, word)
	return i < len(d.all) && d.all[i] == word
}

// Look answers for a few hundred words at once.
func (d *Dictionary) Look(w http.ResponseWriter, _ *http.Request) {
	found := 0
	for i := 0; i < 2000; i++ {
		if d.Has(strings.ToUpper(fmt.Sprintf("w%06xd", i*i))) {
			found++
		}
	}
	fmt.Fprintln(w, found)
}
