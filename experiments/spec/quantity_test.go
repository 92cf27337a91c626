package spec

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

func TestParseBytes(t *testing.T) {
	good := map[string]Bytes{
		"0": 0, "0B": 0, "1B": 1, "1kB": 1000, "1KiB": 1024, "512MiB": 512 << 20, "1.5GiB": 3 << 29, "0.5KiB": 512,
		"1TB": 1e12, "2TiB": 2 << 40, "1.000GB": 1e9, "9223372036854775807B": math.MaxInt64, "007MiB": 7 << 20,
	}
	for text, want := range good {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	bad := map[string]string{
		"512": "(TiB, GiB, MiB, KiB, TB, GB, MB, kB, B)", "": "512MiB", "MiB": "512MiB", "-1B": "not negative", "-0": "not negative",
		"1.5B": "whole bytes", "9223372036854775808B": "63 bits", "99999999999TiB": "63 bits", "1e3B": "512MiB", "NaN": "512MiB", "Inf": "512MiB",
		"512mb": "did you mean 512MB?", "512M": "did you mean 512MiB or 512MB?", "512 MiB": "did you mean 512MiB?", "512Mib": "did you mean 512MiB?",
		"1KB": "did you mean 1kB?", "8MiB/s": "did you mean 8MiB?", "+1B": "did you mean 1B?", "0x10B": "512MiB", "1_000B": "512MiB", ".5GiB": "512MiB",
		"1,5GiB": "512MiB", "5.GiB": "512MiB", "1" + strings.Repeat("0", 80) + "B": "512MiB",
	}
	for text, want := range bad {
		if got, err := ParseBytes(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %d, %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestParseRate(t *testing.T) {
	good := map[string]Rate{
		"0": 0, "8bit/s": 1, "1bit/s": 0.125, "1kbit/s": 125, "1Mbit/s": 125e3, "1Gbit/s": 125e6, "1B/s": 1, "1kB/s": 1000,
		"1KiB/s": 1024, "8MiB/s": 8 << 20, "1GiB/s": 1 << 30, "2.5Gbit/s": 312.5e6, "1.1Gbit/s": 137.5e6, "0.1MB/s": 1e5, "1.5GB/s": 1.5e9,
	}
	for text, want := range good {
		if got, err := ParseRate(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, float64(got), err, float64(want))
		}
	}
	bad := map[string]string{
		"8": "(Gbit/s, Mbit/s, kbit/s, bit/s, GiB/s, MiB/s, KiB/s, GB/s, MB/s, kB/s, B/s)", "-1B/s": "not negative",
		"8MiB": "did you mean 8MiB/s?", "1Gbps": "did you mean 1Gbit/s?", "1Gb/s": "did you mean 1Gbit/s or 1GB/s?", "1gbit/s": "did you mean 1Gbit/s?",
		"1 Gbit/s": "did you mean 1Gbit/s?", "NaN": "8MiB/s", "Inf": "8MiB/s", "1e9bit/s": "8MiB/s", "99999999999Gbit/s": "at most",
		"0.1bit/s": "at least 1bit/s", "10Tbit/s": "Gbit/s",
	}
	for text, want := range bad {
		if got, err := ParseRate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	good := map[string]time.Duration{
		"0": 0, "0s": 0, "1ns": 1, "2us": 2000, "2µs": 2000, "2μs": 2000, "300ms": 300 * time.Millisecond, "1.5s": 1500 * time.Millisecond,
		"1m30s": 90 * time.Second, "2h": 2 * time.Hour, "0.5us": 500, "1h0m0.000000001s": time.Hour + 1,
	}
	for text, want := range good {
		if got, err := ParseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"1", "", "-1s", "+1s", "1d", "1 s", "1s ", "0.5ns", "1.0000000001s", "NaN", "1e3s", "99999999h", "1.s", ".5s", "s", "1S"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestQuantityText(t *testing.T) {
	for got, want := range map[string]string{
		Bytes(0).String(): "0B", Bytes(512 << 20).String(): "512MiB", Bytes(1e9).String(): "1GB", Bytes(3 << 29).String(): "1536MiB",
		Bytes(1023).String(): "1023B", Bytes(1 << 40).String(): "1TiB", Bytes(512000).String(): "500KiB",
		Rate(0).String(): "0B/s", Rate(125e6).String(): "1Gbit/s", Rate(8 << 20).String(): "8MiB/s", Rate(50e6).String(): "400Mbit/s",
		Rate(0.125).String(): "0.125B/s", Rate(312.5e6).String(): "2500Mbit/s",
		Duration(0).String(): "0s", Duration(3 * time.Minute).String(): "3m", Duration(time.Hour).String(): "1h",
		Duration(90 * time.Second).String(): "1m30s", Duration(10 * time.Second).String(): "10s", Duration(time.Hour + time.Second).String(): "1h0m1s",
		Duration(100 * time.Microsecond).String(): "100µs", Duration(10 * time.Minute).String(): "10m", Duration(20 * time.Hour).String(): "20h",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestQuantitiesRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		n := int64(random.Uint64() >> (1 + random.Uint64N(63)))
		if random.IntN(2) == 0 {
			n = n / 1000 * 1000
		}
		if got, err := ParseBytes(Bytes(n).String()); err != nil || got != Bytes(n) {
			t.Fatalf("%d B: %s, %v", n, Bytes(n), err)
		}
		if got, err := ParseDuration(Duration(n).String()); err != nil || got != Duration(n) {
			t.Fatalf("%d ns: %s, %v", n, Duration(n), err)
		}
		r := Rate(float64(n) / float64(int64(1)<<random.IntN(10)))
		if r != 0 && (r < 0.125 || r > 1e15/8) {
			continue
		}
		if got, err := ParseRate(r.String()); err != nil || got != r {
			t.Fatalf("%v B/s: %s, %v", float64(r), r, err)
		}
	}
}

func TestQuantitiesInFiles(t *testing.T) {
	type pair struct {
		Memory Bytes    `yaml:"memory" json:"memory"`
		Rate   Rate     `yaml:"rate" json:"rate"`
		Time   Duration `yaml:"time" json:"time"`
	}
	in := pair{512 << 20, 125e6, Duration(300 * time.Millisecond)}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"memory":"512MiB","rate":"1Gbit/s","time":"300ms"}` {
		t.Errorf("%s, %v", text, err)
	}
	var out pair
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("JSON: %+v, %v", out, err)
	}
	text, err = yaml.Dump(in)
	if err != nil || string(text) != "memory: 512MiB\nrate: 1Gbit/s\ntime: 300ms\n" {
		t.Errorf("%s, %v", text, err)
	}
	out = pair{}
	if err := yaml.Load(text, &out); err != nil || out != in {
		t.Errorf("YAML: %+v, %v", out, err)
	}
}
