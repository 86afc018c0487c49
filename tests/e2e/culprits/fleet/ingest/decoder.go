// Package ingest reads what vehicles send.
package ingest

import (
	"io"
	"log"
	"strconv"
	"strings"
	"time"
)

// Decoder reads lines.
type Decoder struct {
	log *log.Logger
}

// NewDecoder makes one that logs.
func NewDecoder(out io.Writer) *Decoder {
	return &Decoder{log.New(out, "ingest: ", log.LstdFlags|log.Lmicroseconds|log.Lshortfile)}
}

// Decode adds up the speeds.
func (d *Decoder) Decode(lines []string) (sum int) {
	for i, line := range lines {
		d.log.Printf("line %d at %s: %q", i, time.Now().Format(time.RFC3339Nano), line)
		speed, err := strconv.Atoi(line[strings.IndexByte(line, 58)+1:])
		if err != nil {
			d.log.Print(err)
		}
		sum += speed
	}
	return sum
}
