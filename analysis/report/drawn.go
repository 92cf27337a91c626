package report

import (
	"fmt"
	"slices"
	"strings"
)

// mostTreatments bounds of how many treatments the typical trial is drawn.
const mostTreatments = 8

// drawn chooses the treatments of which a trial is drawn, spread over the design: each next one has the levels that were
// chosen least, and is the furthest from those chosen. What is left out is named.
func drawn(groups []group) (chosen []group, left []string) {
	var places []int
	for i, g := range groups {
		if _, ok := g.typical(); ok {
			places = append(places, i)
		}
	}
	var taken []int
	uses := map[string]int{}
	for len(taken) < min(mostTreatments, len(places)) {
		best, bestUsed, bestFar := -1, 0, 0
		for _, i := range places {
			if slices.Contains(taken, i) {
				continue
			}
			used, far := 0, len(groups)
			for _, l := range groups[i].levels {
				used += uses[l.Factor+"="+l.Value]
			}
			for _, j := range taken {
				far = min(far, max(i-j, j-i))
			}
			if best < 0 || used < bestUsed || used == bestUsed && far > bestFar {
				best, bestUsed, bestFar = i, used, far
			}
		}
		taken = append(taken, best)
		for _, l := range groups[best].levels {
			uses[l.Factor+"="+l.Value]++
		}
	}
	for _, i := range places {
		if slices.Contains(taken, i) {
			chosen = append(chosen, groups[i])
		} else {
			left = append(left, groups[i].name)
		}
	}
	return chosen, left
}

// drawnNote says what is not drawn, and where it is to be found; "" if all is.
func drawnNote(chosen []group, left []string, run string) string {
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf("Drawn is a trial of %d of %d treatments, spread over the design. Not drawn: %s. virtscope show runs/%s TRIAL tells any trial in full; trials.csv has the figures of all.",
		len(chosen), len(chosen)+len(left), strings.Join(left, "; "), run)
}
