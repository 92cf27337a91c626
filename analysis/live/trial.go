package live

import (
	"strconv"
	"strings"
	"time"
	"virtscope/results"
)

// A trial is one attempt, as its records show it so far. Times are the controller's, in ns, by the offset that was measured
// last.
type trial struct {
	plan    results.Trial
	attempt int
	begin   time.Time
	link    *Link // nil is not known

	count  int64
	clocks map[string]hostClock // by host
	latest int64                // the newest time in a record; 0 is none

	state       string
	since       int64 // when it began
	collected   int64 // when the observation was over; 0 while it is not
	ended       bool
	action      string
	client      string // where the client runs
	actionBegin int64
	actionEnd   int64
	phase       string // of the action
	guest       string // whose events came, if they say
	guests      int    // 2 stands for several

	switches switches
	course   course
	rounds   rounds
	flow     bins
	wire     silence
	echo     echo
	troubles []string
	warnings []string // of its outcome
	missing  bool     // it has no records
	cut      string   // why its records end early

	lines []Line // what happened, not yet taken
}

func newTrial(p results.Trial, attempt int, begin time.Time, link *Link) *trial {
	return &trial{plan: p, attempt: attempt, begin: begin, link: link, clocks: map[string]hostClock{}}
}

// at is the controller's time of a record.
func (t *trial) at(r *results.Record) int64 { return r.Time - t.clocks[r.Host].offset() }

func (t *trial) addAll(records []results.Record) {
	for i := range records {
		t.add(&records[i])
	}
}

func (t *trial) add(r *results.Record) {
	t.count++
	at := t.at(r)
	t.latest = max(t.latest, at)
	switch r.Name { // the many first
	case results.FlowBytes:
		t.flowBytes(r, at)
	case results.FlowPayload, results.HostNetRx, results.HostNetTx, results.HostCPU, results.ThreadCPU:
	case results.GuestFrame:
		t.frame(r, at)
	case results.EchoRTT:
		t.answered(at, r.Value)
	case results.EchoLost:
		t.lost(at)
	case results.MigrationTransferred, results.MigrationRemaining, results.MigrationTotal, results.MigrationPages, results.MigrationDirtyRate:
		if t.actionBegin != 0 {
			t.rounds.sample(r, at)
		}
	default:
		t.event(r, at)
	}
}

func (t *trial) event(r *results.Record, at int64) {
	switch r.Name {
	case results.ClockOffset:
		before := t.clocks[r.Attrs["host"]]
		if c, ok := before.measured(r); ok {
			t.clocks[r.Attrs["host"]] = c
			t.switches.move(r.Attrs["host"], before.offset()-c.offset(), c.bound())
		}
	case results.TrialState:
		t.enter(r.Attrs["state"], at)
	case results.TrialEnd:
		t.ended = true
	case results.ActionBegin:
		t.action, t.client, t.actionBegin, t.phase = r.Attrs["action"], r.Attrs["client"], at, ""
		t.echo.gaps.longest, t.echo.held = 0, 0
		t.course.snapshot = r.Attrs["algorithm"] == results.AlgorithmBackgroundSnapshot
		t.wire.restart(at)
		text := "action: " + t.action
		if a := r.Attrs["algorithm"]; a != "" {
			text += ", " + a
		}
		t.say(at, text)
	case results.GuestAnnounce:
		t.announced(r)
	case results.ActionEnd:
		t.actionEnd = at
	case results.EchoInterval:
		t.echo.complete = true
	case results.ProbeWall:
		t.echo.ended = t.echo.ended || r.Source == results.SourceEcho
	case results.EchoSilent:
		t.noAnswer(at)
	case results.CaptureFrames, results.CaptureDropped, results.ProbeLate, results.ProbeDropped, results.RecordsDropped, results.RelayDropped, results.ProbeFailed:
		t.ofProbe(r, at)
	case results.MemoryCorrupt:
		if r.Value > 0 {
			t.trouble(at, "memory is corrupt: "+strconv.FormatFloat(r.Value, 'f', -1, 64)+" pages")
		}
	default:
		if t.actionBegin != 0 && t.collected == 0 {
			t.inAction(r, at)
		}
	}
}

func (t *trial) enter(state string, at int64) {
	t.state, t.since, t.phase = state, at, ""
	if state == results.StateCollect && t.collected == 0 {
		t.collected = at
	}
	if state != results.StateAction {
		t.say(at, state)
	}
}

// inAction takes in what happens to the guest from the request on.
func (t *trial) inAction(r *results.Record, at int64) {
	switch r.Name {
	case results.VMStop:
		t.whose(r)
		t.switches.stop(t.edge(r, at))
		t.step(at, "the guest is stopped")
	case results.VMResume:
		t.whose(r)
		t.switches.resume(t.edge(r, at))
		t.step(at, "the guest runs on "+r.Host)
	case results.PreCopyRound:
		t.switches.source = first(t.switches.source, r.Host)
		stop, _ := t.switches.pair()
		if n := t.rounds.begin(r, t.edge(r, at), stop); n > 0 {
			t.step(at, "pre-copy round "+strconv.Itoa(n))
		}
	case results.MigrationStatus:
		t.status(r, at)
	case results.LinkDown:
		t.step(at, r.Attrs["link"]+" is cut")
	case results.LinkUp:
		t.step(at, r.Attrs["link"]+" is mended")
	case results.Fault:
		if r.Attrs["kind"] == results.FaultCancel {
			set(&t.course.cancel, t.edge(r, at))
		}
		t.step(at, r.Attrs["kind"]+", on purpose")
	case results.DiskCopyBegin:
		t.step(at, "copy of the disk")
	case results.DiskCopyReady:
		t.step(at, "the disk's copy follows the disk")
	default:
		if strings.HasPrefix(r.Name, "boot.") && r.Name != results.BootConsole {
			t.whose(r)
			t.phase = strings.TrimPrefix(r.Name, "boot.")
		}
	}
}

// step is a phase of the action.
func (t *trial) step(at int64, text string) {
	if text == t.phase {
		return
	}
	t.phase = text
	t.say(at, text)
}

// whose counts the guests: figures of one guest make no sense for several.
func (t *trial) whose(r *results.Record) {
	switch g := r.Attrs["guest"]; {
	case t.guests == 0:
		t.guest, t.guests = g, 1
	case t.guest != g:
		t.guests = 2
	}
}

func (t *trial) ofProbe(r *results.Record, at int64) {
	switch {
	case r.Name == results.CaptureFrames:
		if r.Source == results.SourceCaptureSwitch {
			t.flow.over(at) // it has told all that it had
		}
	case r.Name == results.ProbeFailed:
		if r.Source == results.SourceCaptureSwitch {
			t.flow.failed = true
		}
		t.trouble(at, r.Source+" could not go on: "+r.Attrs["error"])
	case r.Value > 0:
		what := map[string]string{
			results.CaptureDropped: "frames dropped", results.ProbeLate: "ticks late", results.ProbeDropped: "records or frames lost",
			results.RecordsDropped: "records dropped", results.RelayDropped: "frames lost that should not be",
		}[r.Name]
		t.trouble(at, r.Source+": "+strconv.FormatFloat(r.Value, 'f', -1, 64)+" "+what)
	}
}

// maxTroubles bounds what is kept of them.
const maxTroubles = 20

func (t *trial) trouble(at int64, text string) {
	t.say(at, "! "+text)
	if len(t.troubles) < maxTroubles {
		t.troubles = append(t.troubles, text)
	}
}

func (t *trial) say(at int64, text string) { t.lines = append(t.lines, Line{time.Unix(0, at), text}) }

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
