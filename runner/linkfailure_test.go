package runner

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
)

// A ledger keeps in order what happened to links.
type ledger struct {
	mu   sync.Mutex
	list []string
}

func (l *ledger) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, s)
}

// TestLinkFailure cuts a link in the action and mends it, in time or at the end of the trial.
func TestLinkFailure(t *testing.T) {
	for _, c := range []struct {
		name string
		link spec.Link
		mend error
		want []string
		says string // in the verdict's reason; "" is completed
	}{
		{name: "none", link: spec.Link{}},
		{name: "in the action", link: spec.Link{DownFor: spec.Duration(time.Millisecond), DownWhen: "action"}, want: []string{"cut link", "mend link"}},
		{
			name: "longer than the trial", link: spec.Link{DownFor: spec.Duration(time.Hour), DownWhen: "action"},
			want: []string{"cut link", "mend link"},
		},
		{
			name: "post-copy that never comes", link: spec.Link{DownFor: spec.Duration(time.Millisecond), DownWhen: "postcopy"},
			says: "the link was not cut",
		},
		{
			name: "later than the trial", link: spec.Link{DownFor: spec.Duration(time.Millisecond), DownAfter: spec.Duration(time.Hour), DownWhen: "action"},
			says: "the link was not cut",
		},
		{
			name: "not mended", link: spec.Link{DownFor: spec.Duration(time.Millisecond), DownWhen: "action"}, mend: errors.New("no such port"),
			want: []string{"cut link", "mend link"}, says: "mend the link: no such port",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var did ledger
			l := &fakeLab{scripts: []script{{
				mend:     c.mend,
				onCut:    func(link string) { did.add("cut " + link) },
				onMend:   func(link string) { did.add("mend " + link) },
				onAction: func() { time.Sleep(20 * time.Millisecond) },
			}}}
			p := testPlan(1)
			p.Trials[0].Spec.Testbed.Link = c.link
			p.Trials[0].Spec.Retries = new(0)
			r := testRun(t, p)
			ended, err := Runner{Lab: l, Progress: &quiet{}}.Run(t.Context(), r, p)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(did.list, c.want) {
				t.Errorf("links: %v, want %v", did.list, c.want)
			}
			if got := ended[0].Reason; !strings.Contains(got, c.says) || (got == "") != (c.says == "") {
				t.Errorf("reason %q, want %q", got, c.says)
			}
			records, err := r.Records("a")
			if err != nil {
				t.Fatal(err)
			}
			downs := 0
			for _, rec := range records {
				if rec.Name == results.LinkDown {
					downs++
				}
			}
			if downs != min(1, len(c.want)) {
				t.Errorf("%d records of a cut, want %d", downs, min(1, len(c.want)))
			}
		})
	}
}

// TestPostcopyBegins wants the begin of post-copy to be the guest's start at the destination, after the turn.
func TestPostcopyBegins(t *testing.T) {
	turn := results.Record{Name: results.MigrationStatus, Attrs: map[string]string{"status": postcopyActive}}
	for _, c := range []struct {
		name    string
		records []results.Record
		want    bool
	}{
		{"boot", []results.Record{{Name: results.VMResume}}, false},
		{"turn", []results.Record{{Name: results.VMResume}, {Name: results.VMStop}, turn}, false},
		{"pre-copy", []results.Record{{Name: results.VMStop}, {Name: results.VMResume}}, false},
		{"start", []results.Record{{Name: results.VMStop}, turn, turn, {Name: results.VMResume}}, true},
		{"again", []results.Record{turn, {Name: results.VMResume}, turn, {Name: results.VMResume}}, true},
	} {
		w := newWitness(new(discard), func(results.Record) {})
		for _, r := range c.records {
			w.Record(r)
		}
		begun := false
		select {
		case <-w.postcopy:
			begun = true
		default:
		}
		if begun != c.want {
			t.Errorf("%s: begun is %t", c.name, begun)
		}
	}
}

type discard struct{}

func (*discard) Record(results.Record) {}
