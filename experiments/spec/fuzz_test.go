package spec

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "../*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte(everything))
	f.Add([]byte(withBuilds))
	for _, text := range lifecycles {
		f.Add([]byte("virtscope: 1\nname: t\n" + text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := Parse("fuzz", text)
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("%v is not problems", err)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Col < 1 || p.Want == "" || p.String() == "" {
					t.Fatalf("%+v lacks its place or what it wants", p)
				}
			}
			return
		}
		if len(e.Treatments()) > 50 {
			return
		}
		sameWhenResolved(t, e)
	})
}

func FuzzBytes(f *testing.F) {
	for _, s := range []string{"512MiB", "1.5GB", "0", "-1B", "1e9B", "512 mb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBytes(s)
		if err != nil {
			return
		}
		if again, err := ParseBytes(b.String()); b < 0 || err != nil || again != b {
			t.Fatalf("%q is %d, written %s, read %d, %v", s, b, b, again, err)
		}
	})
}

func FuzzRate(f *testing.F) {
	for _, s := range []string{"1Gbit/s", "8MiB/s", "0.333B/s", "1bit/s", "0", "1Gbps"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		if again, err := ParseRate(r.String()); !(r >= 0) || err != nil || again != r {
			t.Fatalf("%q is %v, written %s, read %v, %v", s, float64(r), r, float64(again), err)
		}
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"300ms", "1m30s", "1.5h", "0", "0.1ns", "2µs"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if again, err := ParseDuration(d.String()); d < 0 || err != nil || again != d {
			t.Fatalf("%q is %d, written %s, read %d, %v", s, d, d, again, err)
		}
		if std, err := time.ParseDuration(s); err != nil || std != time.Duration(d) {
			t.Fatalf("%q is %v here and %v, %v in package time", s, d, std, err)
		}
	})
}
