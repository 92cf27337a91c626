package timeline

import (
	"strings"
	"testing"
	"virtscope/analysis/degradation"
	"virtscope/analysis/quantity"
	"virtscope/results"

	"github.com/google/go-cmp/cmp"
)

func TestShortened(t *testing.T) {
	for _, c := range [][2]string{
		{"load.lost load.lost.floor load.recovery", "load.lost .lost.floor .recovery"},
		{"load.kv.lost load.kv.noise work.dirty.lost work.dirty.noise", "load.kv.lost .noise work.dirty.lost .noise"},
		{"rounds total rounds.more", "rounds total rounds.more"},
		{"load.p50.action load.p99.action", "load.p50.action load.p99.action"},
		{"bytes.disk bytes.disks", "bytes.disk .disks"},
	} {
		if got := strings.Join(shortened(strings.Fields(c[0])), " "); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

func TestFoldMetrics(t *testing.T) {
	unknown := func(name, why string) Metric { return Metric{name, quantity.Unknown(results.Seconds, why)} }
	rows, folded := FoldMetrics([]Metric{
		{"total", quantity.Within(2, 1, 3, results.Seconds)},
		unknown("load.lost", "no baseline"),
		unknown("alone", "its own reason"),
		{"least", quantity.AtLeast(2, results.Seconds, "no baseline")},
		unknown("load.noise", "no baseline"),
	})
	want := [][]string{{"total", "2 s", "[1, 3] s"}, {"alone", "unknown", "its own reason"}, {"least", "≥ 2 s", "no baseline"}}
	if diff := cmp.Diff(want, trimmed(rows)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"load.lost, .noise: no baseline"}, folded); diff != "" {
		t.Error(diff)
	}
}

// trimmed leaves out decimals, which are not the matter here.
func trimmed(rows [][]string) [][]string {
	var list [][]string
	for _, row := range rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, strings.ReplaceAll(strings.ReplaceAll(c, ".000", ""), ".0", ""))
		}
		list = append(list, cells)
	}
	return list
}

func TestDiskVerdict(t *testing.T) {
	for _, c := range []struct {
		differs, written quantity.Quantity
		want             string
	}{
		{quantity.Exactly(0, results.Bytes), quantity.Exactly(512, results.Bytes), "both ends are the same"},
		{quantity.Exactly(512, results.Bytes), quantity.Exactly(512, results.Bytes), "as much may differ"},
		{quantity.Exactly(1024, results.Bytes), quantity.Exactly(512, results.Bytes), "the guest wrote only 512 B at the destination: the copy is not the same"},
		{quantity.Exactly(1024, results.Bytes), quantity.Unknown(results.Bytes, "not said"), "is not known"},
	} {
		tl := &Timeline{Metrics: []Metric{{DiskDiffering, c.differs}, {DiskWrittenAfter, c.written}}}
		d := NewDiskText(tl)
		if d == nil || len(d.Rows) != 1 || !strings.Contains(d.Rows[0][3], c.want) {
			t.Errorf("%+v, want %q", d, c.want)
		}
	}
	if d := NewDiskText(&Timeline{Metrics: []Metric{{TotalTime, quantity.Exactly(1, results.Seconds)}}}); d != nil {
		t.Errorf("a trial without a disk has %+v", d)
	}
}

// What is not known says why, each reason once; nothing unknown is shown as a number.
func TestServiceTextOfNothing(t *testing.T) {
	none := func(u results.Unit) quantity.Quantity { return quantity.Unknown(u, "there are no records of it") }
	s := degradation.Service{Name: "load", Kind: "kv", Unit: degradation.PerSecond}
	for _, l := range []*degradation.Level{&s.Baseline, &s.Action, &s.After} {
		l.Throughput = none(degradation.PerSecond)
	}
	for _, q := range []*quantity.Quantity{&s.KeptUp, &s.Noise, &s.Below90, &s.Below50, &s.Below10, &s.Lost, &s.LostFloor, &s.Recovery} {
		*q = none(results.Seconds)
	}
	x := NewServiceText(s)
	if len(x.Facts) != 0 || len(x.Notes) != 1 || !strings.HasSuffix(x.Notes[0], ": there are no records of it") {
		t.Errorf("%+v", x)
	}
	for _, row := range x.Windows[1:] {
		if strings.Join(row[1:], "") != "——" {
			t.Errorf("%q", row)
		}
	}
}
