// Package telemetry is where the vehicles are.
package telemetry

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Position is one vehicle's.
type Position struct {
	Vehicle  uint32
	Lat, Lon float64
}

// Sample makes positions.
func Sample(count int) []Position {
	all := make([]Position, count)
	for i := range all {
		all[i] = Position{uint32(i), 47 + math.Sin(float64(i)), 8 + math.Cos(float64(i))}
	}
	return all
}

// Encode packs them.
func Encode(all []Position) []byte {
	var out bytes.Buffer
	for i := range all {
		binary.Write(&out, binary.BigEndian, &all[i])
	}
	return out.Bytes()
}
