package spec

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// lifecycles are valid experiments of each action, with keys of every group.
var lifecycles = map[string]string{
	"boot": `
guest: {image: debian, boot: firmware, firmware: uefi, memory: 1GiB, huge-pages: 2MiB, prealloc: true}
testbed: {hosts: 5}
provision: {fanout: 2, prefetch: true}
action: {boot: {guests: 3, hosts: 4, interval: 500ms, trace: "0s, 0.5s, 0.5s", concurrency: 2, ready-port: 22, ready-path: /x}}
factors:
  provision.method: [present, nbd, tree]
  action.boot.arrivals: [at-once, fixed, poisson, trace]
  action.boot.ready: [echo, ssh, port, http]
exclude: [{provision.method: nbd, action.boot.ready: [ssh, port, http]}]
`,
	"own image": `
guest: {image: ./mine.qcow2, boot: firmware, user: me}
provision: {method: copy, from: host}
action: {boot: {ready: ssh}}
`,
	"substrate": `
guest: {vcpus: 2, substrate: {docked: spawned, memory: 128MiB}}
action: {boot: {guests: 50}}
factors: {guest.start: [cold, warm, substrate]}
`,
	"checkpoint": `
scale: 2
guest: {disk: {}, start: warm}
action: {checkpoint: {count: 2, damage: flip, timeout: 10s, save: {format: memory-file, to: memory, keep: 1}}}
factors: {action.checkpoint.save.load: [eager, on-demand], action.checkpoint.save.disk: [full, incremental]}
`,
	"recover": `
action: {recover: {save: {to: other, compression: zstd}, failure: cut-link, detect: echo, restart: other, for: 30s, period: 2s}}
factors: {action.recover.failures: [0, 1], action.recover.arrivals: [fixed, poisson]}
`,
	"jobs": `
action: {jobs: {time-scale: 1.5, first: 10, preempt: checkpoint}}
factors: {guest.start: [cold, substrate], action.jobs.keep-alive: [0, 5s]}
`,
}

func TestLifecyclesResolve(t *testing.T) {
	for name, text := range lifecycles {
		t.Run(name, func(t *testing.T) {
			e, err := Parse("t", []byte("virtscope: 1\nname: t\n"+text))
			if err != nil {
				t.Fatal(err)
			}
			sameWhenResolved(t, e)
			if c := e.Clone(); !reflect.DeepEqual(e, c) {
				t.Errorf("the clone differs:\n%+v\n%+v", e, c)
			}
		})
	}
}

// TestDefaultsAreValid: an action needs no keys.
func TestDefaultsAreValid(t *testing.T) {
	for _, action := range []string{"migrate", "boot", "checkpoint", "recover", "jobs"} {
		for _, start := range []string{"cold", "warm"} {
			e, err := Parse("t", []byte("virtscope: 1\nname: t\nguest: {start: "+start+"}\naction: {"+action+": {}}\n"))
			if err != nil {
				t.Errorf("%s: %v", action, err)
			} else if e.Action.Kind() != action {
				t.Errorf("%s is %s", action, e.Action.Kind())
			}
		}
	}
}

