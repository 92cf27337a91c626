package qemu

import (
	"regexp"
	"strings"
	"time"
)

// maxText bounds how much of a line is looked at and kept, in B.
const maxText = 200

// A line of a console that has begun.
type line struct {
	number int       // from 0
	began  time.Time // its first byte arrived
	text   string    // what is printable of its first maxText bytes
}

// A lines cuts a stream of bytes into lines, each with the arrival of its first byte. The zero value is ready to use.
type lines struct {
	opens func() // called when a line begins; may be nil
	count int
	began time.Time
	text  []byte
	open  bool // a byte of the line has arrived
	told  bool // it was handed on
}

// take hands on each line as soon as its text is known: at its end, or after maxText bytes.
func (l *lines) take(p []byte, at time.Time, out func(line)) {
	for _, c := range p {
		if c == '\n' {
			l.end(out)
			continue
		}
		if c == '\r' && !l.open {
			continue // of \n\r
		}
		if !l.open {
			l.open, l.began = true, at
			if l.opens != nil {
				l.opens()
			}
		}
		if len(l.text) < maxText {
			l.text = append(l.text, c)
		}
		if len(l.text) == maxText {
			l.tell(out)
		}
	}
}

// end ends the line that is open, if one is: by its last byte or that of the stream.
func (l *lines) end(out func(line)) {
	if l.open {
		l.tell(out)
	}
	l.open, l.told, l.text = false, false, l.text[:0]
}

func (l *lines) tell(out func(line)) {
	if l.told {
		return
	}
	l.told = true
	out(line{number: l.count, began: l.began, text: printable(l.text)})
	l.count++
}

// escapes are the sequences by which a program moves a terminal's cursor and sets its colors (ECMA-48, CSI).
var escapes = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

func printable(raw []byte) string {
	text := escapes.ReplaceAllString(string(raw), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, text))
}
