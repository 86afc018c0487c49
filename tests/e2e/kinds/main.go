// Works in many ways and writes a profile of every kind into a folder: kinds FOLDER ROUNDS.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

type number interface{ ~int | ~float64 }

// Generic, and called from a closure in another generic function.
func Sum[T number](values []T) T {
	var sum T
	for _, value := range values {
		sum += half(value) + half(value)
	}
	return sum
}

func half[T number](value T) T { return value / 2 }

type list[T any] struct{ items []T }

func (l *list[T]) Each(do func(T)) {
	for _, item := range l.items {
		do(item)
	}
}

// Inlined, and inlined into what is inlined.
func add(a, b int) int         { return a + b }
func addThree(a, b, c int) int { return add(add(a, b), c) }

func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

func even(n int) bool {
	if n == 0 {
		return true
	}
	return odd(n - 1)
}

func odd(n int) bool {
	if n == 0 {
		return false
	}
	return even(n - 1)
}

type game struct {
	ID      string            `json:"id"`
	Players []string          `json:"players"`
	Moves   map[string]int    `json:"moves"`
	Tags    map[string]string `json:"tags"`
}

var (
	kept    [][]byte
	sink    int
	mutex   sync.Mutex
	pattern = regexp.MustCompile(`(\w+)@(\w+\.)+\w+`)
)

func decode(text []byte) {
	var games []game
	if err := json.Unmarshal(text, &games); err != nil {
		log.Fatal(err)
	}
	sink += len(games)
}

func text() []byte {
	var games []game
	for i := 0; i < 50; i++ {
		games = append(games, game{ID: strconv.Itoa(i), Players: []string{"a", "b"}, Moves: map[string]int{"x": i},
			Tags: map[string]string{"round": strings.Repeat("r", i)}})
	}
	encoded, err := json.Marshal(games)
	if err != nil {
		log.Fatal(err)
	}
	return encoded
}

func sortNames() {
	names := make([]string, 2000)
	for i := range names {
		names[i] = strconv.Itoa(i * 7919 % 2000)
	}
	sort.Slice(names, func(a, b int) bool { return names[a] < names[b] })
	sink += len(names[0])
}

func contend() {
	var group sync.WaitGroup
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := 0; j < 3; j++ {
				mutex.Lock()
				sink += fibonacci(15)
				time.Sleep(time.Millisecond)
				mutex.Unlock()
			}
		}()
	}
	group.Wait()
}

func keep() {
	kept = append(kept, make([]byte, 300<<10))
	(&list[int]{items: []int{1, 2, 3}}).Each(func(item int) { kept = append(kept, make([]byte, item<<10)) })
}

func round(number int, encoded []byte) {
	labels := pprof.Labels("round", strconv.Itoa(number%3), "stage", "work")
	pprof.Do(context.Background(), labels, func(context.Context) {
		for i := 0; i < 20; i++ {
			decode(encoded)
			sortNames()
		}
	})
	values := make([]float64, 30000)
	for i := 0; i < 500; i++ {
		sink += int(Sum(values)) + Sum([]int{1, 2, 3})
	}
	for i := 0; i < 20000000; i++ {
		sink = addThree(sink, i, 1)
	}
	sink += fibonacci(31)
	if even(3000) {
		sink++
	}
	sink += len(pattern.FindAllString(strings.Repeat("someone@example.com or not, ", 200), -1))
	contend()
	keep()
}

func write(folder, name string) {
	file, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	if err := pprof.Lookup(name).WriteTo(file, 0); err != nil {
		log.Fatal(err)
	}
}

func main() {
	folder := os.Args[1]
	rounds, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	runtime.MemProfileRate = 4096
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	file, err := os.Create(filepath.Join(folder, "cpu"))
	if err != nil {
		log.Fatal(err)
	}
	encoded := text()
	waiting := make(chan int)
	for i := 0; i < 20; i++ {
		go func() { <-waiting }()
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		log.Fatal(err)
	}
	for i := 0; i < rounds; i++ {
		round(i, encoded)
	}
	pprof.StopCPUProfile()
	runtime.GC()
	for _, name := range []string{"heap", "allocs", "goroutine", "mutex", "block", "threadcreate"} {
		write(folder, name)
	}
}
