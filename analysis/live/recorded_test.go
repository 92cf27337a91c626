package live

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/quantity"
	"virtscope/analysis/timeline"
	"virtscope/results"
)

var update = flag.Bool("update", false, "write the screens anew")

func recorded(t testing.TB) (*results.Run, map[string]Link) {
	t.Helper()
	r, err := results.Open("testdata/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]Link{}
	for _, p := range r.Plan {
		links[p.ID] = Link{Rate: 50e6, Most: 50e6}
	}
	return r, links
}

// feed folds the run until stop says so of a record.
func feed(t testing.TB, r *results.Run, links map[string]Link, stop func(trial int, r results.Record) bool) *Run {
	t.Helper()
	s := NewRun(r.Manifest, r.Plan, links)
	s.Process(Working, "")
	entries, err := r.Entries()
	if err != nil {
		t.Fatal(err)
	}
	trial := 0
	for _, e := range entries {
		s.Entry(e)
		if e.Event != results.TrialBegin {
			continue
		}
		trial++
		records, err := r.Records(e.Trial)
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			s.Records(records[i : i+1])
			if stop(trial, records[i]) {
				return s
			}
		}
	}
	s.Process(Gone, "")
	return s
}

// What is shown at the end of a trial is what its timeline derives, wherever both tell.
func TestAgreesWithTheTimeline(t *testing.T) {
	r, links := recorded(t)
	for i, p := range r.Plan {
		s := feed(t, r, links, func(trial int, rec results.Record) bool { return trial == i+1 && rec.Name == results.TrialEnd })
		v := s.View(s.Newest()).Trial
		o, _, err := r.Outcome(p.ID)
		if err != nil {
			t.Fatal(err)
		}
		records, err := r.Records(p.ID)
		if err != nil {
			t.Fatal(err)
		}
		tl, err := timeline.Build(o, records)
		if err != nil {
			t.Fatal(err)
		}
		for _, out := range tl.Outages {
			switch out.Name {
			case timeline.Downtime:
				if !v.Downtime.Known || math.Abs(v.Downtime.Value-out.Value) > 1e-6 {
					t.Errorf("%s: downtime %+v, the timeline has %+v", p.ID, v.Downtime, out.Quantity)
				}
			case timeline.BlackoutWire:
				if !v.Wire.Known || math.Abs(v.Wire.Value-out.Raw.Value) > 1e-6 {
					t.Errorf("%s: silence %+v, the timeline has %+v", p.ID, v.Wire, out.Raw)
				}
			case timeline.BlackoutClient:
				if !v.Client.Known || math.Abs(v.Client.Value-out.Raw.Value) > 1e-6 {
					t.Errorf("%s: unanswered %+v, the timeline has %+v", p.ID, v.Client, out.Raw)
				}
			}
		}
		told := 0
		for _, got := range v.Rounds {
			for _, want := range tl.Rounds {
				if want.N != got.N {
					continue
				}
				if math.Abs(got.Duration.Value-want.Duration.Value) > 1e-6 {
					t.Errorf("%s round %d: lasted %v, the timeline has %v", p.ID, got.N, got.Duration.Value, want.Duration.Value)
				}
				if got.Sent.Known != want.Transferred.Known || got.Dirty.Known != want.DirtyRate.Known {
					t.Errorf("%s round %d: %+v, %+v; the timeline has %+v, %+v", p.ID, got.N, got.Sent, got.Dirty, want.Transferred, want.DirtyRate)
				}
				if got.Sent.Known {
					told++
					// What the link allows is not in the records that the timeline has here.
					if got.Sent.Value != want.Transferred.Value || got.Sent.Low > want.Transferred.Low || got.Sent.High < want.Transferred.High {
						t.Errorf("%s round %d: sent %+v, the timeline has %+v", p.ID, got.N, got.Sent, want.Transferred)
					}
				}
				if got.Dirty.Value != want.DirtyRate.Value {
					t.Errorf("%s round %d: dirtied %v, the timeline has %v", p.ID, got.N, got.Dirty.Value, want.DirtyRate.Value)
				}
			}
		}
		if told == 0 {
			t.Errorf("%s: of no round both tell what was sent", p.ID)
		}
	}
}

