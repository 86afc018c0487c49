// Package auth checks passwords.
package auth

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Hasher makes passwords expensive to guess.
type Hasher struct {
	Rounds int
	Salt   string
}

func (h *Hasher) derive(password string) [32]byte {
	sum := sha256.Sum256([]byte(h.Salt + password))
	for i := 0; i < h.Rounds; i++ {
		sum = sha256.Sum256(append(sum[:], h.Salt...))
	}
	return sum
}

// Check compares a password with what is stored.
func (h *Hasher) Check(password string, stored [32]byte) bool {
	sum := h.derive(password)
	return subtle.ConstantTimeCompare(sum[:], stored[:]) == 1
}
