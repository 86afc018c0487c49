// Package movegen finds what can be played with a rack.
package movegen

type node struct {
	arcs [26]*node
	word bool
}

// Generator walks a trie of the words.
type Generator struct {
	root  node
	found int
}

// New makes a trie of all short words of some letters.
func New(letters string, depth int) *Generator {
	g := &Generator{}
	g.grow(&g.root, letters, depth)
	return g
}

func (g *Generator) grow(at *node, letters string, depth int) {
	at.word = depth%2 == 0
	if depth == 0 {
		return
	}
	for _, letter := range letters {
		child := &node{}
		at.arcs[letter-'A'] = child
		g.grow(child, letters, depth-1)
	}
}

// Moves counts what a rack of letters can be.
func (g *Generator) Moves(rack string) int {
	g.found = 0
	var counts [26]int
	for _, letter := range rack {
		counts[letter-'A']++
	}
	g.extend(&g.root, &counts)
	return g.found
}

func (g *Generator) extend(at *node, counts *[26]int) {
	if at.word {
		g.found++
	}
	for letter, child := range at.arcs {
		if child == nil || counts[letter] == 0 {
			continue
		}
		counts[letter]--
		g.extend(child, counts)
		counts[letter]++
	}
}
