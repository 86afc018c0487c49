// Package chat keeps the chat friendly.
package chat

import (
	"regexp"
	"strings"
)

// Filter knows what nobody should say.
type Filter struct {
	banned []string
}

// NewFilter makes one.
func NewFilter(banned ...string) *Filter {
	return &Filter{banned}
}

// Clean puts stars in place of what is banned.
func (f *Filter) Clean(message string) string {
	for _, word := range f.banned {
		pattern := regexp.MustCompile(`(?i)\b` + strings.Join(strings.Split(word, ""), `[\s._-]*`) + `\b`)
		message = pattern.ReplaceAllString(message, "***")
	}
	return message
}
