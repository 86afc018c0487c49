// Profiles that are none of net/http/pprof's, as real services have them: one of wall time, written
// by hand, text dumps, and a page that is no profile.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"
)

const (
	wallRate = 99 // samples a second
	maxStack = 64
)

// What net/http/pprof serves by name once the program has it.
func provideLeakProfile() {
	if pprof.Lookup("goroutineleak") == nil {
		pprof.NewProfile("goroutineleak").Add(new(int), 0)
	}
}

func putNumber(out *bytes.Buffer, field int, value uint64) {
	putVarint(out, uint64(field)<<3)
	putVarint(out, value)
}

func putVarint(out *bytes.Buffer, value uint64) {
	for value >= 0x80 {
		out.WriteByte(byte(value) | 0x80)
		value >>= 7
	}
	out.WriteByte(byte(value))
}

func putBytes(out *bytes.Buffer, field int, data []byte) {
	putVarint(out, uint64(field)<<3|2)
	putVarint(out, uint64(len(data)))
	out.Write(data)
}

// The strings, functions and locations of one profile.
type wallProfile struct {
	strings []string
	ids     map[string]uint64 // of strings, and of functions, which are locations as well
	rest    bytes.Buffer
	stacks  map[string][]uint64
	counts  map[string]uint64
}

func (p *wallProfile) text(text string) uint64 {
	for i, known := range p.strings {
		if known == text {
			return uint64(i)
		}
	}
	p.strings = append(p.strings, text)
	return uint64(len(p.strings) - 1)
}

func (p *wallProfile) location(name string) uint64 {
	if id, known := p.ids[name]; known {
		return id
	}
	id := uint64(len(p.ids) + 1)
	p.ids[name] = id
	var function, line, location bytes.Buffer
	putNumber(&function, 1, id)
	putNumber(&function, 2, p.text(name))
	putBytes(&p.rest, 5, function.Bytes())
	putNumber(&line, 1, id)
	putNumber(&location, 1, id)
	putBytes(&location, 4, line.Bytes())
	putBytes(&p.rest, 4, location.Bytes())
	return id
}

// Every goroutine that there is, running or not.
func (p *wallProfile) sample() {
	records := make([]runtime.StackRecord, runtime.NumGoroutine()+16)
	count, ok := runtime.GoroutineProfile(records)
	if !ok {
		return
	}
	for _, record := range records[:count] {
		var stack []uint64
		frames := runtime.CallersFrames(record.Stack())
		for more := true; more && len(stack) < maxStack; {
			var frame runtime.Frame
			frame, more = frames.Next()
			stack = append(stack, p.location(frame.Function))
		}
		key := fmt.Sprint(stack)
		p.stacks[key] = stack
		p.counts[key]++
	}
}

func (p *wallProfile) encode(duration time.Duration) []byte {
	var out, kind bytes.Buffer
	putNumber(&kind, 1, p.text("wall"))
	putNumber(&kind, 2, p.text("nanoseconds"))
	putBytes(&out, 1, kind.Bytes())
	for key, stack := range p.stacks {
		var sample bytes.Buffer
		for _, id := range stack {
			putNumber(&sample, 1, id)
		}
		putNumber(&sample, 2, p.counts[key]*uint64(time.Second)/wallRate)
		putBytes(&out, 2, sample.Bytes())
	}
	out.Write(p.rest.Bytes())
	for _, text := range p.strings {
		putBytes(&out, 6, []byte(text))
	}
	putNumber(&out, 10, uint64(duration))
	return out.Bytes()
}

// `plain`: without gzip around it.
func wallClock(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.Atoi(r.FormValue("seconds"))
	if err != nil || seconds < 1 {
		seconds = 30
	}
	profile := wallProfile{strings: []string{""}, ids: map[string]uint64{},
		stacks: map[string][]uint64{}, counts: map[string]uint64{}}
	begin := time.Now()
	ticker := time.NewTicker(time.Second / wallRate)
	defer ticker.Stop()
	for time.Since(begin) < time.Duration(seconds)*time.Second {
		<-ticker.C
		profile.sample()
	}
	encoded := profile.encode(time.Since(begin))
	if r.FormValue("plain") != "" {
		w.Write(encoded)
		return
	}
	packed := gzip.NewWriter(w)
	packed.Write(encoded)
	packed.Close()
}

func allocatorDump(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "heap_v2/524288\n  t*: 28106: 56637512 [0: 0]\n")
}

func loginPage(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "<!DOCTYPE html>\n<title>Who are you?</title>\n")
}

func serveOtherProfiles(mux *http.ServeMux) {
	mux.HandleFunc("/debug/fgprof", wallClock)
	mux.HandleFunc("/debug/jemalloc", allocatorDump)
	mux.HandleFunc("/debug/page", loginPage)
}
