// Package pipeline passes messages through stages.
package pipeline

// Stage changes a message.
type Stage struct {
	in, out chan int
}

func (s *Stage) forward() {
	for message := range s.in {
		s.out <- message + 1
	}
	close(s.out)
}

// Relay sends messages through so many stages, one at a time, and adds up what comes.
func Relay(messages, stages int) (sum int) {
	first := make(chan int)
	last := first
	for i := 0; i < stages; i++ {
		stage := &Stage{last, make(chan int)}
		last = stage.out
		go stage.forward()
	}
	go func() {
		for i := 0; i < messages; i++ {
			first <- i
		}
		close(first)
	}()
	for message := range last {
		sum += message
	}
	return sum
}
