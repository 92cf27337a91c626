package spec

import (
	"slices"
	"testing"
	"time"
)

func TestEffectiveLink(t *testing.T) {
	wan := Link{Profile: "wan", Rate: 12.5e6, Delay: Duration(12500 * time.Microsecond), Jitter: Duration(time.Millisecond), Loss: 1e-4}
	slow := wan
	slow.Rate, slow.Loss = 1e6, 0.5
	for name, c := range map[string]struct{ link, want Link }{
		"custom":     {Link{Profile: "custom", Delay: 5}, Link{Profile: "custom", Delay: 5}},
		"lan-1g":     {Link{Profile: "lan-1g"}, Link{Profile: "lan-1g", Rate: 125e6}},
		"lan-10g":    {Link{Profile: "lan-10g"}, Link{Profile: "lan-10g", Rate: 1250e6}},
		"wan":        {Link{Profile: "wan"}, wan},
		"own values": {Link{Profile: "wan", Rate: 1e6, Loss: 0.5}, slow},
	} {
		if got := c.link.Effective(); got != c.want || got.Effective() != got {
			t.Errorf("%s: got %+v, again %+v", name, got, got.Effective())
		}
	}
	if got := (Link{Profile: "wan"}).Sends(); got != 12.5e6 {
		t.Errorf("a link without upload sends %s", got)
	}
	if got := (Link{Profile: "wan", Upload: 1e6}).Sends(); got != 1e6 {
		t.Errorf("a link with an upload of 1MB/s sends %s", got)
	}
}

// TestProfilesAreNamed: the enumeration of profiles is the table's, and custom.
func TestProfilesAreNamed(t *testing.T) {
	f, _ := grammar().at("testbed.link.profile")
	for _, name := range f.enum {
		if _, ok := profiles[name]; ok == (name == "custom") {
			t.Errorf("%s: in the table: %t", name, ok)
		}
	}
	if len(f.enum) != len(profiles)+1 {
		t.Errorf("%d names, %d profiles", len(f.enum), len(profiles))
	}
}

func TestPostcopySwitch(t *testing.T) {
	for _, c := range []struct {
		algorithm, start string
		rounds           int
		after            time.Duration
		notConverging    bool
		bad              bool
	}{
		{"postcopy", "", 0, 0, false, false},
		{"hybrid", "", 1, 0, false, false},
		{"hybrid", "at-once", 0, 0, false, false},
		{"postcopy", "1 round", 1, 0, false, false},
		{"postcopy", "20 rounds", 20, 0, false, false},
		{"postcopy", "1m30s", 0, 90 * time.Second, false, false},
		{"postcopy", "not-converging", 0, 0, true, false},
		{"postcopy", "0", 0, 0, false, true},
		{"postcopy", "-1 rounds", 0, 0, false, true},
		{"postcopy", "2 round", 0, 0, false, true},
		{"postcopy", "rounds", 0, 0, false, true},
		{"postcopy", "2  rounds", 0, 0, false, true},
	} {
		rounds, after, nc, err := Migrate{Algorithm: c.algorithm, PostcopyStart: c.start}.PostcopySwitch()
		if rounds != c.rounds || after != c.after || nc != c.notConverging || (err != nil) != c.bad {
			t.Errorf("%s %q: got %d, %s, %t, %v", c.algorithm, c.start, rounds, after, nc, err)
		}
	}
}

func TestParts(t *testing.T) {
	w := Workload{Kind: "mix", Mix: "dirty+ kv"}
	if got := w.Parts(); !slices.Equal(got, []string{"dirty", "kv"}) || w.Serves() != "kv" || !w.Has("dirty") || w.Has("mix") {
		t.Errorf("got %v, serving %q", got, w.Serves())
	}
	w.Kind = "cpu"
	if got := w.Parts(); !slices.Equal(got, []string{"cpu"}) || w.Serves() != "" {
		t.Errorf("got %v, serving %q", got, w.Serves())
	}
}
