package degradation

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/results"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const ms = int64(1e6)

// The times of most scenes, in ms: a baseline of 2 s, an action of 2 s in which the guest stops for 300 ms, 1 s after it.
const (
	baselineAt = 10_000
	actionAt   = 12_000
	stopAt     = 12_500
	resumeAt   = 12_800
	afterAt    = 14_000
	endAt      = 15_000
)

func windows() Windows {
	return Windows{
		Baseline: Window{baselineAt * ms, actionAt * ms}, Action: Window{actionAt * ms, afterAt * ms}, After: Window{afterAt * ms, endAt * ms},
		Stop: stopAt * ms, Resume: resumeAt * ms,
	}
}

// A scene is records of a client with bins of 100 ms, in ms.
type scene struct {
	t       *testing.T
	kind    string
	records []results.Record
}

func (s *scene) add(at int64, name string, v float64, u results.Unit, attrs ...string) {
	m := map[string]string{"kind": s.kind, "bin": "0.1"}
	for i := 0; i < len(attrs); i += 2 {
		m[attrs[i]] = attrs[i+1]
	}
	s.records = append(s.records, results.Record{Time: at * ms, Source: results.SourceLoad, Name: name, Value: v, Unit: u, Attrs: m})
}

// due adds the requests that were due in a bin, by latency in µs, and how many of them failed.
func (s *scene) due(at int64, failed int, latencies ...int64) {
	if failed > 0 {
		s.add(at, results.LoadRequests, float64(failed), results.One, "outcome", "failed")
	}
	if len(latencies) == 0 {
		return
	}
	s.add(at, results.LoadRequests, float64(len(latencies)), results.One, "outcome", "ok")
	h := hdrhistogram.New(1, 3_600_000_000, 3)
	longest := int64(0)
	for _, l := range latencies {
		if err := h.RecordValue(l); err != nil {
			s.t.Fatal(err)
		}
		longest = max(longest, l)
	}
	b, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		s.t.Fatal(err)
	}
	s.add(at, results.LoadLatency, float64(longest)/1e6, results.Seconds, "histogram", string(b), "count", strconv.Itoa(len(latencies)), "late", "0")
}

func same(n int, latency int64) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = latency
	}
	return list
}

// one builds the only service.
func one(t *testing.T, records []results.Record, w Windows) Service {
	t.Helper()
	services, err := Build(records, w)
	if err != nil {
		t.Fatal(err)
	}
	if len(services) != 1 {
		t.Fatalf("%d services, want one", len(services))
	}
	return services[0]
}

// An expectation is a metric's value and bounds, "≥ v", or why it is unknown.
type expectation struct {
	name      string
	value     float64
	low, high float64
	atLeast   bool
	unknown   string
}

func is(name string, v float64) expectation {
	return expectation{name: name, value: v, low: v, high: v}
}

func within(name string, v, low, high float64) expectation {
	return expectation{name: name, value: v, low: low, high: high}
}

func atLeast(name string, v float64) expectation {
	return expectation{name: name, value: v, atLeast: true}
}
func unknown(name, why string) expectation { return expectation{name: name, unknown: why} }

func expect(t *testing.T, services []Service, list ...expectation) {
	t.Helper()
	got := map[string]quantity.Quantity{}
	for _, m := range Metrics(services) {
		got[m.Name] = m.Quantity
	}
	for _, e := range list {
		q, ok := got[e.name]
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9+1e-3*math.Abs(b) }
		switch {
		case !ok:
			t.Errorf("%s is not there", e.name)
		case e.unknown != "":
			if q.Known || !strings.Contains(q.Why, e.unknown) {
				t.Errorf("%s is %+v, want unknown: %s", e.name, q, e.unknown)
			}
		case !q.Known || q.Censored != e.atLeast || !near(q.Value, e.value):
			t.Errorf("%s is %+v, want %+v", e.name, q, e)
		case !e.atLeast && (!near(q.Low, e.low) || !near(q.High, e.high)):
			t.Errorf("%s is in [%v, %v], want [%v, %v]", e.name, q.Low, q.High, e.low, e.high)
		}
	}
}

// outage is 1000 requests a second that take 1 ms, of which those due in the 300 ms of the stop wait for its end.
func outage(t *testing.T) *scene {
	s := &scene{t: t, kind: "kv"}
	s.add(baselineAt, results.LoadInfo, 0, results.Event, "rate", "1000", "arrivals", "fixed")
	for at := int64(baselineAt); at < endAt; at += 100 {
		answers, latencies := 100.0, same(100, 1000)
		switch {
		case at >= stopAt && at < resumeAt:
			answers = 0
			for i := range latencies {
				latencies[i] = (resumeAt - at - int64(i)) * 1000
			}
		case at == resumeAt:
			answers = 400
		}
		s.add(at, results.LoadAnswers, answers, results.One)
		s.add(at, results.LoadBytes, answers*1030, results.Bytes)
		s.due(at, 0, latencies...)
	}
	return s
}
