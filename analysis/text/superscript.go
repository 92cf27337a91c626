package text

import "strconv"

// Superscript is n, at least 0, in raised digits, which mark a note.
func Superscript(n int) string {
	digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	var out string
	for _, d := range strconv.Itoa(max(n, 0)) {
		out += string(digits[d-'0'])
	}
	return out
}
