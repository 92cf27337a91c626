package main

import "fmt"

// also has the line end with what note says.
func (s *status) also(note func() string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note = note
}

// say writes a line of its own.
func (s *status) say(text string) {
	s.clear()
	fmt.Fprintln(s.w, text)
}
