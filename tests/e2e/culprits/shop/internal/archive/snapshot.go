// Package archive keeps what was.
package archive

import (
	"compress/gzip"
	"io"
)

// Snapshot packs pages as small as can be.
func Snapshot(out io.Writer, pages [][]byte) error {
	packed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, page := range pages {
		if _, err := packed.Write(page); err != nil {
			return err
		}
	}
	return packed.Close()
}
