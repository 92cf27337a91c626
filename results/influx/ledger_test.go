package influx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A disk that is full keeps no refused line: then its batch is not settled, and a later push sends it again.
func TestNothingIsSettledThatCouldNotBeKept(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	defer full.Close()
	l := &ledger{path: filepath.Join(t.TempDir(), "state"), state: &State{Attempts: []AttemptState{{Trial: "a", Attempt: 1}}}, refused: full}
	b := &batch{attempt: 0, records: 7, last: true, refused: []Refusal{{Number: 7, Line: "x", Reason: "no"}}}
	l.expect(b)
	if err := l.settle(b); err == nil || !strings.Contains(err.Error(), "keep what is refused") {
		t.Errorf("got %v", err)
	}
	if a := l.state.Attempts[0]; a.Records != 0 || a.Done || l.state.Refused != 0 || l.state.Lost != 0 || l.sent != 0 {
		t.Errorf("settled %+v, sent %d", l.state, l.sent)
	}
}
