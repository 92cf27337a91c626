package main

import (
	"strings"
	"testing"
)

func TestParseLogLine(t *testing.T) {
	for _, tt := range []struct {
		record string
		want   logLine
		ok     bool
	}{
		{"6,322,3270087,-;Run /init as init process\n", logLine{322, 3270087000, "Run /init as init process"}, true},
		{"7,0,0,-,caller=T1;Linux version 6.1\n SUBSYSTEM=acpi\n DEVICE=+acpi:x\n", logLine{0, 0, "Linux version 6.1"}, true},
		{"15,9,12,c;a;b", logLine{9, 12000, "a;b"}, true},
		{"", logLine{}, false},
		{"6,1,2;no flags", logLine{}, false},
		{"6,x,2,-;text", logLine{}, false},
		{"6,1,-2,-;text", logLine{}, false},
		{"6,1,9223372036854775807,-;text", logLine{}, false},
	} {
		got, err := parseLogLine([]byte(tt.record))
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("parseLogLine(%q) = %+v, %v, want %+v", tt.record, got, err, tt.want)
		}
	}
}

func FuzzParseLogLine(f *testing.F) {
	f.Add("6,322,3270087,-;Run /init as init process\n")
	f.Add(",,,;")
	f.Fuzz(func(t *testing.T, record string) {
		l, err := parseLogLine([]byte(record))
		if err == nil && (l.stamp < 0 || strings.Contains(l.text, "\n")) {
			t.Errorf("parseLogLine(%q) = %+v", record, l)
		}
	})
}

func logOf(records ...string) func() ([]byte, error) {
	return func() ([]byte, error) {
		if len(records) == 0 {
			return nil, nil
		}
		next := records[0]
		records = records[1:]
		return []byte(next), nil
	}
}

// The clocks differ by 35 ms; the narrower of two comparisons counts.
func TestDigestLog(t *testing.T) {
	marks := []clockMark{
		{"mark 0", 4_035_000_000, 4_035_900_000},
		{"mark 1", 4_135_000_000, 4_135_009_000},
	}
	const m0, m1 = "15,400,4000000,-;mark 0\n", "15,401,4100004,-;mark 1\n"
	const end = "6,322,3270087,-;Run /init as init process\n"
	log, err := digestLog(marks, logOf("6,0,7,-;Linux version\n", end, m0, m1, "6,402,4100010,-;Run /sbin/init as init process\n"))
	if err != nil {
		t.Fatal(err)
	}
	// The stamp, 4,100,004 to 4,100,005 µs, was taken from 4,135,000 to 4,135,009 µs: the offset is 34,995 to 35,005 µs.
	const offset = 35_000_000
	if log.first == nil || *log.first != 7000+offset || log.end == nil || *log.end != 3_270_087_000+offset || log.bound != 5000 ||
		log.endLine != "Run /init as init process" {
		t.Errorf("digest is %+v", log)
	}
	for name, records := range map[string][]string{
		"overwritten":           {"6,1,7,-;later line\n", end, m1},
		"the clock did not run": {"6,0,0,-;Linux version\n", end, m1},
	} {
		if log, err := digestLog(marks, logOf(records...)); err != nil || log.first != nil || log.end == nil {
			t.Errorf("%s: digest is %+v, %v, want an end without a first line", name, log, err)
		}
	}
	if _, err := digestLog(marks, logOf(end)); err == nil {
		t.Error("clocks that were not compared agree")
	}
	if log, err := digestLog(marks, logOf(m0)); err != nil || log.end != nil || log.bound != 450_500 {
		t.Errorf("without the line the digest is %+v, %v", log, err)
	}
}
