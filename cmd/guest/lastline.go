package main

import (
	"bytes"
	"sync"
)

// A lastLine is a writer that keeps the last line that was written, for an error that tells why a program ended.
type lastLine struct {
	mu   sync.Mutex
	line []byte // whole
	part []byte // not ended
}

// longestLine is what is kept of a line, in B.
const longestLine = 512

func (l *lastLine) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := b; len(rest) > 0; {
		text, after, ended := bytes.Cut(rest, []byte{'\n'})
		l.part = append(l.part, text[:min(len(text), longestLine-len(l.part))]...)
		rest = after
		if !ended {
			break
		}
		if len(bytes.TrimSpace(l.part)) > 0 {
			l.line = append(l.line[:0], l.part...)
		}
		l.part = l.part[:0]
	}
	return len(b), nil
}

func (l *lastLine) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(bytes.TrimSpace(l.part)) > 0 {
		return string(l.part)
	}
	if len(l.line) == 0 {
		return "none"
	}
	return string(l.line)
}