// TestChildActs: a child that takes another action is not blamed for what its parent's read.
func TestChildActs(t *testing.T) {
	files := fstest.MapFS{
		"parent.yaml": {Data: []byte("virtscope: 1\nname: parent\nguest: {check: 8MiB}\naction: {migrate: {tls: true}}\n")},
		"child.yaml":  {Data: []byte("virtscope: 1\nname: child\nextends: parent.yaml\naction: {migrate: null, boot: {}}\n")},
	}
	e, err := LoadFS(files, "child.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sameWhenResolved(t, e)
}

// TestTracesAreTakenIn: what a trace's file says is part of the experiment, wherever the file that names it lies.
func TestTracesAreTakenIn(t *testing.T) {
	const job = " -1 2 1 -1 2048 -1 -1 -1 1 -1 -1 -1 7 -1 -1 -1\n"
	files := fstest.MapFS{
		"arrivals.txt":     {Data: []byte("\xef\xbb\xbf# from a log\n0s\n\n1500ms # late\n1.5s,2s\n")},
		"dir/boot.yaml":    {Data: []byte("virtscope: 1\nname: boot\naction: {boot: {arrivals: trace, trace: ../arrivals.txt, guests: 4}}\n")},
		"child.yaml":       {Data: []byte("virtscope: 1\nname: child\nextends: dir/boot.yaml\naction: {boot: {guests: 3}}\n")},
		"logs/a.swf":       {Data: []byte("; UnixStartTime: 0\n1 0" + job + "2 5 -1 -1 1 -1 -1 -1 -1 -1 0 -1 -1 -1 -1 -1 -1 -1\n3 6" + job + "4 7" + job)},
		"jobs.yaml":        {Data: []byte("virtscope: 1\nname: jobs\naction: {jobs: {trace: logs/a.swf}}\n")},
		"jobs-first.yaml":  {Data: []byte("virtscope: 1\nname: jobs\naction: {jobs: {trace: logs/a.swf, first: 2, time-scale: 0.5}}\n")},
		"jobs-factor.yaml": {Data: []byte("virtscope: 1\nname: jobs\naction: {jobs: {trace: logs/a.swf}}\nfactors: {action.jobs.first: [1, 3]}\n")},
	}
	for name, want := range map[string]string{
		"child.yaml":       "0s, 1.5s, 1.5s, 2s",
		"jobs.yaml":        "1 0 -1 2 1 -1 2048 -1 -1 -1 -1 -1 -1 -1 7 -1 -1 -1, 3 6 -1 2 1 -1 2048 -1 -1 -1 -1 -1 -1 -1 7 -1 -1 -1, 4 7 -1 2 1 -1 2048 -1 -1 -1 -1 -1 -1 -1 7 -1 -1 -1",
		"jobs-first.yaml":  "1 0 -1 2 1 -1 2048 -1 -1 -1 -1 -1 -1 -1 7 -1 -1 -1, 3 6 -1 2 1 -1 2048 -1 -1 -1 -1 -1 -1 -1 7 -1 -1 -1",
		"jobs-factor.yaml": "1 0 -1 2 1 -1 2048 -1 -1 -1 -1 -1 -1 -1 7 -1 -1 -1, 3 6 -1 2 1 -1 2048 -1 -1 -1 -1 -1 -1 -1 7 -1 -1 -1, 4 7 -1 2 1 -1 2048 -1 -1 -1 -1 -1 -1 -1 7 -1 -1 -1",
	} {
		t.Run(name, func(t *testing.T) {
			e, err := LoadFS(files, name)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			if e.Action.Boot != nil {
				got = e.Action.Boot.Trace
			} else {
				got = e.Action.Jobs.Trace
			}
			if got != want {
				t.Errorf("got %q", got)
			}
			if last := e.Sources()[len(e.Sources())-1].Path; last != "arrivals.txt" && last != "logs/a.swf" {
				t.Errorf("the sources end with %s", last)
			}
			sameWhenResolved(t, e)
		})
	}
}

func TestJobsList(t *testing.T) {
	all, err := DefaultJobs().List()
	if err != nil || len(all) != 64 {
		t.Fatalf("%d jobs, %v", len(all), err)
	}
	half := DefaultJobs()
	half.First, half.TimeScale = 5, 0.5
	some, err := half.List()
	if err != nil || len(some) != 5 || some[4].Submit != all[4].Submit/2 || some[4].Run != all[4].Run/2 || some[4].Memory != all[4].Memory {
		t.Errorf("got %+v of %+v, %v", some, all[:5], err)
	}
	many := DefaultJobs()
	many.Trace = strings.Repeat("1 0 -1 2 1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1, ", MaxJobs+1)
	if _, err := many.List(); err == nil || !strings.Contains(err.Error(), "want at most 10000 jobs") {
		t.Errorf("got %v", err)
	}
	many.First = MaxJobs
	if list, err := many.List(); err != nil || len(list) != MaxJobs || list[0].Run != 2*time.Second {
		t.Errorf("%d jobs, %v", len(list), err)
	}
}
