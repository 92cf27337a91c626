package stream_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stream"
	"virtscope/analysis/stream/streamtest"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s\nrun go test -update and look at the difference", path, diff)
	}
}

func build(t *testing.T, records []results.Record) *stream.Capture {
	t.Helper()
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	c, err := stream.Build(records)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var captures = map[string]func() []results.Record{
	"precopy": streamtest.PreCopy, "postcopy": streamtest.PostCopy, "damaged": streamtest.Damaged, "encrypted": streamtest.Encrypted,
	"nothing": func() []results.Record { return nil },
}

func TestWrite(t *testing.T) {
	for name, records := range captures {
		var b bytes.Buffer
		if err := stream.Write(&b, build(t, records())); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", b.Bytes())
		for line := range bytes.Lines(b.Bytes()) {
			if n := utf8.RuneCount(line) - 1; n > 120 {
				t.Errorf("%s: a line is %d columns wide: %s", name, n, line)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	c := build(t, streamtest.PreCopy())
	for i := range c.Migrations {
		c.Migrations[i].Bins = c.Migrations[i].Bins[:2]
	}
	got, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "precopy.json", append(got, '\n'))
	var again stream.Capture
	if err := json.Unmarshal(got, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*c, again); diff != "" {
		t.Errorf("a capture changes on its way through JSON:\n%s", diff)
	}
}

func TestPreCopyFigures(t *testing.T) {
	c := build(t, streamtest.PreCopy())
	m := c.Migrations[0]
	near := func(what string, q quantity.Quantity, value, low, high float64) {
		t.Helper()
		if !q.Known || math.Abs(q.Value-value) > 1e-9 || math.Abs(q.Low-low) > 1e-9 || math.Abs(q.High-high) > 1e-9 {
			t.Errorf("%s = %+v, want %v in [%v, %v]", what, q, value, low, high)
		}
	}
	near("downtime", m.Downtime, 0.076, 0.050, 0.08) // a frame of the guest 1 ms before the stop proves nothing
	near("page size", m.PageSize, 4096, 4096, 4096)
	if q := m.PreCopyRounds(); q.Value != 3 || !q.Censored {
		t.Errorf("rounds = %+v, want at least 3, as the synchronisations are a lower bound", q)
	}
	near("pages", m.Total, 17700+53513, 17700+53513, 17700+53513)
	near("round 2", m.Rounds[1].Duration, 0.3, 0.296, 0.307)
	near("working set of round 2", m.Rounds[1].WorkingSet, 4012*4096, 4012*4096, 4012*4096)
	near("last round", m.Rounds[3].Duration, 0.04, 0.04, 0.044)
	near("zero pages of round 3", m.Rounds[2].Pages.Of(results.PageZero), 0, 0, 0)
	if !m.Syncs.Censored {
		t.Errorf("syncs = %+v, want at least", m.Syncs)
	}
	g := c.Guests[0]
	near("outage", g.Outage, 0.105, 0.105, 0.105)
	near("floor", g.Floor, 0.0045, 0.0045, 0.0045)
	near("relearning", g.Relearning, 0.014, 0.014, 0.014)
}

// A round of QEMU's post-copy goes on while devices are sent, and the guest's start cuts no phase.
func TestPostCopyFigures(t *testing.T) {
	m := build(t, streamtest.PostCopy()).Migrations[0]
	if got := m.Rounds[1].Duration.Value; math.Abs(got-1.3) > 1e-9 {
		t.Errorf("post-copy's round lasts %v s, want 1.3", got)
	}
	var names []string
	for _, p := range m.Phases {
		names = append(names, p.Name)
	}
	want := []string{"setup", "pre-copy", "stop-and-copy", "device state", "post-copy"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if m.PageSize.Known || m.Rounds[0].WorkingSet.Known || m.PageSize.Why == "" {
		t.Errorf("page size %+v out of nothing", m.PageSize)
	}
	if m.Options["postcopy"] != "true" {
		t.Errorf("options %v", m.Options)
	}
}

// What holes leave unknown is never told as exact, and never zero.
func TestHoles(t *testing.T) {
	m := build(t, streamtest.Damaged()).Migrations[0]
	for name, q := range map[string]quantity.Quantity{
		"all": m.Total, "normal": m.Pages.Of(results.PageNormal), "round": m.Rounds[0].Total, "rounds": m.PreCopyRounds(), "working set": m.Rounds[0].WorkingSet,
	} {
		if !q.Known || !q.Censored || q.Why == "" {
			t.Errorf("%s = %+v, want at least", name, q)
		}
	}
	for name, q := range map[string]quantity.Quantity{
		"zero": m.Pages.Of(results.PageZero), "downtime": m.Downtime, "round 2": m.Rounds[1].Total, "end of round 2": m.Rounds[1].Duration, "syncs": m.Syncs,
	} {
		if q.Known || q.Why == "" {
			t.Errorf("%s = %+v, want unknown with a reason", name, q)
		}
	}
}

func TestBuildRefusesNonsense(t *testing.T) {
	stream1 := map[string]string{"stream": "1"}
	for _, r := range []results.Record{
		{Time: -1, Name: results.WireStage, Attrs: stream1},
		{Time: math.MaxInt64, Name: results.WireStage, Attrs: stream1},
		{Time: 1, Name: results.WirePages, Value: math.NaN(), Attrs: stream1},
		{Time: 1, Name: results.WirePages, Value: -1, Attrs: stream1},
		{Time: 1, Name: results.WireRound, Value: 1.5, Attrs: stream1},
		{Time: 1, Name: results.WireRound, Value: 0, Attrs: stream1},
		{Time: 1, Name: results.WireStage, Attrs: map[string]string{"stream": "1", "earliest": "soon"}},
		{Time: 1, Name: results.WireBytes, Attrs: map[string]string{"stream": "1", "bin": "0"}},
	} {
		r.Source = results.SourceWire
		if _, err := stream.Build([]results.Record{r}); err == nil {
			t.Errorf("%+v is taken", r)
		}
		r.Source = results.SourceQMP
		if c, err := stream.Build([]results.Record{r}); err != nil || len(c.Migrations) != 0 {
			t.Errorf("a record of another source is looked at: %v", err)
		}
	}
}
