package qemu

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"

	"github.com/digitalocean/go-qemu/qmp"
)

type event = qmp.Event

// QMP events of block jobs (QAPI qapi/block-core.json and qapi/job.json).
const (
	eventJobReady     = "BLOCK_JOB_READY"
	eventJobCompleted = "BLOCK_JOB_COMPLETED"
	eventJobCancelled = "BLOCK_JOB_CANCELLED"
	eventJobStatus    = "JOB_STATUS_CHANGE"
)

// A job is one block job, as its records name it.
type job struct {
	id   string
	kind string // mirror or backup
	pass int    // of backup, from 1
}

func (j job) attrs() map[string]string {
	a := map[string]string{"job": j.kind}
	if j.pass > 0 {
		a["pass"] = strconv.Itoa(j.pass)
	}
	return a
}

// await returns the first event of a job that is one of names. A job that ends otherwise, or with an error, is the
// subject's outcome, and so is a destination that is gone, which the job may be slow to see.
func (l *diskLink) await(ctx context.Context, id string, names ...string) (event, error) {
	return awaitJob(ctx, l.events, l.dst.proc.Done(), id, names...)
}

func awaitJob(ctx context.Context, events <-chan event, gone <-chan struct{}, id string, names ...string) (event, error) {
	for {
		select {
		case <-ctx.Done():
			return event{}, ctx.Err()
		case <-gone:
			return event{}, &guest.OutcomeError{Reason: "qemu on the destination ended while the disk was copied"}
		case e, open := <-events:
			if !open {
				return e, &guest.OutcomeError{Reason: "qemu on the source ended while the disk was copied"}
			}
			if !ofJob(e, id) {
				continue
			}
			if why, bad := e.Data["error"].(string); bad {
				return e, &guest.OutcomeError{Reason: "the copy of the disk failed: " + why}
			}
			if slices.Contains(names, e.Event) {
				return e, nil
			}
			if e.Event == eventJobCompleted || e.Event == eventJobCancelled {
				return e, &guest.OutcomeError{Reason: "the copy of the disk ended before its time"}
			}
		}
	}
}

// ofJob reports whether an event is one of a job; two families of events name it differently.
func ofJob(e event, id string) bool {
	if e.Event == eventJobStatus {
		return e.Data["id"] == id
	}
	return e.Data["device"] == id
}

// start runs a command that starts a job, and returns the event that says that the job exists.
func (l *diskLink) start(ctx context.Context, j job, command string, args map[string]any) (event, error) {
	args["job-id"], args["device"], args["target"], args["speed"] = j.id, diskNode, diskTarget, l.speed()
	if err := l.src.mon.Execute(ctx, command, args, nil); err != nil {
		return event{}, failedCopy("start the job", err)
	}
	e, err := l.await(ctx, j.id, eventJobStatus) // the first says "created"
	if err != nil {
		return e, failedCopy("start the job", err)
	}
	l.mark(results.DiskCopyBegin, e, j)
	l.sampling = l.sample(j)
	return e, nil
}

// mark records an event of a job.
func (l *diskLink) mark(name string, e event, j job) {
	l.rec.Record(results.Record{Time: eventTime(e), Host: l.src.host.Name(), Source: results.SourceQMP, Name: name, Attrs: j.attrs()})
}

// progress records how far a job is.
func (l *diskLink) progress(at int64, j job, offset, length int64) {
	r := results.Record{Time: at, Host: l.src.host.Name(), Source: results.SourceQMP, Unit: results.Bytes, Attrs: j.attrs()}
	r.Name, r.Value = results.DiskCopied, float64(offset)
	l.rec.Record(r)
	r.Name, r.Value = results.DiskToCopy, float64(length)
	l.rec.Record(r)
}

// finish records the last figures of a job, from the event that says so.
func (l *diskLink) finish(e event, j job) (offset int64, err error) {
	o, okO := e.Data["offset"].(float64)
	n, okN := e.Data["len"].(float64)
	if !okO || !okN {
		return 0, fmt.Errorf("read %s of %s: it has no offset and len", e.Event, j.id)
	}
	l.progress(eventTime(e), j, int64(o), int64(n))
	if o < n {
		return 0, &guest.OutcomeError{Reason: fmt.Sprintf("the copy of the disk ended with %.0f of %.0f B", o, n)}
	}
	return int64(o), nil
}

// A sampling asks how far a job is, until it is stopped.
type sampling struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

// blockJob is the part of QAPI BlockJobInfo (query-block-jobs) that virtscope reads.
type blockJob struct {
	Device *string `json:"device"`
	Offset *int64  `json:"offset"` // B
	Length *int64  `json:"len"`    // B
}

// sample asks each pollInterval. An answer that does not come is left out: events decide, never the poll.
func (l *diskLink) sample(j job) *sampling {
	ctx, stop := context.WithCancel(context.Background())
	s := &sampling{stop: stop}
	s.done.Go(func() {
		tick := time.NewTicker(pollInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				l.ask(ctx, j)
			}
		}
	})
	return s
}

func (l *diskLink) ask(ctx context.Context, j job) {
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	var jobs []blockJob
	if l.src.mon.Execute(bounded, "query-block-jobs", nil, &jobs) != nil {
		return
	}
	at := time.Now().UnixNano()
	for _, b := range jobs {
		if b.Device != nil && *b.Device == j.id && b.Offset != nil && b.Length != nil {
			l.progress(at, j, *b.Offset, *b.Length)
		}
	}
}

// stopSampling waits until the last sample is recorded.
func (l *diskLink) stopSampling() {
	if l.sampling == nil {
		return
	}
	l.sampling.stop()
	l.sampling.done.Wait()
	l.sampling = nil
}
