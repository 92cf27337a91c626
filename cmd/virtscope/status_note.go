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

// minClipped is how much of a line stays beside a note, in characters.
const minClipped = 24

// withNote clips the line rather than the note that ends it, where both have room.
func withNote(line, note string, width int) string {
	end := " · " + note
	if room := width - len([]rune(end)); room >= minClipped {
		return clip(line, room) + end
	}
	return clip(line+end, width)
}

func clip(line string, width int) string {
	r := []rune(line)
	if len(r) <= width {
		return line
	}
	return string(r[:width-1]) + "…"
}
