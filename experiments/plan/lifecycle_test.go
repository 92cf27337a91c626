package plan

import (
	"strings"
	"testing"
	"time"
)

// TestLifecycleEstimates holds estimates of the other actions against what must be so, whatever the constants are.
func TestLifecycleEstimates(t *testing.T) {
	second := func(text string) float64 {
		t.Helper()
		return makePlan(t, "timeout: 3h\nwarmup: 0s\nbaseline: 1s\nquiesce: 0s\n"+text).Estimate().Seconds()
	}
	const fixed = 1 + 1.5 // the baseline, and the overhead
	boot := func(keys, more string) float64 { return second("action: {boot: {timeout: 1h" + keys + "}}\n" + more) }
	one := boot("", "")
	for _, c := range []struct {
		what string
		got  float64
		want float64
	}{
		{"one boot", one, fixed + 4},
		{"two at once", boot(", guests: 2", ""), one},
		{"eight share two cores", boot(", guests: 8", ""), fixed + 4*4},
		{"eight, one at a time", boot(", guests: 8, concurrency: 1", ""), fixed + 8*4},
		{"arrivals that are far apart", boot(", guests: 3, arrivals: fixed, interval: 100s", ""), fixed + 200 + 4},
		{"a trace of them", boot(", guests: 2, arrivals: trace, trace: \"0s, 50s\"", ""), fixed + 50 + 4},
		{"the action's timeout", second("action: {boot: {guests: 10000, timeout: 10m}}\n"), fixed + 600},
		{"for so long", second("action: {recover: {failures: 0, for: 30s}}\n"), fixed + 4 + 30},
	} {
		if d := c.got - c.want; d > 0.01 || d < -0.01 {
			t.Errorf("%s: %v s, want %v", c.what, c.got, c.want)
		}
	}
	if debian, substrate := boot("", "guest: {image: debian}\n"), boot(", guests: 50", "guest: {start: substrate}\n"); debian <= 2*one || substrate >= boot(", guests: 50", "") {
		t.Errorf("debian %v s, 50 from a substrate %v s", debian, substrate)
	}
	disk := func(method string) float64 {
		return boot(", guests: 4, hosts: 4, ready: ssh", "guest: {image: debian, accel: kvm}\ntestbed: {hosts: 4, link: {rate: 100Mbit/s}}\nprovision: {"+method+"}\n")
	}
	if copied, local, nbd, tree := disk("method: copy"), disk("method: copy, from: host"), disk("method: nbd"), disk("method: tree, fanout: 1"); copied < 4*80 ||
		local >= copied || nbd >= copied || tree >= copied || nbd <= disk("method: overlay") {
		t.Errorf("copied %v s, locally %v, nbd %v, tree %v", copied, local, nbd, tree)
	}
	ck := func(keys string) float64 { return second("guest: {disk: {}}\naction: {checkpoint: {" + keys + "}}\n") }
	if once, twice, none := ck(""), ck("count: 2, interval: 20s"), ck("restore: none"); twice < once+20 || none >= once || ck("save: {format: memory-file, to: memory}") >= once {
		t.Errorf("once %v s, twice %v, not restored %v", once, twice, none)
	}
	if full, increment := ck("count: 4, interval: 1ms"), ck("count: 4, interval: 1ms, save: {disk: incremental}"); increment >= full {
		t.Errorf("full %v s, incremental %v", full, increment)
	}
	slow, fast := second("testbed: {link: {rate: 10Mbit/s}}\naction: {checkpoint: {save: {to: other}}}\n"), second("action: {checkpoint: {save: {to: other}}}\n")
	if slow < fast+30 {
		t.Errorf("across a slow link %v s, a fast one %v", slow, fast)
	}
	failures := func(n string) float64 { return second("action: {recover: {every: 10s, failures: " + n + "}}\n") }
	if a, b := failures("1"), failures("5"); b < a+40 || a < 10 {
		t.Errorf("one failure %v s, five %v", a, b)
	}
	jobs := func(keys string) float64 { return second("action: {jobs: {timeout: 1h, " + keys + "}}\n") }
	if few, all, slow, anew := jobs("first: 5"), jobs("first: 0"), jobs("time-scale: 3"), jobs("keep-alive: 0"); few >= all || slow <= 2*all || anew <= all {
		t.Errorf("5 jobs %v s, all %v, slower %v, a guest each %v", few, all, slow, anew)
	}
}

// TestWarmStartsAreBootedOnce for each configuration: the first trial of each has the boot, and the plan says what is saved.
func TestWarmStartsAreBootedOnce(t *testing.T) {
	const text = "guest: {start: %s}\nworkload: {kind: dirty}\nfactors: {guest.vcpus: [1, 2], workload.rate: [4MiB/s, 5MiB/s]}\nreplicates: 5\norder: {seed: 3}\n"
	warm, cold := makePlan(t, strings.ReplaceAll(text, "%s", "warm")), makePlan(t, strings.ReplaceAll(text, "%s", "cold"))
	first := map[int]time.Duration{}
	booted := 0
	for _, trial := range warm.Trials {
		least, seen := first[trial.Spec.Guest.VCPUs]
		switch {
		case !seen:
			first[trial.Spec.Guest.VCPUs] = trial.Estimate
			booted++
		case trial.Estimate > least-3*time.Second:
			t.Errorf("%s takes %s, the first of its kind %s", trial.ID, trial.Estimate, least)
		}
	}
	if got := cold.Estimate() - warm.Estimate(); booted != 2 || got != warm.Saved() || got <= 0 || cold.Saved() != 0 {
		t.Errorf("%d were booted; cold %s, warm %s, said to save %s", booted, cold.Estimate(), warm.Estimate(), warm.Saved())
	}
	var b strings.Builder
	if err := Write(&b, warm); err != nil || !strings.HasSuffix(b.String(), "; warm starts save about "+round(warm.Saved())+"\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
