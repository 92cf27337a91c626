package influx

import (
	"strings"
	"unicode/utf8"
)

// Names and tag values that line protocol has no form for are escaped; those that need no escape stay as they are. The rule, which unescape takes
// back exactly:
//
//   - A control character, a backslash, and a byte that is not UTF-8 become a percent sign and two upper-case hexadecimal digits. So does a percent
//     sign that is followed by two such digits, or by p, which marks the parts of a long text.
//   - An empty value becomes a percent sign alone, since a tag without a value is no tag.
//   - Of a name that means something else (a measurement or key of the schema, or one that begins with _ or #), the first byte is escaped.
const hexDigits = "0123456789ABCDEF"

// escapeAppend appends a value, escaped for line protocol as well: a comma, an equals sign and a space get a backslash.
func escapeAppend(dst []byte, s string) []byte {
	switch s {
	case "":
		return append(dst, '%')
	case "%": // alone it would be empty
		return percent(dst, '%')
	}
	for i := 0; i < len(s); {
		if c := s[i]; c == ',' || c == '=' || c == ' ' {
			dst = append(dst, '\\')
		}
		dst, i = escapeRune(dst, s, i)
	}
	return dst
}

// escapeRune appends the rune of s at i, and returns where the next one is.
func escapeRune(dst []byte, s string, i int) ([]byte, int) {
	c := s[i]
	if c < ' ' || c == 0x7f || c == '\\' || c == '%' && means(s[i+1:]) {
		return percent(dst, c), i + 1
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && size == 1 {
		return percent(dst, c), i + 1
	}
	return append(dst, s[i:i+size]...), i + size
}

// means reports whether a percent sign before rest would be read as an escape.
func means(rest string) bool {
	return len(rest) > 1 && isHex(rest[0]) && isHex(rest[1]) || rest != "" && rest[0] == 'p'
}

func isHex(c byte) bool { return strings.IndexByte(hexDigits, c) >= 0 }

func percent(dst []byte, c byte) []byte { return append(dst, '%', hexDigits[c>>4], hexDigits[c&15]) }

// escapeName appends a name; reserved says that it means something else. What line protocol would escape is a percent sign and digits, too: parsers
// differ in what they take for an escape in which name.
func escapeName(dst []byte, s string, reserved bool) []byte {
	if s == "" {
		return append(dst, '%')
	}
	for i := 0; i < len(s); {
		c := s[i]
		if c == ',' || c == '=' || c == ' ' || i == 0 && (reserved || c == '_' || c == '#') || s == "%" {
			dst = percent(dst, c)
			i++
			continue
		}
		dst, i = escapeRune(dst, s, i)
	}
	return dst
}

// escape is a value as the server holds it: without what line protocol adds.
func escape(s string) string {
	return plain(escapeAppend(nil, s))
}

// plain takes away line protocol's own escapes. No backslash of the value itself is left beside them.
func plain(b []byte) string { return strings.ReplaceAll(string(b), `\`, "") }

// unescape takes back what escape and escapeName did.
func unescape(s string) string {
	if s == "%" {
		return ""
	}
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b.WriteByte(byte(strings.IndexByte(hexDigits, s[i+1])<<4 | strings.IndexByte(hexDigits, s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
