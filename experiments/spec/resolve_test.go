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

// ignoreUnread clears what the treatment does not read, which a resolved text may leave out.
func ignoreUnread(e *Experiment) {
	for path := range newReadKeys().read {
		if v, ok := fieldAt(e, path); ok && !isRead(e, path) {
			v.SetZero()
		}
	}
}

const everything = `
virtscope: 1
name: everything
question: "Is it: kept?"
paper:
  citation: "A. Author: Title, VENUE 2009"
  doi: 10.1145/1508293.1508301
  url: https://www.example.org/paper.pdf
  year: 2009
  changes: "a tenth: of all"
  published:
    - {name: downtime, metric: downtime, value: 60, low: 50, high: 70, unit: ms, source: table 1, conditions: LAN, comparable: yes, where: {workload.kind: cpu, action.migrate.algorithm: precopy, action.migrate.qemu.parameters.x-my-knob: "07", workload.rate: 8192KiB/s, testbed.migration-link.delay: 0, action.migrate.max-bandwidth: 0, baseline: 1s}}
    - {name: varies, kind: spread, metric: downtime, low: 23, unit: "1", source: abstract, comparable: no, why: another machine}
    - {name: grows, kind: grows, metric: total, over: baseline, where: {action.migrate.qemu.parameters.x-my-knob: true}, source: text, recalled: true, comparable: in-trend, why: it is recalled}
testbed:
  kind: local
  link: {profile: wan, rate: 1Gbit/s, upload: 100Mbit/s, queue: 20ms, delay: 1ms, jitter: 500us, loss: 0.001}
  client: source
  emulator: relay
  cross-traffic: {rate: 10Mbit/s, flows: 2, direction: both}
  migration-link: {rate: 400Mbit/s}
guest: {driver: qemu, memory: 1GiB, vcpus: 2, kernel: /boot/vmlinuz, accel: tcg, qemu: {binary: qemu, machine: "q35,hmat=on", destination-binary: other}, check: 0, disk: {size: 64MiB, format: qcow2}}
workload:
  pattern: hot-spot
  hot-share: 0.2
  working-set: 64MiB
  compressibility: 0.5
  threads: 3
  load: 0.5
  trace: 0s 4MiB/s, 500ms 1Mbit/s, 2s
  mix: dirty+redis+disk
  disk: {rate: 1MiB/s, area: 1MiB}
  net: {kind: stream, rate: 1Mbit/s, player-buffer: 1s}
  kv: {requests: 5, benchmark: true}
action:
  migrate:
    downtime-limit: 500ms
    max-rounds: 10
    timeout: 20s
    postcopy-start: 2 rounds
    postcopy-recovery: 1s
    xbzrle-cache: 8MiB
    disk-writes: write-blocking
    qemu: {capabilities: {x-fast: true}, parameters: {x-level: 3, x-name: "yes", x-path: /tmp}}
probes: {capture: {keep: whole}, echo: {interval: 1ms}, usage: {interval: 50ms}, energy: {interval: 100ms}, load: {bin: 50ms}}
factors:
  workload.kind: [dirty, cpu, mix, replay, net]
  action.migrate.algorithm: [precopy, hybrid, xbzrle]
  action.migrate.qemu.parameters.x-my-knob: [1, true, "07"]
  workload.rate: [8MiB/s, 1.5MB/s]
  testbed.migration-link.delay: [0, 1ms]
  action.migrate.max-bandwidth: [0, 100Mbit/s]
  baseline: [1s, 2s]
exclude:
  - {workload.kind: cpu, workload.rate: 1.5MB/s}
  - {workload.kind: [mix, replay, net], action.migrate.qemu.parameters.x-my-knob: [1, "07"]}
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
