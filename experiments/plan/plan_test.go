package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/experiments/spec"
)

var update = flag.Bool("update", false, "write the golden files")

func parse(t *testing.T, text string) *spec.Experiment {
	t.Helper()
	if !strings.Contains(text, "action:") {
		text = "action: {migrate: {}}\n" + text
	}
	e, err := spec.Parse("test", []byte("virtscope: 1\nname: test\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func makePlan(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := Make(parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const builds = `
builds:
  old: {guest.qemu.binary: /opt/old/qemu}
  new: {guest.qemu.binary: /opt/new/qemu}
replicates: 4
`

const twoFactors = `
workload: {kind: dirty}
factors:
  workload.rate: [4MiB/s, 8MiB/s, 16MiB/s]
  guest.vcpus: [1, 2]
exclude: [{workload.rate: 16MiB/s, guest.vcpus: 2}]
replicates: 4
`

// TestGolden fixes the order of a seed for ever: a change here breaks the resume of existing runs.
func TestGolden(t *testing.T) {
	for name, text := range map[string]string{
		"default":    "",
		"shuffled":   twoFactors + "order: {seed: 7}\n",
		"replicates": twoFactors + "order: {seed: 42, block-by: replicate}\n",
		"factor":     twoFactors + "order: {seed: 42, block-by: guest.vcpus}\n",
		"unshuffled": twoFactors + "order: {shuffle: false}\n",
		"builds":     "workload: {kind: dirty}\nfactors: {workload.rate: [4MiB/s, 8MiB/s]}\n" + builds,
		"scaled":     "scale: 1.5\nworkload: {kind: dirty}\nfactors: {workload.rate: [4MiB/s, 8MiB/s]}\norder: {shuffle: false}\n",
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Write(&out, makePlan(t, text)); err != nil {
				t.Fatal(err)
			}
			file := "testdata/" + name + ".txt"
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", out.String(), want)
			}
		})
	}
}

func TestEveryTrialOnce(t *testing.T) {
	p := makePlan(t, twoFactors)
	seen := map[string]bool{}
	for i, trial := range p.Trials {
		if trial.Order != i+1 {
			t.Errorf("trial %d has the order %d", i, trial.Order)
		}
		seen[fmt.Sprint(trial.Levels, trial.Replicate)] = true
		if got, want := trial.Spec.Workload.Rate.String(), trial.Levels[0].Value; got != want {
			t.Errorf("%s runs with %s", trial.ID, got)
		}
		if got, want := fmt.Sprint(trial.Spec.Guest.VCPUs), trial.Levels[1].Value; got != want {
			t.Errorf("%s runs with %s vCPUs", trial.ID, got)
		}
	}
	if len(seen) != 20 || len(p.Trials) != 20 {
		t.Errorf("%d trials, %d of them different", len(p.Trials), len(seen))
	}
}

func TestPlanIsPure(t *testing.T) {
	e := parse(t, twoFactors)
	before, _ := json.Marshal(e)
	first, err := Make(e)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Make(e)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first, second) {
		t.Error("two plans of one experiment differ")
	}
	if after, _ := json.Marshal(e); !bytes.Equal(before, after) {
		t.Error("the experiment changed")
	}
	first.Trials[0].Spec.Action.Migrate.MaxRounds = 99
	if first.Trials[1].Spec.Action.Migrate.MaxRounds == 99 || first.Experiment.Action.Migrate.MaxRounds == 99 {
		t.Error("two trials share a spec")
	}
}

// TestPlanFromResolvedText: a run is resumed from its own folder.
func TestPlanFromResolvedText(t *testing.T) {
	e := parse(t, twoFactors+"warmup: 0s\norder: {seed: 3, block-by: replicate}\n")
	text, err := e.Resolved()
	if err != nil {
		t.Fatal(err)
	}
	again, err := spec.Parse("resolved", text)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := Make(e)
	b, errB := Make(again)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for i := range a.Trials {
		if !reflect.DeepEqual(a.Trials[i].Trial, b.Trials[i].Trial) {
			t.Fatalf("trial %d: %+v, %+v", i+1, a.Trials[i].Trial, b.Trials[i].Trial)
		}
	}
}

func TestSeedMatters(t *testing.T) {
	ids := func(seed int) string {
		var s []string
		for _, trial := range makePlan(t, twoFactors+fmt.Sprintf("order: {seed: %d}\n", seed)).Trials {
			s = append(s, fmt.Sprint(trial.Levels, trial.Replicate))
		}
		return strings.Join(s, " ")
	}
	one, two, again := ids(1), ids(2), ids(1)
	if one == two {
		t.Error("two seeds give one order")
	}
	if one != again {
		t.Error("one seed gives two orders")
	}
}

func TestBlocksStayTogether(t *testing.T) {
	p := makePlan(t, twoFactors+"order: {block-by: workload.rate}\n")
	var blocks []string
	for _, trial := range p.Trials {
		if trial.Block != "rate="+trial.Levels[0].Value {
			t.Errorf("%s is in block %s", trial.ID, trial.Block)
		}
		blocks = append(blocks, trial.Block)
	}
	if got := len(slices.Compact(blocks)); got != 3 {
		t.Errorf("3 blocks are cut into %d", got)
	}
}

// TestMakeValidates: an experiment that was made or changed by a program gets no further than a file.
func TestMakeValidates(t *testing.T) {
	e := spec.Default()
	e.Virtscope, e.Name = 1, "made"
	_, err := Make(e)
	var problems spec.Problems
	if !errors.As(err, &problems) || !strings.Contains(err.Error(), "want an action") {
		t.Errorf("got %v", err)
	}
	e.Action.Migrate = new(spec.DefaultMigrate())
	if p, err := Make(e); err != nil || len(p.Trials) != 1 || p.Trials[0].Treatment != "default" {
		t.Errorf("got %v, %v", p, err)
	}
	e.Guest.Memory = 1 << 20
	if _, err := Make(e); !errors.As(err, &problems) {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	p := makePlan(t, `
workload: {kind: dirty}
testbed: {migration-link: {}}
factors:
  workload.rate: [8MiB/s]
  testbed.link.rate: [1Gbit/s]
  testbed.migration-link.rate: [400Mbit/s]
  action.migrate.timeout: [30s]
  timeout: [4m]
`)
	const want = "workload.rate=8MiB/s,link.rate=1Gbit/s,migration-link.rate=400Mbit/s,migrate.timeout=30s,timeout=4m"
	if got := p.Trials[0].Treatment; got != want {
		t.Errorf("got %s", got)
	}
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func TestIDsOfNastyLevels(t *testing.T) {
	p := makePlan(t, `
factors:
  guest.kernel: ["a/b", "a b", "a:b", "A b", "../..", "µ", "内核", "`+strings.Repeat("long", 40)+`", "`+strings.Repeat("long", 41)+`", "a,machine=x"]
  guest.qemu.machine: ["q35", "q35,hmat=on", "x,machine=q35", "-", "."]
replicates: 2
`)
	ids, slugs := map[string]bool{}, map[string]string{}
	for _, trial := range p.Trials {
		if !idPattern.MatchString(trial.ID) || len(trial.ID) > maxID || strings.Contains(trial.ID, "..") && strings.Contains(trial.ID, "/") {
			t.Errorf("%q is no good name for a folder", trial.ID)
		}
		folded := strings.ToLower(trial.ID)
		if ids[folded] {
			t.Errorf("%s occurs twice", trial.ID)
		}
		ids[folded] = true
		_, slug, _ := strings.Cut(folded, "-")
		if other, ok := slugs[slug]; ok {
			t.Errorf("%s stands for %s and %s", slug, other, trial.Treatment)
		}
		slugs[slug] = trial.Treatment
	}
	treatments := p.Treatments()
	slices.Sort(treatments)
	if got := len(slices.Compact(treatments)); got != 50 {
		t.Errorf("50 treatments have %d names", got)
	}
}

func TestEstimates(t *testing.T) {
	second := func(text string) float64 { return makePlan(t, text).Estimate().Seconds() }
	scripted := second("guest: {driver: scripted}\nwarmup: 500ms\nfactors: {action.migrate.outage: [5s]}\n")
	if want := 0.2 + 0.5 + 2 + 5 + 1 + 1.5; scripted < want-0.01 || scripted > want+0.01 {
		t.Errorf("scripted: %v s, want %v", scripted, want)
	}
	slow := "testbed: {link: {rate: 100Mbit/s}}\n"
	idle, busy := second(slow), second(slow+"workload: {kind: dirty, rate: 8MiB/s, pattern: random}\n")
	if busy <= idle {
		t.Errorf("dirtying memory makes a migration shorter: %v, %v s", busy, idle)
	}
	never := second(slow + "workload: {kind: dirty, rate: 800MiB/s, pattern: random}\n")
	if want := 4 + 1 + 2 + 60 + 1 + 1.5; never != want {
		t.Errorf("a migration that never converges takes %v s, want its timeout: %v", never, want)
	}
	busy64 := "workload: {kind: dirty, rate: 64MiB/s, pattern: random, delta-size: 256B}\ntestbed: {link: {rate: 40MiB/s}}\naction: {migrate: {timeout: 60s, algorithm: %s}}\n"
	took := func(algorithm string) float64 { return second(fmt.Sprintf(busy64, algorithm)) }
	if pre, post, xbzrle, converge, stop := took("precopy"), took("postcopy"), took("xbzrle"), took("auto-converge"), took("stop-and-copy"); post >= pre ||
		xbzrle >= pre || converge >= pre || stop != post {
		t.Errorf("precopy %v, postcopy %v, xbzrle %v, auto-converge %v, stop-and-copy %v s", pre, post, xbzrle, converge, stop)
	}
	fast := "testbed: {migration-link: {rate: 100Mbit/s}}\naction: {migrate: {timeout: 200s}}\ntimeout: 10m\n"
	if bare, disk := second(fast), second(fast+"guest: {disk: {size: 1GiB}}\n"); disk-bare < 85 || disk-bare > 100 {
		t.Errorf("1 GiB over 100Mbit/s, written first, takes %v s", disk-bare)
	}
	if got := second("testbed: {link: {rate: 1Mbit/s}}\naction: {migrate: {cancel-after: 3s}}\n"); got != 4+1+2+3+1+1.5 {
		t.Errorf("a migration that is cancelled after 3 s: %v s in all", got)
	}
	if kvm, tcg := second("guest: {accel: kvm}"), second("guest: {accel: tcg}"); kvm >= tcg {
		t.Errorf("kvm %v s, tcg %v s", kvm, tcg)
	}
}

func TestEstimateIsBounded(t *testing.T) {
	p := makePlan(t, "timeout: 230s\nquiesce: 0s\nwarmup: 0s\ntestbed: {link: {rate: 8kbit/s}}")
	if got := p.Trials[0].Estimate; got > 230*time.Second || got <= 0 {
		t.Errorf("got %s", got)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteReturnsErrors(t *testing.T) {
	if err := Write(full{}, makePlan(t, "")); err == nil {
		t.Error("a full disk went unnoticed")
	}
}

// TestBuildsTakeTurns: the builds of a replicate stand together, forth and back in turns, so that a steady drift falls on both alike.
func TestBuildsTakeTurns(t *testing.T) {
	p := makePlan(t, "workload: {kind: dirty}\nfactors: {workload.rate: [4MiB/s, 8MiB/s, 16MiB/s]}\n"+builds)
	places := map[string]int{} // of each treatment: the sum of its trials' places
	for i := 0; i < len(p.Trials); i += 2 {
		a, b := p.Trials[i], p.Trials[i+1]
		if a.Levels[0] != b.Levels[0] || a.Block != b.Block || a.Replicate != b.Replicate {
			t.Errorf("%s and %s stand together", a.ID, b.ID)
		}
		first := []string{"old", "new"}[(a.Replicate+1)%2]
		if a.Levels[1].Value != first || b.Levels[1].Value == first {
			t.Errorf("%s is before %s", a.ID, b.ID)
		}
		places[a.Treatment] += a.Order
		places[b.Treatment] += b.Order
	}
	for _, rate := range []string{"4MiB/s", "8MiB/s", "16MiB/s"} {
		if before, after := places["rate="+rate+",build=old"], places["rate="+rate+",build=new"]; before != after {
			t.Errorf("at %s the builds' places add up to %d and %d", rate, before, after)
		}
	}
}
