// Package collections is what slices lack.
package collections

// Dedupe leaves the first of equal items.
func Dedupe[T any](items []T, same func(a, b T) bool) []T {
	var kept []T
	for _, item := range items {
		known := false
		for _, other := range kept {
			if same(item, other) {
				known = true
				break
			}
		}
		if !known {
			kept = append(kept, item)
		}
	}
	return kept
}

// Map makes another slice.
func Map[T, U any](items []T, of func(T) U) []U {
	made := make([]U, 0, len(items))
	for _, item := range items {
		made = append(made, of(item))
	}
	return made
}
