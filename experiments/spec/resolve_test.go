package spec

import (
	"encoding/json"
	"reflect"
	"testing"
)

// sameWhenResolved checks that e's resolved text is e again, and that this is a fixed point.
func sameWhenResolved(t *testing.T, e *Experiment) {
	t.Helper()
	text, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("resolved", text)
	if err != nil {
		t.Fatalf("the resolved text is not accepted: %v\n%s", err, text)
	}
	second, err := again.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	if string(second) != string(text) {
		t.Errorf("resolving is not stable:\n%s\n%s", text, second)
	}
	a, b := e.Treatments(), again.Treatments()
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("other treatments: %v, %v", a, b)
	}
	for _, levels := range a {
		x, errX := e.With(levels)
		y, errY := again.With(levels)
		if errX != nil || errY != nil {
			t.Fatalf("set %v: %v, %v", levels, errX, errY)
		}
		for _, v := range []*Experiment{x, y} {
			v.sources, v.Extends = nil, ""
			ignoreUnread(v)
		}
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("%v is another trial after resolving:\n%+v\n%+v", levels, x, y)
		}
	}
}

// ignoreUnread clears what the treatment's workload does not read, which a resolved text may leave out.
func ignoreUnread(e *Experiment) {
	if e.Workload.Kind != "dirty" {
		e.Workload.Rate, e.Workload.WorkingSet, e.Workload.Pattern, e.Workload.Compressibility = 0, 0, "", 0
	}
	if e.Workload.Kind != "cpu" {
		e.Workload.Threads, e.Workload.Load = 0, 0
	}
}

const everything = `
virtscope: 1
name: everything
question: "Is it: kept?"
testbed:
  kind: local
  link: {rate: 1Gbit/s, queue: 20ms, delay: 1ms, jitter: 500us, loss: 0.001}
  migration-link: {rate: 400Mbit/s}
guest: {driver: qemu, memory: 1GiB, vcpus: 2, kernel: /boot/vmlinuz, accel: tcg, qemu: {binary: qemu, machine: "q35,hmat=on"}, check: 0}
workload: {pattern: hot-spot, working-set: 64MiB, compressibility: 0.5, threads: 3, load: 0.5}
action: {migrate: {algorithm: precopy, downtime-limit: 500ms, max-rounds: 10, timeout: 20s}}
probes: {capture: {keep: whole}, echo: {interval: 1ms}, usage: {interval: 50ms}, energy: {interval: 100ms}}
factors:
  workload.kind: [dirty, cpu]
  workload.rate: [8MiB/s, 1.5MB/s]
  testbed.migration-link.delay: [0, 1ms]
  action.migrate.max-bandwidth: [0, 100Mbit/s]
  baseline: [1s, 2s]
exclude:
  - {workload.kind: cpu, workload.rate: 1.5MB/s}
  - {baseline: [1s, 2000ms], testbed.migration-link.delay: 1ms, workload.rate: 8192KiB/s}
replicates: 2
order: {shuffle: false, seed: 0, block-by: baseline}
warmup: 0
quiesce: 0s
timeout: 5m
retries: 0
`

func TestResolved(t *testing.T) {
	for name, text := range map[string]string{
		"everything": everything,
		"least":      "virtscope: 1\nname: least\naction: {migrate: {}}\n",
		"idle child": "virtscope: 1\nname: idle\naction: {migrate: {max-rounds: 1}}\ntestbed: {migration-link: {}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			e, err := Parse(name, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			sameWhenResolved(t, e)
		})
	}
}

func TestJSON(t *testing.T) {
	e, err := Parse("everything", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var again Experiment
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(e.Treatments(), again.Treatments()) {
		t.Error("other treatments after JSON")
	}
	again.sources, again.Exclude = e.sources, e.Exclude // JSON reads []any for []string
	if !reflect.DeepEqual(e, &again) {
		t.Errorf("JSON changed it:\n%+v\n%+v", e, &again)
	}
}

func TestResolvedKeepsChanges(t *testing.T) {
	e, err := Parse("least", []byte("virtscope: 1\nname: least\naction: {migrate: {}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	e.Replicates, e.Guest.Accel, e.Warmup = 4, "tcg", 0
	sameWhenResolved(t, e)
	text, _ := e.Resolved()
	again, err := Parse("again", text)
	if err != nil || again.Replicates != 4 || again.Guest.Accel != "tcg" || again.Warmup != 0 {
		t.Errorf("got %+v, %v", again, err)
	}
}
