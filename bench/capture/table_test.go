package main

import (
	"strings"
	"testing"
)

func TestCountsAreRead(t *testing.T) {
	got, err := tcpdumpCounts("tcpdump: listening on eth0, link-type EN10MB (Ethernet)\n107518 packets captured\n" +
		"107526 packets received by filter\n12 packets dropped by kernel\n")
	if want := (counts{frames: 107518, dropped: 12, payload: -1}); err != nil || got != want {
		t.Errorf("tcpdump: got %+v, %v, want %+v", got, err, want)
	}
	got, err = ringCounts("listening on eth0\n105 captured, 3 dropped, 4000 B of payload, ring full 1 times\n")
	if want := (counts{frames: 105, dropped: 3, payload: 4000}); err != nil || got != want {
		t.Errorf("ring: got %+v, %v, want %+v", got, err, want)
	}
	if _, err := tcpdumpCounts("tcpdump: eth0: no such device\n"); err == nil {
		t.Error("tcpdump that did not capture has counts")
	}
	if _, err := ringCounts("listening on eth0\n"); err == nil {
		t.Error("a ring that did not end has counts")
	}
}

func TestRenderSumsRounds(t *testing.T) {
	s := setup{gigabytes: 2, rounds: 2, ring: 64}
	tools := []tool{{name: "(none)"}, {name: "tcpdump", argv: []string{"tcpdump"}}, {name: "virtscope", argv: []string{"ring"}}}
	out := render(s, tools, map[string][]sample{
		"(none)":    {{seconds: 1, machine: 1}, {seconds: 1, machine: 1}},
		"tcpdump":   {{seconds: 1, cpu: 0.4}, {seconds: 3, cpu: 0.4}},
		"virtscope": {{seconds: 1, cpu: 0.1, peak: 70, counts: counts{dropped: 3}}, {seconds: 1, cpu: 0.3, peak: 80, counts: counts{dropped: 4}}},
	})
	rows := strings.Split(out, "\n")
	for i, want := range []string{"", "(none) 4.0 2.00 16.0 - - 0.500", "tcpdump 4.0 4.00 8.0 0.80 0.2000", "virtscope 4.0 2.00 16.0 0.40 0.1000 0.000 0 7 80 0.50"} {
		if got := strings.Join(strings.Fields(rows[i]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("row %d is %q, want %q", i, got, want)
		}
	}
}

func TestCheckFindsMissingPayload(t *testing.T) {
	s := setup{gigabytes: 1}
	for _, c := range []struct {
		one counts
		ok  bool
	}{
		{counts{payload: 1e9}, true},
		{counts{payload: 1e9 - 1}, false},
		{counts{payload: 1e9 - 1, dropped: 1}, true},
	} {
		if err := check(s, []sample{{counts: c.one}}); (err == nil) != c.ok {
			t.Errorf("%+v: got %v", c.one, err)
		}
	}
}
