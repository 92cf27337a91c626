package spec

import "strings"

// nearest is the candidate that is the fewest edits away from word, or "" if none is near enough to be meant.
func nearest(word string, candidates []string) string {
	best, least := "", max(1, min(3, len(word)/3))+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// didYouMean is a clause to append, or "".
func didYouMean(word string, candidates []string) string {
	if len(word) > 64 { // nobody's typing error, and the distance is quadratic
		return ""
	}
	if n := nearest(word, candidates); n != "" {
		return "; did you mean " + n + "?"
	}
	return ""
}

// distance is the optimal string alignment distance: insertions, deletions, substitutions and swaps of
// neighbours.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	older := make([]int, len(y)+1)
	prev := make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, prev = prev, row
	}
	return prev[len(y)]
}
