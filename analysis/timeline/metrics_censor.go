package timeline

import (
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// spent are what a migration adds to for as long as it goes on.
var spent = []string{
	RoundCount, BytesPayload, BytesWire, BytesTransferred, PagesNormal, PagesZero, CPUSource, CPUDestination, CPUMigration,
	WireRounds, WirePagesNormal, WirePagesZero, WirePagesTotal, WireSyncs, WireBytes,
}

// suffered are the outages that come with the guest's stop.
var suffered = []string{BlackoutWire, BlackoutClient, BlackoutGuest}

// censor makes lower bounds of what a migration had cost when it failed: to bring the guest over takes more, and giving up early is no good result. One
// that was called off or killed on purpose is observed for what that does, and stays as it is.
func (t *Timeline) censor(m *migration) {
	if t.Verdict != results.Failed || m.onPurpose() || t.arrived(m) {
		return
	}
	for i := range t.Metrics {
		q := &t.Metrics[i]
		switch {
		case !q.Known || q.Censored:
		case slices.Contains(spent, q.Name):
			q.Quantity = quantity.AtLeast(q.Low, q.Unit, "the migration did not complete")
		case !slices.Contains(suffered, q.Name):
		case m.stop == nil:
			q.Quantity = quantity.AtLeast(q.Low, q.Unit, "the migration failed before it stopped the guest")
		default:
			q.Quantity = quantity.AtLeast(q.Low, q.Unit, "the migration did not complete")
		}
	}
}
