package spec

import (
	"strconv"
	"strings"
	"time"
)

// The texts of postcopy-start.
const (
	postcopyAtOnce        = "at-once"
	postcopyNotConverging = "not-converging"
)

const postcopyStartWant = "at-once, a number of rounds (2 rounds), a time (3s) or not-converging"

// IsPostcopy reports whether m ends in post-copy.
func (m Migrate) IsPostcopy() bool { return m.Algorithm == "postcopy" || m.Algorithm == "hybrid" }

// PostcopySwitch says when m turns to post-copy: after so many rounds of pre-copy, after a time, when it is seen not to
// converge, or at once if all are zero. It is for postcopy and hybrid; of other algorithms it has no meaning. The error says
// what postcopy-start would accept.
func (m Migrate) PostcopySwitch() (rounds int, after time.Duration, notConverging bool, err error) {
	switch text := m.PostcopyStart; {
	case text == "" && m.Algorithm == "hybrid":
		return 1, 0, false, nil
	case text == "" || text == postcopyAtOnce:
		return 0, 0, false, nil
	case text == postcopyNotConverging:
		return 0, 0, true, nil
	case strings.HasSuffix(text, "round") || strings.HasSuffix(text, "rounds"):
		rounds, err = parseRounds(text)
		return rounds, 0, false, err
	}
	d, err := ParseDuration(m.PostcopyStart)
	if err != nil || d <= 0 {
		return 0, 0, false, &quantityError{want: postcopyStartWant}
	}
	return 0, time.Duration(d), false, nil
}

// parseRounds reads 1 round or 2 rounds.
func parseRounds(text string) (int, error) {
	number, word, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || strconv.Itoa(n) != number || (word != "rounds" && (n != 1 || word != "round")) {
		return 0, &quantityError{want: postcopyStartWant}
	}
	return n, nil
}
