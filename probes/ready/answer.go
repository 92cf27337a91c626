package ready

import "time"

// An answer is what is known of a guest's first one. Times are ns since the Unix epoch.
type answer struct {
	at       int64 // it arrived
	sent     int64 // the attempt that it answers was made
	before   int64 // the attempt before that; without one, sent
	attempts int   // up to the answer

	interval int64 // ns, of attempts
	fresh    int64 // ns: what an attempt took that was made afterwards; 0 is not known
}

func (a answer) rtt() int64 { return a.at - a.sent }

// held is whether the attempt took so long that it was at the guest's door before the guest could answer.
func (a answer) held() bool { return a.rtt() > 2*a.interval }

// bound is by how much earlier, in ns, a client that asks without a pause might have had an answer.
func (a answer) bound() int64 {
	since := a.at - a.before
	if a.held() && a.fresh > 0 {
		return min(since, a.fresh+a.interval)
	}
	return since
}

// spread is the interval of attempts when many share a rate: at least least, and apart between any two.
func spread(least, apart time.Duration, guests int) time.Duration {
	return max(least, time.Duration(guests)*apart)
}
