// Package report computes figures in steps.
package report

import "math"

// Step makes one figure of another.
type Step func(float64) float64

// Smooth returns a step that takes an expensive mean.
func Smooth(width int) Step {
	return func(value float64) float64 {
		sum := 0.0
		for i := 1; i <= width; i++ {
			sum += math.Sqrt(value*float64(i)) * math.Log(float64(i)+value)
		}
		return sum / float64(width)
	}
}

// Scale returns a step that multiplies.
func Scale(by float64) Step {
	return func(value float64) float64 { return value * by }
}

// Run puts figures through the steps.
func Run(figures []float64, steps ...Step) (sum float64) {
	for _, figure := range figures {
		for _, step := range steps {
			figure = step(figure)
		}
		sum += figure
	}
	return sum
}
