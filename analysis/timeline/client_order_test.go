package timeline_test

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/analysis/timeline"
	"virtscope/analysis/timeline/timelinetest"
	"virtscope/results"
)

// heldUp is a trial whose guest answers late what it was asked while it stood still.
func heldUp() timelinetest.Scenario {
	s := timelinetest.Default(3)
	s.Outage, s.Buffered = 200*time.Millisecond, true
	return s
}

// The client's view does not depend on the order in which the probe told: of sending, or of arrival with the losses last.
func TestClientViewTakesProbesInAnyOrder(t *testing.T) {
	t.Parallel()
	s := heldUp()
	o, records := s.Make()
	want := build(t, s).Outage(timeline.BlackoutClient)
	told := func(r results.Record) int64 {
		switch r.Name {
		case results.EchoRTT:
			return r.Time + int64(r.Value*1e9)
		case results.EchoLost, results.EchoInterval:
			return 1 << 61
		}
		return r.Time
	}
	slices.SortStableFunc(records, func(a, b results.Record) int { return cmp.Compare(told(a), told(b)) })
	records = append(records, results.Record{Time: records[0].Time, Host: "client", Source: results.SourceEcho, Name: results.EchoSilent})
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	if got := tl.Outage(timeline.BlackoutClient); !want.Known || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A probe that could not go on told of some answers and of no loss: nothing is made of that.
func TestClientViewNeedsAllProbes(t *testing.T) {
	t.Parallel()
	o, records := heldUp().Make()
	records = slices.DeleteFunc(records, func(r results.Record) bool { return r.Name == results.EchoInterval || r.Name == results.EchoLost })
	tl, err := timeline.Build(o, records)
	if err != nil {
		t.Fatal(err)
	}
	if got := tl.Outage(timeline.BlackoutClient); got.Known || !strings.Contains(got.Why, "did not tell of all") {
		t.Errorf("got %+v", got)
	}
}
