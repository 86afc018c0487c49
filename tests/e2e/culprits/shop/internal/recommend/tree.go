// Package recommend guesses what somebody may like.
package recommend

type branch struct {
	left, right *branch
	score       *float64
}

// keep is the trees of the newest visitors, which the collector has to look through.
var keep [64]*branch

func plant(depth int, score float64) *branch {
	b := &branch{score: &score}
	if depth > 0 {
		b.left, b.right = plant(depth-1, score/2), plant(depth-1, score/3)
	}
	return b
}

func (b *branch) best() float64 {
	if b.left == nil {
		return *b.score
	}
	if l, r := b.left.best(), b.right.best(); l > r {
		return l
	} else {
		return r
	}
}

// For guesses for a visitor.
func For(visitor, depth int) float64 {
	tree := plant(depth, float64(visitor))
	keep[visitor%len(keep)] = tree
	return tree.best()
}
