package swf

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestParse(t *testing.T) {
	const text = `; Version: 2.2
;
  1  0     3  2.5  4  1.9 2048  4 -1   -1 1 7 1 1 0 -1 -1 -1

2 1.25 -1 -1  -1 -1 -1 2 10 1024 0 -1 -1 -1 -1 -1 1 5 ; cancelled
`
	jobs, err := Parse(strings.NewReader(text))
	want := []Job{
		{Number: 1, Run: 2500 * time.Millisecond, Processors: 4, Memory: 4 * 2048 << 10},
		{Number: 2, Submit: 1250 * time.Millisecond, Processors: 2, Memory: 2 << 20, Queue: -1},
	}
	if err != nil || !reflect.DeepEqual(jobs, want) {
		t.Errorf("got %+v, %v", jobs, err)
	}
}

func TestParseRefuses(t *testing.T) {
	const rest = " -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1"
	for text, want := range map[string]string{
		"":                                      "want at least one job: a line of 18 numbers in the Standard Workload Format",
		"; a header alone\n":                    "want at least one job",
		"1 0 -1 5\n":                            "want 18 numbers a line, as the Standard Workload Format has; line 1 has not",
		"; x\n1 zero -1 5" + rest:               "want a number in field 2; line 2 has not",
		"1 NaN -1 5" + rest:                     "want a number in field 2; line 1 has not",
		"0 0 -1 5" + rest:                       "want a number from 1 to 2.147483647e+09 in field 1; line 1 has not",
		"1 -1 -1 5" + rest:                      "want a number from 0 to 1e+09 in field 2; line 1 has not",
		"1 0 -1 -2" + rest:                      "want a number from -1 to 1e+09 in field 4; line 1 has not",
		"1 9 -1 5" + rest + "\n2 8 -1 5" + rest: "want jobs in the order of their submit times (field 2); line 2 has not",
		"1 0 -1 5 9999999 -1 1e12" + rest[9:]:   "want less memory (fields 7 and 10, KiB a processor); line 1 has not",
		"1 0 -1 5" + rest + strings.Repeat(" ", maxLine): "want lines of less than 4096 B; line 1 has not",
	} {
		_, err := Parse(strings.NewReader(text))
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %s", text, err, want)
		}
	}
	if _, err := Parse(iotest.ErrReader(errors.New("disk gone"))); err == nil || err.Error() != "disk gone" {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{small, "1 0 3 2.5 4 1.9 2048 4 -1 -1 1 7 1 1 0 -1 -1 -1", "; x", "1 2 3", "1 1e9 -1 1e9 3 -1 1000000 -1 -1 -1 -1 -1 -1 -1 2147483647 -1 -1 -1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		jobs, err := Parse(strings.NewReader(s))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "want ") {
				t.Fatalf("%q: %v does not say what would be accepted", s, err)
			}
			return
		}
		for _, j := range jobs {
			if j.Submit < 0 || j.Run < 0 || j.Memory < 0 || j.Processors < 0 || j.Queue < -1 || j.Number < 1 {
				t.Fatalf("%q has %+v", s, j)
			}
		}
		// Memory may be a fraction of a KiB a processor: what was written once is written the same again.
		text := Format(jobs)
		again, err := Parse(strings.NewReader(text))
		if err != nil || len(again) != len(jobs) || Format(again) != text {
			t.Fatalf("%q, written as %q, read again %+v, %v", s, text, again, err)
		}
	})
}
