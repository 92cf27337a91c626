package influx

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxText is the longest text of one field, in bytes: servers refuse longer ones than 64 KiB.
const maxText = 60_000

// partMark stands before the number of a part, from 2, in the name of its field. No escaped name holds it.
const partMark = "%p"

// appendText appends the fields that hold a text, each after a comma. A long one is cut into parts.
func appendText(dst []byte, key []byte, text string) []byte {
	if len(text) <= maxText {
		return quote(append(append(append(dst, ','), key...), '='), text)
	}
	for i, part := range cut(text) {
		dst = append(append(dst, ','), key...)
		if i > 0 {
			dst = strconv.AppendInt(append(dst, partMark...), int64(i+1), 10)
		}
		dst = quote(append(dst, '='), part)
	}
	return dst
}

// cut cuts a text that is UTF-8 into parts of at most maxText, between runes. There is at least one.
func cut(text string) []string {
	var parts []string
	for len(text) > maxText {
		n := maxText
		for !utf8.RuneStart(text[n]) {
			n--
		}
		parts = append(parts, text[:n])
		text = text[n:]
	}
	return append(parts, text)
}

// quote appends a text as line protocol has it. Line ends stay as they are.
func quote(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			return append(append(dst, s...), '"')
		}
		dst = append(append(dst, s[:i]...), '\\', s[i])
		s = s[i+1:]
	}
}

// partOf takes the name of a field apart: the text that it is of, and which part, from 1.
func partOf(field string) (name string, part int) {
	name, number, found := strings.Cut(field, partMark)
	if n, err := strconv.Atoi(number); found && err == nil {
		return name, n
	}
	return field, 1
}

// joined is a text from its parts.
func joined(parts map[int]string) (string, error) {
	var b strings.Builder
	for i := range len(parts) {
		part, ok := parts[i+1]
		if !ok {
			return "", fmt.Errorf("part %d of a text is missing", i+1)
		}
		b.WriteString(part)
	}
	return b.String(), nil
}
