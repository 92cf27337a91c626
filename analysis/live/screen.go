package live

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// indent is how many cells the labels take.
const indent = 9

type style string

const (
	none   style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// A part is a piece of a row that is not divided if it need not be.
type part struct {
	text  string
	style style
}

func plain(format string, args ...any) part { return part{fmt.Sprintf(format, args...), none} }

const separator = " · "

// A screen lays parts out in lines of a width in cells.
type screen struct {
	width  int
	colour bool
	lines  []string
}

// cells measures text as a terminal outside East Asia does, where ambiguous characters are narrow.
var cells = &runewidth.Condition{EastAsianWidth: false, StrictEmojiNeutral: true}

// row writes parts behind a label, on as many lines as it takes.
func (s *screen) row(label string, parts ...part) {
	margin := 0
	if label != "" || len(s.lines) > 0 {
		margin = indent
	}
	if bare(label, parts) {
		margin = 0
	}
	hang := indent
	var b strings.Builder
	b.WriteString(s.dress(part{label, dim}))
	used := cells.StringWidth(label)
	if margin > used {
		b.WriteString(strings.Repeat(" ", margin-used))
		used = margin
	}
	start := used
	for _, p := range parts {
		p.text = Clean(p.text)
		if strings.TrimSpace(p.text) == "" {
			continue
		}
		w := cells.StringWidth(p.text)
		switch {
		case used == start:
		case used+len(separator)-1+w <= s.width: // the separator's dot takes two bytes and one cell
			b.WriteString(separator)
			used += len(separator) - 1
		default:
			s.lines = append(s.lines, b.String())
			b.Reset()
			b.WriteString(strings.Repeat(" ", min(hang, s.width/2)))
			used = min(hang, s.width/2)
			start = used
		}
		for i, text := range s.broken(p.text, s.width-used, s.width-min(hang, s.width/2)) {
			if i > 0 {
				s.lines = append(s.lines, b.String())
				b.Reset()
				start = min(hang, s.width/2)
				used = start
				b.WriteString(strings.Repeat(" ", start))
			}
			b.WriteString(s.dress(part{text, p.style}))
			used += cells.StringWidth(text)
		}
	}
	s.lines = append(s.lines, b.String())
}

// bare rows begin at the margin: those of a bold first part without a label.
func bare(label string, parts []part) bool {
	return label == "" && len(parts) > 0 && parts[0].style == bold
}

func (s *screen) dress(p part) string {
	if !s.colour || p.style == none || p.text == "" {
		return p.text
	}
	return "\x1b[" + string(p.style) + "m" + p.text + "\x1b[0m"
}

// Clean replaces what would move a terminal's cursor, or write backwards: text of guests and tools is not ours.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, text)
}

// maxBroken bounds the lines that one part takes.
const maxBroken = 4

// broken breaks text at its spaces into pieces, the first of which is at most so wide and the others rest. A word that is wider is cut off.
func (s *screen) broken(text string, width, rest int) []string {
	if cells.StringWidth(text) <= width {
		return []string{text}
	}
	var list []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		room := rest
		if len(list) == 0 {
			room = width
		}
		switch {
		case line == "":
			line = cells.Truncate(word, room, "…")
		case cells.StringWidth(line)+1+cells.StringWidth(word) <= room:
			line += " " + word
		case len(list) == maxBroken-1:
			return append(list, cells.Truncate(line+" …", room, "…"))
		default:
			list = append(list, line)
			line = cells.Truncate(word, rest, "…")
		}
	}
	return append(list, line)
}
