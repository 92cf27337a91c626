package qemu

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
	"virtscope/testbed/guest/guesttest"
	"virtscope/testbed/host"
)

// A scriptedQEMU answers what a watch asks; it is one end of a migration.
type scriptedQEMU struct {
	*peer
	name   string
	proc   *scriptedProcess
	status func() string // MigrationInfo's

	mu      sync.Mutex
	heard   []string
	runs    string            // QAPI RunState
	refuses map[string]string // by command, why
	dumb    map[string]bool   // commands that get no answer
	upon    map[string]func() // what a command does, before its answer
	replies map[string]string // by command, JSON
}

// A scriptedProcess ends when it is killed.
type scriptedProcess struct {
	once sync.Once
	done chan struct{}
	end  func() // of the connection
}

func (p *scriptedProcess) PID() int                   { return 1 }
func (p *scriptedProcess) Done() <-chan struct{}      { return p.done }
func (p *scriptedProcess) Err() error                 { return errors.New("signal: killed") }
func (p *scriptedProcess) Stop(context.Context) error { return p.Kill() }
func (p *scriptedProcess) Kill() error {
	p.once.Do(func() { p.end(); close(p.done) })
	return nil
}

// A scriptedHost has a name, and nothing else.
type scriptedHost struct {
	host.Host
	name string
}

func (h scriptedHost) Name() string { return h.name }

func newScriptedQEMU(t *testing.T, name string) (*machine, *scriptedQEMU) {
	t.Helper()
	mon, p := connect(t)
	q := &scriptedQEMU{
		peer: p, name: name, runs: "running", refuses: map[string]string{}, dumb: map[string]bool{}, upon: map[string]func(){},
		status: func() string { return "active" }, proc: &scriptedProcess{done: make(chan struct{}), end: func() { _ = p.conn.Close() }},
	}
	go q.serve()
	return &machine{host: scriptedHost{name: name}, proc: q.proc, mon: mon}, q
}

func (q *scriptedQEMU) serve() {
	for q.in.Scan() {
		var c struct {
			Execute string
			OOB     string `json:"exec-oob"`
			ID      string
		}
		if json.Unmarshal(q.in.Bytes(), &c) != nil {
			return
		}
		name := c.Execute + c.OOB
		q.mu.Lock()
		q.heard = append(q.heard, name)
		do, why, dumb := q.upon[name], q.refuses[name], q.dumb[name]
		q.mu.Unlock()
		if do != nil {
			do()
		}
		switch {
		case dumb:
		case why != "":
			q.line(fmt.Sprintf(`{"error": {"class": "GenericError", "desc": %q}, "id": %q}`, why, c.ID))
		default:
			q.line(fmt.Sprintf(`{"return": %s, "id": %q}`, q.reply(name), c.ID))
		}
	}
}

func (q *scriptedQEMU) reply(name string) string {
	switch name {
	case "query-migrate":
		return fmt.Sprintf(`{"status": %q}`, q.status())
	case "query-status":
		q.mu.Lock()
		defer q.mu.Unlock()
		return fmt.Sprintf(`{"status": %q}`, q.runs)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return cmp.Or(q.replies[name], `{}`)
}

func (q *scriptedQEMU) returns(command, reply string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.replies == nil {
		q.replies = map[string]string{}
	}
	q.replies[command] = reply
}

// line says something to a monitor that may be gone.
func (q *scriptedQEMU) line(s string) { _, _ = io.WriteString(q.conn, s+"\n") }

// says makes an event.
func (q *scriptedQEMU) says(name, data string) {
	q.line(fmt.Sprintf(`{"timestamp": {"seconds": 1, "microseconds": 0}, "event": %q, "data": {%s}}`, name, data))
}

func (q *scriptedQEMU) migration(status string) {
	q.says(eventMigration, fmt.Sprintf(`"status": %q`, status))
}

func (q *scriptedQEMU) does(command string, f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.upon[command] = f
}

func (q *scriptedQEMU) runsAs(state string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.runs = state
}

// count is how often a command was heard.
func (q *scriptedQEMU) count(command string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, c := range q.heard {
		if c == command {
			n++
		}
	}
	return n
}

// A changing status of a migration.
type changing struct {
	mu  sync.Mutex
	now string
}

func (c *changing) get() string { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *changing) set(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = s
}

// scripted makes a migration between two scripted QEMUs.
func scripted(t *testing.T, o guest.MigrateOptions) (m *migration, src, dst *scriptedQEMU, log *guesttest.Log) {
	t.Helper()
	log = new(guesttest.Log)
	from, src := newScriptedQEMU(t, "src")
	to, dst := newScriptedQEMU(t, "dst")
	dst.runsAs("inmigrate")
	i := &instance{rec: log, done: make(chan struct{}), agent: agent.NewClient(guest.AgentReporter(log)), current: from, all: []*machine{from, to}}
	t.Cleanup(func() { _ = i.agent.Close() })
	return &migration{guest: i, src: from, dst: to, options: o, uri: "tcp:10.0.0.2:1"}, src, dst, log
}

func wantOutcome(t *testing.T, err error, parts ...string) {
	t.Helper()
	var outcome *guest.OutcomeError
	if !errors.As(err, &outcome) {
		t.Errorf("error %v, want an outcome", err)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}

func faultKinds(log *guesttest.Log) (kinds []string) {
	for _, r := range log.Named(results.Fault) {
		kinds = append(kinds, r.Host+" "+r.Attrs["kind"])
	}
	return kinds
}

// The driver's own stop of the guest is recorded, once, also when the next round was under way before the stop came through.
func TestStopAfterRoundsIsRecorded(t *testing.T) {
	m, src, dst, log := scripted(t, guest.MigrateOptions{Algorithm: guest.PreCopy, PauseAfterRounds: 1, MaxRounds: 9})
	src.does("migrate", func() {
		src.migration("active")
		for n := 1; n <= 3; n++ {
			src.says(eventMigrationPass, fmt.Sprintf(`"pass": %d`, n))
		}
	})
	src.does("stop", func() {
		src.says(eventStop, "")
		src.migration("completed")
		dst.migration("completed")
	})
	dst.does("cont", func() { dst.says(eventResume, "") })
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := faultKinds(log); !slices.Equal(got, []string{"src " + results.FaultStopGuest}) || src.count("stop") != 1 {
		t.Errorf("faults %q, stopped %d times", got, src.count("stop"))
	}
	if r := log.Named(results.Fault); len(r) > 0 && r[0].Attrs["rounds"] != "1" {
		t.Errorf("attrs %v", r[0].Attrs)
	}
}
