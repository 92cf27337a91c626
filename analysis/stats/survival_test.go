package stats

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

func TestSurvivalReference(t *testing.T) {
	text, err := os.ReadFile("testdata/survival.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Time, Event, At, Surv []float64
			Low, High, Median     []*float64
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for i, c := range file.Cases {
		var list []Datum
		for j, v := range c.Time {
			list = append(list, Datum{Value: v, Known: true, Censored: c.Event[j] == 0})
		}
		s := Summarise(sample(list...), 0.95).Survival
		if s == nil || len(s.Steps) != len(c.At) {
			t.Fatalf("case %d: %+v, want %d steps", i, s, len(c.At))
		}
		for j, step := range s.Steps {
			close9(t, "value", step.Value, c.At[j])
			close9(t, fmt.Sprint("beyond ", step.Value), step.Beyond, c.Surv[j])
			if c.Low[j] != nil && c.High[j] != nil && step.Beyond > 0 {
				within(t, "low", step.BeyondLow, *c.Low[j], 1e-8)
				within(t, "high", step.BeyondHigh, *c.High[j], 1e-8)
			}
		}
		if m := c.Median[0]; m == nil || s.Median.AtLeast {
			if m == nil && !s.Median.AtLeast {
				t.Errorf("case %d: median %v, want at least", i, s.Median)
			}
		} else {
			close9(t, "median", s.Median.Value, *m)
		}
		if want := c.Median[1] != nil && c.Median[2] != nil; s.Interval.Known != want {
			t.Errorf("case %d: %+v, want known %v", i, s.Interval, want)
		} else if want {
			close9(t, "interval low", s.Interval.Low.Value, *c.Median[1])
			close9(t, "interval high", s.Interval.High.Value, *c.Median[2])
		} else if s.Interval.Why == "" {
			t.Errorf("case %d: no reason", i)
		}
	}
}

func TestOutliers(t *testing.T) {
	s := Summarise(data(10, 11, 12, 13, 14, 50, -30), 0.95)
	if len(s.Outliers) != 2 || s.Outliers[0] != (Outlier{"6", 50, false, true}) || s.Outliers[1] != (Outlier{"7", -30, false, false}) || s.Max.Value != 50 {
		t.Errorf("%+v", s.Outliers)
	}
	late := append(data(10, 11, 12, 13, 14, 15, 16).Data(), Datum{Value: 90, Known: true, Censored: true})
	if s := Summarise(sample(late...), 0.95); len(s.Outliers) != 1 || !s.Outliers[0].Censored {
		t.Errorf("%+v %s", s.Outliers, s.OutlierWhy)
	}
	if s := Summarise(data(1, 2, 100), 0.95); s.Outliers != nil || s.OutlierWhy == "" {
		t.Errorf("n = 3: %+v", s)
	}
}
