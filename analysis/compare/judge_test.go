package compare

import (
	"strings"
	"testing"
)

func only(t *testing.T, base, head []float64, metrics ...string) (Result, Row) {
	t.Helper()
	r, err := Sets(set("base", map[string][]float64{"a": base}), set("head", map[string][]float64{"a": head}), Options{Alpha: 0.05, Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Rows[0]
}

// Of data that censoring leaves so open that neither shift nor delta is known, the test still tells the direction.
func TestDirectionOfCensoredData(t *testing.T) {
	some := append(around(4, 9), -3, -3, -3)
	none := []float64{-6, -6, -6, -6, -6, -6, -6, -6, -6, -6, -6, -6}
	for name, c := range map[string]struct {
		base, head []float64
		want       Verdict
	}{"worse": {some, none, Worse}, "better": {none, some, Better}} {
		_, row := only(t, c.base, c.head)
		if row.Shift.Known || row.Delta.Known {
			t.Fatalf("%s: these data leave nothing open: %+v, %+v", name, row.Shift, row.Delta)
		}
		if row.Verdict != c.want || !strings.Contains(row.Why, "effect floor is not applied") {
			t.Errorf("%s: %s (%s), want %s", name, row.Verdict, row.Why, c.want)
		}
	}
}

// Without any test, an answer says which of the reasons it is.
func TestAnswerWithoutATest(t *testing.T) {
	for name, c := range map[string]struct {
		base, head []float64
		metrics    []string
		answer     string
		decided    bool
		verdict    Verdict
		why        string
	}{
		"equal constants":   {around(4, 5), around(4.1, 5), []string{"rounds"}, "0 worse, 0 better, 2 the same", true, Same, ""},
		"too few trials":    {around(4, 3), around(5, 3), nil, "no test could", false, Undecided, "n is too small"},
		"no data of a side": {around(4, 5), []float64{}, nil, "no treatment in common", false, "", ""},
		"censored alike":    {[]float64{-6, -6, -6, -6, -6, -6}, []float64{-6, -6, -6, -6, -6, -6}, nil, "no test could", false, Undecided, "all alike"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Sets(set("base", map[string][]float64{"a": c.base}), set("head", map[string][]float64{"a": c.head}), Options{Alpha: 0.05, Metrics: c.metrics})
			if err != nil {
				t.Fatal(err)
			}
			if r.Family != 0 || !strings.Contains(r.Answer(), c.answer) || r.Decided() != c.decided {
				t.Errorf("family %d, %q, decided %v", r.Family, r.Answer(), r.Decided())
			}
			if c.verdict == "" {
				return
			}
			if row := r.Rows[0]; row.Verdict != c.verdict || !strings.Contains(row.Why, c.why) {
				t.Errorf("%s (%s)", row.Verdict, row.Why)
			}
		})
	}
}
