package stream_test

import (
	"strconv"
	"strings"
	"testing"
	"virtscope/analysis/stream/streamtest"
	"virtscope/results"
)

// TestStoppedBefore holds the stop of a guest that wrote nothing while it was sent against that of one that did.
func TestStoppedBefore(t *testing.T) {
	ran := build(t, streamtest.PreCopy()).Migrations[0]
	const note = "may have been stopped before"
	if strings.Contains(strings.Join(ran.Notes, "\n"), note) {
		t.Errorf("a guest whose pages pass again ran: %q", ran.Notes)
	}
	records := streamtest.PreCopy()
	for i, r := range records {
		if r.Name == results.WireRoundResent {
			records[i].Value = 0
		}
	}
	m := build(t, records).Migrations[0]
	if !strings.Contains(strings.Join(m.Notes, "\n"), note) {
		t.Errorf("nothing shows that the guest ran, and no note says so: %q", m.Notes)
	}
	// The guest may have been stopped from the migration's begin on, 1.376 s before it ran again.
	if m.Downtime.Value != ran.Downtime.Value || m.Downtime.Low != ran.Downtime.Low || strconv.FormatFloat(m.Downtime.High, 'f', 3, 64) != "1.376" {
		t.Errorf("downtime %+v, of the guest that ran %+v", m.Downtime, ran.Downtime)
	}
}
