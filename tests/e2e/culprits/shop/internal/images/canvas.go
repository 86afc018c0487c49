// Package images puts labels on pictures.
package images

// Canvas is a picture.
type Canvas struct {
	pixels []byte
}

// New makes a black one of so many bytes.
func New(size int) *Canvas {
	return &Canvas{make([]byte, size)}
}

// Clone copies a picture.
func (c *Canvas) Clone(into []byte) *Canvas {
	copy(into, c.pixels)
	return &Canvas{into[:len(c.pixels)]}
}

// Label writes a text, on a copy at every letter so that it can be undone.
func (c *Canvas) Label(text string) *Canvas {
	undo := [2][]byte{make([]byte, len(c.pixels)), make([]byte, len(c.pixels))}
	at := c
	for i, letter := range text {
		at = at.Clone(undo[i%2])
		at.pixels[i] = byte(letter)
	}
	return at
}
