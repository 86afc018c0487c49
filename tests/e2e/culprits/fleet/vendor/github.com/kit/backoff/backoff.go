// Package backoff tries again.
package backoff

import "time"

// Retry calls the function until it succeeds, or so often.
func Retry(times int, try func() error) (err error) {
	for i := 0; i < times; i++ {
		if err = try(); err == nil {
			return nil
		}
		time.Sleep(time.Millisecond << i)
	}
	return err
}
