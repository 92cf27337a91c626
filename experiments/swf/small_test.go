package swf

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write small.swf")

const smallSeed = 2011

// makeSmall is small.swf from its seed. Gaps are exponential; run times lean to the short end; a quarter of the jobs are urgent.
func makeSmall() string {
	source := rand.NewPCG(smallSeed, smallSeed)
	unit := func() float64 { return float64(source.Uint64()>>11) / (1 << 53) }
	var b strings.Builder
	fmt.Fprintf(&b, `; Version: 2.2
; Computer: none: a synthetic trace
; MaxJobs: 64
; MaxRecords: 64
; MaxProcs: 1
; MaxQueues: 2
; Queue: 1 urgent
; Queue: 2 the rest
; Note: made by virtscope, go test ./experiments/swf -run TestSmallIsCurrent -update, from the seed %d; it is no log of a machine
; Note: gaps between jobs are exponential, 0.75 s on average; run times are 0.5 s * 12^(u^3) with an even u, 0.5 to 6 s
; Note: memory (KiB) is one of 16, 24, 32, 48 and 64 MiB, evenly; a job is urgent with the probability 0.25
`, smallSeed)
	at := 0.0
	for n := 1; n <= 64; n++ {
		u := unit()
		runs := 0.5 * math.Pow(12, u*u*u)
		memory := []int{16, 24, 32, 48, 64}[int(unit()*5)] << 10
		queue := 2
		if unit() < 0.25 {
			queue = 1
		}
		fmt.Fprintf(&b, "%d %.2f -1 %.2f 1 -1 %d 1 -1 -1 -1 -1 -1 -1 %d -1 -1 -1\n", n, at, runs, memory, queue)
		at += -math.Log1p(-unit()) * 0.75
	}
	return b.String()
}

func TestSmallIsCurrent(t *testing.T) {
	want := makeSmall()
	if *update {
		if err := os.WriteFile("small.swf", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if small != want {
		t.Error("small.swf is not what its seed gives: run go test ./experiments/swf -update")
	}
}

// TestSmallIsSmall: what its comment says of it.
func TestSmallIsSmall(t *testing.T) {
	jobs, err := Small()
	if err != nil || len(jobs) != 64 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	var work time.Duration
	urgent := 0
	for _, j := range jobs {
		if j.Run < 500*time.Millisecond || j.Run > 6*time.Second || j.Memory < 16<<20 || j.Memory > 64<<20 || j.Processors != 1 {
			t.Errorf("%+v", j)
		}
		if j.Queue == 1 {
			urgent++
		}
		work += j.Run
	}
	if last := jobs[63].Submit; last < 40*time.Second || last > 60*time.Second || work < 60*time.Second || work > 110*time.Second || urgent < 8 || urgent > 24 {
		t.Errorf("the last comes at %s, all work %s, %d are urgent", last, work, urgent)
	}
}