// The screens at moments of a run, wide and narrow, with colour and without.
func TestScreens(t *testing.T) {
	r, links := recorded(t)
	seen := 0
	moments := []struct {
		name string
		stop func(trial int, rec results.Record) bool
	}{
		{"boot", func(_ int, rec results.Record) bool { return rec.Attrs["state"] == results.StateBoot }},
		{"round", func(_ int, rec results.Record) bool {
			if rec.Name == results.FlowBytes {
				seen++
			}
			return seen == 1500
		}},
		{"stopped", func(trial int, rec results.Record) bool { return trial == 2 && rec.Name == results.VMStop }},
		{"resumed", func(trial int, rec results.Record) bool { return trial == 2 && rec.Name == results.ActionEnd }},
		{"ended", func(int, results.Record) bool { return false }},
	}
	for _, m := range moments {
		seen = 0
		s := feed(t, r, links, m.stop)
		v := s.View(s.Newest().Add(40 * time.Millisecond))
		var b strings.Builder
		for _, width := range []int{80, 40} {
			fmt.Fprintf(&b, "--- %d\n", width)
			for _, line := range Draw(v, width, false) {
				if n := cells.StringWidth(line); n > width {
					t.Errorf("%s: a line of %d cells at %d: %s", m.name, n, width, line)
				}
				b.WriteString(line + "\n")
			}
		}
		b.WriteString("--- colour\n")
		for _, line := range Draw(v, 80, true) {
			b.WriteString(strings.ReplaceAll(line, "\x1b", "^") + "\n")
		}
		golden(t, m.name+".txt", b.String())
	}
}

// The lines of a log.
func TestLines(t *testing.T) {
	r, links := recorded(t)
	s := feed(t, r, links, func(int, results.Record) bool { return false })
	var b strings.Builder
	begin := s.begin
	for _, l := range s.Lines() {
		fmt.Fprintf(&b, "%7.3f %s\n", l.Time.Sub(begin).Seconds(), l.Text)
	}
	golden(t, "lines.txt", b.String())
	if len(s.Lines()) != 0 {
		t.Error("lines are told twice")
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs: got\n%s\nwant\n%s", name, got, want)
	}
}

// BenchmarkFold is what a watcher spends on a record of a real trial, and BenchmarkView on a screen.
func BenchmarkFold(b *testing.B) {
	r, links := recorded(b)
	records, err := r.Records(r.Plan[0].ID)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		s := NewRun(r.Manifest, r.Plan, links)
		s.Entry(results.Entry{Event: results.TrialBegin, Trial: r.Plan[0].ID, Attempt: 1})
		s.Records(records)
		n += len(records)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
}

func BenchmarkView(b *testing.B) {
	r, links := recorded(b)
	s := feed(b, r, links, func(trial int, rec results.Record) bool { return trial == 2 && rec.Name == results.ActionEnd })
	b.ReportAllocs()
	for b.Loop() {
		Draw(s.View(s.Newest()), 80, true)
	}
}

// figures of a trial, by name: those that are of the trial, and not of a moment.
func figures(v *Trial) map[string]quantity.Quantity {
	m := map[string]quantity.Quantity{"downtime": v.Downtime, "on the wire": v.Wire, "without answer": v.Client, "longest trip": v.RTTMax}
	for _, r := range v.Rounds {
		name := fmt.Sprintf("round %d ", r.N)
		m[name+"lasted"], m[name+"sent"], m[name+"pages"] = r.Duration, r.Sent, r.Pages
		if !strings.Contains(v.Phase, "round") { // one that ended
			m[name+"dirtied"] = r.Dirty
		}
	}
	return m
}

// What is said of a trial while it goes on is true in the end.
func TestWhatIsSaidStaysTrue(t *testing.T) {
	r, links := recorded(t)
	for _, p := range r.Plan {
		records, err := r.Records(p.ID)
		if err != nil {
			t.Fatal(err)
		}
		staysTrue(t, p.ID, func() *Run { return NewRun(r.Manifest, r.Plan, links) }, p.ID, records)
	}
}

// staysTrue folds a trial's records twice: to the end, and step by step, where nothing may be said that the end gives the lie.
func staysTrue(t *testing.T, name string, fresh func() *Run, id string, records []results.Record) {
	t.Helper()
	begin := func() *Run {
		s := fresh()
		s.Process(Working, "")
		s.Entry(results.Entry{Time: time.Unix(0, records[0].Time), Event: results.TrialBegin, Trial: id, Attempt: 1})
		return s
	}
	final := begin()
	final.Records(records)
	final.Entry(results.Entry{Event: results.TrialDone, Trial: id, Attempt: 1, Verdict: results.Completed})
	end := figures(final.View(final.Newest()).Trial)
	s, bounds := begin(), 0
	for k := range records {
		s.Records(records[k : k+1])
		if rec := records[k]; k%25 != 0 && rec.Source != results.SourceQMP {
			continue
		}
		for what, q := range figures(s.View(s.Newest()).Trial) {
			want := end[what]
			switch {
			case !q.Known:
			case !want.Known:
				t.Fatalf("%s, record %d: %s %+v, and unknown in the end: %s", name, k, what, q, want.Why)
			case q.Censored:
				bounds++
				if q.Value > want.High {
					t.Fatalf("%s, record %d: %s %+v, and %+v in the end", name, k, what, q, want)
				}
			case want.Censored && q.High < want.Value, !want.Censored && (q.Low > want.High || q.High < want.Low):
				t.Fatalf("%s, record %d: %s %+v, and %+v in the end", name, k, what, q, want)
			}
		}
	}
	if bounds == 0 {
		t.Errorf("%s: there was no bound to hold", name)
	}
}
