// Package geo knows who is where.
package geo

import "math"

// Point is a place.
type Point struct{ X, Y float64 }

// Fence is a border.
type Fence struct {
	corners []Point
}

// Circle makes a fence with so many corners.
func Circle(corners int) *Fence {
	f := &Fence{}
	for i := 0; i < corners; i++ {
		angle := 2 * math.Pi * float64(i) / float64(corners)
		f.corners = append(f.corners, Point{math.Cos(angle), math.Sin(angle)})
	}
	return f
}

// Contains tells whether a place is within the fence.
func (f *Fence) Contains(p Point) bool {
	inside := false
	for i, j := 0, len(f.corners)-1; i < len(f.corners); j, i = i, i+1 {
		a, b := f.corners[i], f.corners[j]
		if (a.Y > p.Y) != (b.Y > p.Y) && p.X < (b.X-a.X)*(p.Y-a.Y)/(b.Y-a.Y)+a.X {
			inside = !inside
		}
	}
	return inside
}

// Inside counts the places that are.
func Inside(fence *Fence, places int) (count int) {
	for i := 0; i < places; i++ {
		if fence.Contains(Point{math.Sin(float64(i)), math.Cos(float64(i * 3))}) {
			count++
		}
	}
	return count
}
