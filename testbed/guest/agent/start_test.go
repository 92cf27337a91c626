package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// sayOn writes a message as an agent does, of its own accord.
func sayOn(t *testing.T, conn net.Conn, m Message) {
	t.Helper()
	line, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	send(t, conn, string(line)+"\n")
}

func TestClientAsksOfStarts(t *testing.T) {
	c := NewClient(nil)
	defer c.Close()
	guest := pipe(t, c, "src")
	has := Identity{Name: "a", Address: "10.0.0.1/8", MAC: "52:54:00:00:00:01"}
	go answer(guest, func(r Request) Message {
		switch r.Op {
		case OpIdentify:
			if r.Patience <= 0 || r.Patience > int64(time.Minute) {
				return Message{Error: fmt.Sprintf("patience is %d", r.Patience)}
			}
			has.Name = r.Identity.Name
			return Message{Identity: &has}
		case OpIdentity:
			return Message{Identity: &has}
		case OpVCPUs:
			return Message{VCPUs: 3, Asked: r.VCPUs}
		case OpBoot:
			return Message{Boot: &Boot{Init: new(int64(5))}}
		}
		return Message{} // of forget; too little of units
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.Forget(ctx); err != nil {
		t.Errorf("Forget = %v", err)
	}
	if id, err := c.Identify(ctx, Identity{Name: "b"}); err != nil || id.Name != "b" || id.MAC != has.MAC {
		t.Errorf("Identify = %+v, %v", id, err)
	}
	if id, err := c.Identity(ctx); err != nil || id != has {
		t.Errorf("Identity = %+v, %v", id, err)
	}
	if n, err := c.VCPUs(ctx, 3); n != 3 || err != nil {
		t.Errorf("VCPUs = %d, %v", n, err)
	}
	if n, err := c.VCPUs(ctx, 4); n != 3 || err == nil {
		t.Errorf("VCPUs = %d, %v, want an error: fewer run", n, err)
	}
	if b, err := c.Boot(ctx); err != nil || *b.Init != 5 {
		t.Errorf("Boot = %+v, %v", b, err)
	}
	if _, err := c.Units(ctx); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("Units = %v, want a complaint", err)
	}
}

// A job's end is heard once, whether it comes before or after the reply, and a client that is closed leaves nobody waiting.
func TestClientHearsOfJobs(t *testing.T) {
	c := NewClient(nil)
	defer c.Close()
	guest := pipe(t, c, "src")
	go answer(guest, func(r Request) Message {
		if r.Job.ID == 2 {
			return Message{Error: "job 1 runs"}
		}
		if r.Job.ID == 3 {
			line, _ := json.Marshal(Message{JobDone: &JobDone{ID: 3, Worked: 30}})
			_, _ = guest.Write(append(line, '\n'))
		}
		return Message{}
	})
	hear := func(done <-chan JobDone) JobDone {
		t.Helper()
		select {
		case d := <-done:
			return d
		case <-time.After(time.Minute):
			t.Fatal("nothing was heard of the job")
			return JobDone{}
		}
	}
	first, err := c.Job(t.Context(), Job{ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Job(t.Context(), Job{ID: 1}); err == nil {
		t.Error("a job is waited for twice")
	}
	if _, err := c.Job(t.Context(), Job{ID: 2}); err == nil || !strings.Contains(err.Error(), "job 1 runs") {
		t.Errorf("Job = %v, want the agent's error", err)
	}
	third, err := c.Job(t.Context(), Job{ID: 3})
	if err != nil {
		t.Fatal(err)
	}
	if d := hear(third); d != (JobDone{ID: 3, Worked: 30}) {
		t.Errorf("done: %+v", d)
	}
	sayOn(t, guest, Message{Mono: 1, JobDone: &JobDone{ID: 7}}) // nobody asked
	sayOn(t, guest, Message{Mono: 2, JobDone: &JobDone{ID: 1, Worked: 10, Bad: 2}})
	if d := hear(first); d != (JobDone{ID: 1, Worked: 10, Bad: 2}) {
		t.Errorf("done: %+v", d)
	}
	left, err := c.Job(t.Context(), Job{ID: 4})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, ok := <-left; ok {
		t.Error("a job is done that nobody did")
	}
	if _, err := c.Job(t.Context(), Job{ID: 5}); err == nil {
		t.Error("a closed client takes a job")
	}
}

// A guest that was saved goes on in the middle of a line, answers somebody else, and says no hello.
func TestClientOfRestoredGuest(t *testing.T) {
	var h heard
	c := NewClient(h.report)
	defer c.Close()
	guest := pipe(t, c, "src")
	send(t, guest, `:12,"max_step":5}}`+"\n")
	sayOn(t, guest, Message{ID: 1, Mono: 50, Verdict: &Verdict{Verified: 4096, Corrupt: 1}})
	sayOn(t, guest, Message{Mono: 60, Heartbeat: &Heartbeat{Seq: 13}})
	go answer(guest, func(Request) Message { return Message{Hello: &Hello{Version: Version}} })
	if _, err := c.Hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := h.await(t, 4)
	if got[0].Log == "" || got[0].Mono != 0 {
		t.Errorf("the end of a line is reported as %+v", got[0])
	}
	if got[1].Verdict != nil || got[1].ID != 0 || !strings.Contains(got[1].Log, "earlier client") {
		t.Errorf("somebody else's reply is reported as %+v", got[1])
	}
	if got[2].Heartbeat == nil || got[3].Hello == nil {
		t.Errorf("then came %+v", got[2:])
	}
	if n := c.Garbage(); n != 0 {
		t.Errorf("%d lines are garbage, want 0", n)
	}
}
