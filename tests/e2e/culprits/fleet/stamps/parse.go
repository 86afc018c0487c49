// Package stamps reads times as any vendor writes them.
package stamps

import (
	"fmt"
	"time"
)

var layouts = []string{time.RFC822, time.RFC850, time.ANSIC, time.UnixDate, time.RubyDate,
	time.RFC1123Z, time.Kitchen, time.RFC3339}

// Parse tries one layout after the other.
func Parse(text string) (at time.Time, err error) {
	for _, layout := range layouts {
		if at, err = time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return at, fmt.Errorf("no time: %q", text)
}

// All reads many.
func All(count int) (sum int64) {
	for i := 0; i < count; i++ {
		at, err := Parse(fmt.Sprintf("2026-11-23T15:%02d:%02dZ", i/60%60, i%60))
		if err == nil {
			sum += at.Unix()
		}
	}
	return sum
}
