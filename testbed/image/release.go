package image

import (
	"cmp"
	"strings"
)

// compareReleases orders kernel releases as versions: 6.9 before 6.10, and a release candidate before its
// release. Runs of digits compare as numbers, everything else as text.
func compareReleases(a, b string) int {
	for a != "" && b != "" {
		partA, restA := cutPart(a)
		partB, restB := cutPart(b)
		if c := compareParts(partA, partB); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	switch {
	case strings.HasPrefix(a, "-rc"):
		return -1
	case strings.HasPrefix(b, "-rc"):
		return 1
	}
	return cmp.Compare(len(a), len(b))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// cutPart cuts off the leading run of digits or of anything else.
func cutPart(s string) (part, rest string) {
	n := 1
	for n < len(s) && isDigit(s[n]) == isDigit(s[0]) {
		n++
	}
	return s[:n], s[n:]
}

func compareParts(a, b string) int {
	if isDigit(a[0]) && isDigit(b[0]) {
		// Without leading zeros, the longer number is the greater. Any length of digits is fine.
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	}
	aCandidate, bCandidate := strings.HasPrefix(a, "-rc"), strings.HasPrefix(b, "-rc")
	if aCandidate != bCandidate {
		if aCandidate {
			return -1
		}
		return 1
	}
	return cmp.Compare(a, b)
}
