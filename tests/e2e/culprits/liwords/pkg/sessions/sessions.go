// Package sessions signs who is logged in.
package sessions

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

var secret = []byte("between us")

// Sign makes a token for a user.
func Sign(user string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(user))
	return user + "." + hex.EncodeToString(mac.Sum(nil))
}

// Valid tells whether a token is one of ours.
func Valid(token string) bool {
	dot := strings.LastIndexByte(token, '.')
	return dot > 0 && hmac.Equal([]byte(Sign(token[:dot])), []byte(token))
}

// Login gives tokens to everybody of a team.
func Login(w http.ResponseWriter, _ *http.Request) {
	for i := 0; i < 200; i++ {
		fmt.Fprintln(w, Sign(fmt.Sprint("player", i)))
	}
}
