package runner

import (
	"errors"
	"fmt"
	"testing"
	"virtscope/results"
)

// TestUnanswered tells a guest that is gone, or that refuses, from one that our own limit cut off.
func TestUnanswered(t *testing.T) {
	late := fmt.Errorf("verify: %w", fmt.Errorf("no answer within 1m0s: %w", errLimit))
	for _, c := range []struct {
		name  string
		err   error
		alive bool
		want  results.Verdict
	}{
		{"late, its heart beats", late, true, results.Invalid},
		{"late and silent", late, false, results.Failed},
		{"refuses, its heart beats", errors.New("stop workload: the disk is lost"), true, results.Failed},
	} {
		if got, reason := judge(false, unanswered(c.err, c.alive)); got != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, got, reason, c.want)
		}
	}
}
