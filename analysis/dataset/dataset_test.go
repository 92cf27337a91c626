package dataset

import (
	"strings"
	"testing"
	"virtscope/results"
)

const csvHead = "trial,treatment,f.x,replicate,order,attempt,verdict,metric,value,unit,low,high,known,censored,why\n"

func TestReadCSV(t *testing.T) {
	set, err := ReadCSV(strings.NewReader(csvHead+
		"a,x=1,1,1,1,1,completed,total,2.5,s,2.4,2.6,true,false,\n"+
		"a,x=1,1,1,1,1,completed,rounds,,1,,,false,false,nobody counted\n"+
		"b,x=2,2,1,2,2,failed,total,9,s,9,,true,true,it did not end\n"), "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	list := set.Treatments()
	if len(list) != 2 || list[0].Name != "x=1" || list[1].Trials[0].Attempt != 2 || !list[1].Trials[0].Counted() {
		t.Fatalf("%+v", list)
	}
	s, unit, err := list[1].Sample("total")
	if d := s.Data(); err != nil || unit != results.Seconds || len(d) != 1 || !d[0].Censored || d[0].Value != 9 {
		t.Errorf("%+v %v %v", d, unit, err)
	}
	if m, ok := set.Trials[0].Metric("rounds"); !ok || m.Known || m.Why != "nobody counted" {
		t.Errorf("%+v", m)
	}
	if s, _, _ := list[1].Sample("rounds"); s.Len() != 1 || s.Data()[0].Known {
		t.Error("a trial without the metric is there as not known")
	}
	part, err := set.Level("f.x", "2")
	if err != nil || len(part.Trials) != 1 || part.Trials[0].Treatment != "" {
		t.Errorf("%+v %v", part.Trials, err)
	}
	for _, c := range []struct{ factor, level, want string }{{"f.y", "1", "its factors are f.x"}, {"f.x", "3", "no trial of f.x"}} {
		if _, err := set.Level(c.factor, c.level); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestReadCSVRefuses(t *testing.T) {
	row := "a,x=1,1,1,1,1,completed,total,2.5,s,2.4,2.6,true,false,\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":     {"", "it is empty"},
		"header":      {"a,b\n", "t.csv:1:1: the header"},
		"twice":       {csvHead + row + row, `t.csv:3:25: "total": this trial has the metric twice`},
		"number":      {csvHead + strings.Replace(row, "2.5", "fast", 1), `t.csv:2:31: "fast": want a finite number`},
		"known empty": {csvHead + strings.Replace(row, "2.5", "", 1), "want a finite number"},
		"verdict":     {csvHead + strings.Replace(row, "completed", "fine", 1), `"fine": want completed`},
		"replicate":   {csvHead + strings.Replace(row, ",1,1,1,1,", ",1,zero,1,1,", 1), `"zero": want a whole number`},
		"short":       {csvHead + "a,b\n", "wrong number of fields"},
	} {
		if _, err := ReadCSV(strings.NewReader(c.text), "t.csv"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add(csvHead + "a,x=1,1,1,1,1,completed,total,2.5,s,2.4,2.6,true,false,\n")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ReadCSV(strings.NewReader(text), "t.csv")
		if err != nil {
			return
		}
		for _, treatment := range set.Treatments() {
			for _, name := range set.Metrics() {
				if _, _, err := treatment.Sample(name); err != nil && !strings.Contains(err.Error(), "others in") {
					t.Error(err)
				}
			}
		}
	})
}
