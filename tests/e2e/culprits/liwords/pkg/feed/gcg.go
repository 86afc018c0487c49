// Package feed writes games in the format that other programs read.
package feed

import "strconv"

// Event is a move.
type Event struct {
	Nick, Rack, Word string
	Score            int
}

// Render writes a game as text.
func Render(events []Event) string {
	text := "#character-encoding UTF-8\n"
	total := 0
	for _, event := range events {
		total += event.Score
		text += ">" + event.Nick + ": " + event.Rack + " " + event.Word + " +"
		text += strconv.Itoa(event.Score) + " " + strconv.Itoa(total) + "\n"
	}
	return text
}
