package timeline

import (
	"fmt"
	"slices"
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// Names of the metrics that not every algorithm has. A trial has those that apply to its algorithm, and any of which the
// hypervisor told a value.
const (
	PostCopyTime    = "postcopy.time"    // s: from the guest's start at the destination until the source was done, pauses included
	PostCopyPaused  = "postcopy.paused"  // s: of that, how long nothing could move: from each "postcopy-paused" of the source to the next "postcopy-active"
	PagesRequested  = "pages.requested"  // 1: page requests that the source received (QAPI ram.postcopy-requests)
	BytesPreCopy    = "bytes.precopy"    // B: as the hypervisor counts: sent while the guest ran at the source
	BytesDowntime   = "bytes.downtime"   // B: while it was stopped
	BytesPostCopy   = "bytes.postcopy"   // B: after it ran at the destination
	BytesMultifd    = "bytes.multifd"    // B: over multifd's channels
	ThrottleMax     = "throttle.max"     // 1: the largest share of CPU time that was taken from the guest
	XBZRLEBytes     = "xbzrle.bytes"     // B: sent as differences; a page whose difference overflowed counts whole
	XBZRLEPages     = "xbzrle.pages"     // 1: pages that were found in the cache
	XBZRLEMisses    = "xbzrle.misses"    // 1: pages that were not; the first pass over memory asks for none
	XBZRLEHits      = "xbzrle.hits"      // 1: share of pages found in the cache
	XBZRLEOverflow  = "xbzrle.overflow"  // 1: share of those whose difference was not worth it and that were sent whole
	CompressionRate = "compression.rate" // 1: as the hypervisor computes it, of what it compressed (QAPI compression.compression-rate)

	CancelTime       = "cancel.time"       // s: from the cancel on purpose until the source said that it was cancelled
	CancelStopped    = "cancel.stopped"    // 1: 1 if the guest was stopped in the migration that was cancelled on purpose, else 0
	FailureDetection = "failure.detection" // s: from the killing of the destination until the source said that the migration failed, or that post-copy was paused
)

// A counterMetric is a metric that is a counter of the hypervisor's.
type counterMetric struct {
	name, record string
	unit         results.Unit
	algorithms   []string // to which it applies; nil is all
	largest      bool     // the largest sample, not the final one
}

var counterMetrics = []counterMetric{
	{BytesPreCopy, results.MigrationPrecopyBytes, results.Bytes, nil, false},
	{BytesDowntime, results.MigrationDowntimeBytes, results.Bytes, nil, false},
	{BytesPostCopy, results.MigrationPostcopyBytes, results.Bytes, []string{results.AlgorithmPostCopy, results.AlgorithmHybrid}, false},
	{PagesRequested, results.MigrationPageRequests, results.One, []string{results.AlgorithmPostCopy, results.AlgorithmHybrid}, false},
	{BytesMultifd, results.MigrationMultifdBytes, results.Bytes, []string{results.AlgorithmMultifd}, false},
	{ThrottleMax, results.MigrationThrottle, results.One, []string{results.AlgorithmAutoConverge, results.AlgorithmDirtyLimit}, true},
	{XBZRLEBytes, results.MigrationXBZRLEBytes, results.Bytes, []string{results.AlgorithmXBZRLE}, false},
	{XBZRLEPages, results.MigrationXBZRLEPages, results.One, []string{results.AlgorithmXBZRLE}, false},
	{XBZRLEMisses, results.MigrationXBZRLEMisses, results.One, []string{results.AlgorithmXBZRLE}, false},
	{CompressionRate, results.MigrationCompressRate, results.One, []string{results.AlgorithmCompress}, false},
}

// measureAlgorithm adds what the algorithm of the migration has of its own.
func (t *Timeline) measureAlgorithm(x *index, m *migration, add func(string, quantity.Quantity)) {
	if t.Algorithm == "" && m.switched == nil {
		return // recorded before algorithms were
	}
	for _, c := range counterMetrics {
		q := x.final(c.record, c.unit)
		if c.largest {
			q = x.largest(c.record, c.unit)
		}
		if applies := c.algorithms == nil || slices.Contains(c.algorithms, t.Algorithm); applies || q.Known && q.Value != 0 {
			add(c.name, q)
		}
	}
	if t.Algorithm == results.AlgorithmXBZRLE {
		hits, overflow := x.xbzrle()
		add(XBZRLEHits, hits)
		add(XBZRLEOverflow, overflow)
	}
	if m.switched == nil && t.Algorithm != results.AlgorithmPostCopy && t.Algorithm != results.AlgorithmHybrid {
		return
	}
	add(PostCopyTime, m.postCopyTime())
	add(PostCopyPaused, m.pausedTime())
	t.measureRequests(add)
}

// largest is the largest sample of a name, whenever it was taken.
func (x *index) largest(name string, u results.Unit) quantity.Quantity {
	list := x.byName[name]
	if len(list) == 0 {
		return quantity.Unknown(u, "the hypervisor reported none")
	}
	best := list[0].Value
	for _, r := range list {
		best = max(best, r.Value)
	}
	return quantity.Exactly(best, u)
}

// xbzrle is the share of pages that the cache held, and of these the share that overflowed. QEMU counts a page that it found in
// the cache under xbzrle-cache.pages, whatever comes of it, and one that it did not find under cache-miss; an overflow is one
// whose difference is as long as the page (save_xbzrle_page in migration/ram.c). QAPI's cache-miss-rate is that of the time
// since the last synchronisation; these are over the whole migration.
func (x *index) xbzrle() (hits, overflow quantity.Quantity) {
	const u = results.One
	pages, misses := x.final(results.MigrationXBZRLEPages, u), x.final(results.MigrationXBZRLEMisses, u)
	switch {
	case !pages.Known:
		return pages, pages
	case !misses.Known:
		hits = misses
	case pages.Value+misses.Value == 0:
		hits = quantity.Unknown(u, "no page was looked up in the cache: there was one round, and the first asks for none")
	default:
		hits = quantity.Exactly(pages.Value/(pages.Value+misses.Value), u)
	}
	overflow = x.final(results.MigrationXBZRLEOverflow, u)
	switch {
	case !overflow.Known:
	case pages.Value == 0:
		overflow = quantity.Unknown(u, "no page was found in the cache")
	default:
		overflow = quantity.Exactly(overflow.Value/pages.Value, u)
	}
	return hits, overflow
}

func (m *migration) postCopyTime() quantity.Quantity {
	const u = results.Seconds
	switch {
	case m.switched == nil:
		return quantity.Unknown(u, "the migration did not turn to post-copy")
	case m.resume == nil || m.rolledBack:
		return quantity.Unknown(u, "no hypervisor reported that the guest ran at the destination")
	case m.completed == nil:
		return quantity.AtLeast(max(0, seconds(m.sent(m.resume.Time).Time-m.resume.Time)), u, "the source did not report that it was done")
	case m.completed.Time <= m.resume.Time:
		return quantity.Exactly(0, u) // all had been sent when the guest ran
	}
	return between(*m.resume, *m.completed)
}

func (m *migration) pausedTime() quantity.Quantity {
	const u = results.Seconds
	if m.switched == nil {
		return quantity.Unknown(u, "the migration did not turn to post-copy")
	}
	var since *Edge
	sum := quantity.Exactly(0, u)
	for i := range m.posts {
		p := &m.posts[i]
		switch {
		case p.status == "postcopy-paused":
			since = first(since, &p.edge)
		case p.status == "postcopy-active" && since != nil:
			sum, since = plus(sum, between(*since, p.edge)), nil
		}
	}
	if since != nil {
		return quantity.AtLeast(sum.Value+max(0, seconds(m.sent(since.Time).Time-since.Time)), u, "post-copy did not go on while it was observed")
	}
	return sum
}

// measureFaults adds what was done to the migration on purpose.
func (m *migration) measureFaults(add func(string, quantity.Quantity)) {
	const u = results.Seconds
	if m.cancel != nil {
		add(CancelTime, m.cancelTime())
		stopped := 0.0
		if m.stop != nil {
			stopped = 1
		}
		add(CancelStopped, quantity.Exactly(stopped, results.One))
	}
	if m.kill == nil {
		return
	}
	q := quantity.Unknown(u, "the source did not report that the migration failed")
	if e := m.detected(); e != nil {
		q = between(*m.kill, *e)
	}
	add(FailureDetection, q)
}

func (m *migration) cancelTime() quantity.Quantity {
	switch {
	case m.diskOnly():
		return quantity.Unknown(results.Seconds, "it was cancelled while the disk was copied: there was no migration yet of which the source could say that it is cancelled")
	case m.cancelled == nil && m.completed != nil:
		return quantity.Unknown(results.Seconds, "the migration had completed before it could be cancelled")
	case m.cancelled == nil:
		return quantity.Unknown(results.Seconds, "the source did not report that it was cancelled")
	}
	return between(*m.cancel, *m.cancelled)
}

// keepsUp is the share of what it is asked for that a workload must write in the baseline.
const keepsUp = 0.95

// measureAsked holds what the workload wrote in the baseline against what it was asked for. Both are told in one report.
func (t *Timeline) measureAsked(x *index, baseline window, add func(string, quantity.Quantity)) {
	if len(x.byName[results.GuestAsked]) == 0 {
		return
	}
	asked, share := quantity.Unknown(results.BytesPerSecond, "there was no baseline"), quantity.Unknown(results.One, "there was no baseline")
	if baseline.length() > 0 {
		asked = x.growth(results.GuestAsked, baseline)
		share = x.achieved(baseline)
	}
	add(DirtyAsked, asked)
	add(DirtyShare, share)
	if share.Known && share.High < keepsUp {
		t.Warnings = append(t.Warnings, fmt.Sprintf("the guest could not keep up: in the baseline it wrote %.0f %% of what its workload was asked for", 100*share.Value))
	}
}

// stores are the kinds of work that write all over memory of their own and do not say how much. What a disk's or a
// network's buffers take is the same few pages over and over.
var stores = []string{"kv", "redis"}

// counted is a dirty rate, which is a lower bound where a store ran beside the workload that counts.
func (x *index) counted(q quantity.Quantity) quantity.Quantity {
	list := x.byName[results.GuestDirtied]
	if !q.Known || len(list) == 0 {
		return q
	}
	for kind := range strings.SplitSeq(list[len(list)-1].Attrs["uncounted"], ",") {
		if slices.Contains(stores, kind) {
			return quantity.AtLeast(q.Low, q.Unit, kind+"'s writes to memory are not counted")
		}
	}
	return q
}

// achieved is what was written of what was asked for between the first and the last report within w.
func (x *index) achieved(w window) quantity.Quantity {
	asked, wrote := x.in(results.GuestAsked, w), map[int64]float64{}
	for _, r := range x.in(results.GuestDirtied, w) {
		wrote[r.Time] = r.Value
	}
	asked = slices.DeleteFunc(slices.Clone(asked), func(r results.Record) bool { _, ok := wrote[r.Time]; return !ok })
	if len(asked) < 3 {
		return quantity.Unknown(results.One, "fewer than three reports of the workload arrived in that time")
	}
	from, to := asked[0], asked[len(asked)-1]
	if to.Value <= from.Value {
		return quantity.Unknown(results.One, "nothing was asked for in that time")
	}
	return quantity.Exactly((wrote[to.Time]-wrote[from.Time])/(to.Value-from.Value), results.One)
}
