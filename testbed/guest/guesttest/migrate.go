package guesttest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

// firstLead is how far ahead the instants are agreed upon; each attempt on a machine too busy for it doubles it.
const firstLead = 50 * time.Millisecond

const attempts = 6

// A migration is ready: the destination's process listens.
type migration struct {
	guest    *instance
	src, dst *member
	address  string
	options  guest.MigrateOptions
}

// PrepareMigration implements guest.Migrator: it starts the destination's process. There are no rounds and
// nothing is planned, so MaxRounds and DowntimeLimit have nothing to limit; a limit of bandwidth is refused.
func (i *instance) PrepareMigration(ctx context.Context, dst host.Host, o guest.MigrateOptions) (guest.Migration, error) {
	src := i.running()
	if err := checkOptions(o); err != nil {
		return nil, fmt.Errorf("prepare migration to %s: %w", dst.Name(), err)
	}
	if src.host.Name() == dst.Name() {
		return nil, fmt.Errorf("prepare migration to %s: the guest is there already", dst.Name())
	}
	m := &migration{guest: i, src: src, address: net.JoinHostPort(o.Address, strconv.Itoa(o.Port)), options: o}
	var err error
	if m.dst, err = i.spawn(ctx, dst, "destination", m.address); err != nil {
		return nil, fmt.Errorf("prepare migration to %s: %w", dst.Name(), err)
	}
	return m, nil
}

func checkOptions(o guest.MigrateOptions) error {
	switch {
	case o.Algorithm != "" && o.Algorithm != "precopy":
		return &guest.NotSupportedError{Feature: "migration algorithm " + strconv.Quote(o.Algorithm), Where: "driver " + Name, Remedy: "use precopy"}
	case o.MaxBandwidth != 0:
		return &guest.NotSupportedError{Feature: "a bandwidth limit", Where: "driver " + Name, Remedy: "remove max-bandwidth, or set a rate for the link"}
	case o.Outage < 0:
		return fmt.Errorf("outage %s: want 0 or more", o.Outage)
	case o.Timeout > 0 && o.Outage >= o.Timeout:
		return fmt.Errorf("outage %s takes longer than the timeout, %s: make the timeout longer", o.Outage, o.Timeout)
	}
	return nil
}

// Run implements guest.Migration. Once the outage has been agreed upon, the timeout is not looked at any
// more; if ctx is done then, the guest is lost. A machine too busy to agree in time is an error, no outcome.
func (m *migration) Run(ctx context.Context) error {
	m.status("setup")
	if err := m.copy(ctx); err != nil {
		return m.failed(errors.Join(outcome(ctx, err), m.letOff(ctx)))
	}
	if err := m.agree(ctx); err != nil {
		return m.failed(err)
	}
	if err := m.switchOver(ctx); err != nil {
		return m.failed(outcome(ctx, err))
	}
	m.guest.moveTo(m.dst)
	m.guest.agent.Use(m.dst.host.Name())
	m.status("completed")
	err := m.src.quit(context.WithoutCancel(ctx))
	return errors.Join(err, m.guest.drop(m.src))
}

// copy sends the guest's memory while the guest runs.
func (m *migration) copy(ctx context.Context) error {
	if m.options.Timeout > 0 {
		var cancel context.CancelFunc
		late := &guest.OutcomeError{Reason: fmt.Sprintf("not complete after %s", m.options.Timeout)}
		ctx, cancel = context.WithTimeoutCause(ctx, m.options.Timeout, late)
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		report
		err error
	}
	sent := make(chan result, 1)
	go func() {
		r, err := m.src.ask(ctx, order{Op: opSend, Address: m.address})
		sent <- result{r, err}
	}()
	active := false
	for {
		select {
		case <-m.src.connected:
			active = true
			m.status("active")
		case news := <-m.dst.news: // there are none unless something is wrong
			return fmt.Errorf("the destination said: %s", news.Error)
		case r := <-sent:
			if r.err != nil {
				return r.err
			}
			if !active {
				m.status("active")
			}
			m.record(m.src, results.Record{
				Name: results.MigrationTransferred, Value: float64(r.Bytes), Unit: results.Bytes,
				Attrs: map[string]string{"trigger": "final"},
			})
			return nil
		}
	}
}

// agree settles when the source stops and when the destination wakes. Both must have agreed before the first
// instant comes, so the source is asked first, and let off if the destination does not answer in time.
func (m *migration) agree(ctx context.Context) error {
	lead := firstLead
	var errs []error
	for range attempts {
		stopAt := mono() + lead.Nanoseconds()
		_, err := m.src.ask(ctx, order{Op: opStop, At: stopAt})
		if err == nil {
			soon, cancel := context.WithTimeout(ctx, lead/2)
			_, err = m.dst.ask(soon, order{Op: opWake, At: stopAt + m.options.Outage.Nanoseconds()})
			cancel()
		}
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("agree on an outage %s ahead: %w", lead, err))
		if err := m.letOff(ctx); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if ctx.Err() != nil {
			break
		}
		lead *= 2
	}
	return fmt.Errorf("the machine is too busy, or a process is gone: %w", errors.Join(errs...))
}

// letOff takes back what was agreed. It fails if the guest stopped or woke meanwhile.
func (m *migration) letOff(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, srcErr := m.src.ask(ctx, order{Op: opStop})
	_, dstErr := m.dst.ask(ctx, order{Op: opWake})
	return errors.Join(srcErr, dstErr)
}

// switchOver waits for the outage and records what both sides measured.
func (m *migration) switchOver(ctx context.Context) error {
	news, err := m.src.next(ctx)
	if err != nil {
		return err
	}
	stopped := news.Stopped
	if stopped == nil {
		return fmt.Errorf("the source said %+v, not that it stopped", news)
	}
	m.change(m.src, results.VMStop, results.SilenceBegin, stopped)
	if _, err := m.dst.ask(ctx, order{Op: opAdopt, State: stopped.State}); err != nil {
		return err
	}
	if news, err = m.dst.next(ctx); err != nil {
		return err
	}
	if news.Awake == nil {
		return fmt.Errorf("the destination said %+v, not that it woke", news)
	}
	m.change(m.dst, results.VMResume, results.SilenceEnd, news.Awake)
	return nil
}

// outcome makes an error the subject's own, unless the user ended it.
func outcome(ctx context.Context, err error) error {
	var own *guest.OutcomeError
	if err == nil || ctx.Err() != nil || errors.As(err, &own) {
		return err
	}
	return &guest.OutcomeError{Reason: "the migration failed", Err: err}
}

// failed ends the destination.
func (m *migration) failed(cause error) error {
	m.status("failed")
	return fmt.Errorf("migrate to %s: %w", m.dst.host.Name(), errors.Join(cause, m.guest.drop(m.dst)))
}

func (m *migration) status(status string) {
	m.record(m.src, results.Record{Name: results.MigrationStatus, Attrs: map[string]string{"status": status}})
}

// record stamps a record without a time.
func (m *migration) record(at *member, r results.Record) {
	if r.Time == 0 {
		r.Time = time.Now().UnixNano()
	}
	r.Host, r.Source = at.host.Name(), results.SourceScripted
	m.guest.rec.Record(r)
}

// change records the gate's change as the hypervisor's word would be, and the silence by the frame beside it.
// Bound is how much later (s) the event may have been.
func (m *migration) change(at *member, gate, silence string, c *change) {
	m.record(at, results.Record{Time: c.Gate.Wall, Name: gate, Attrs: map[string]string{"bound": seconds(c.Gate.Bound)}})
	frame, attrs := c.Gate, map[string]string{}
	if c.Frame == nil {
		attrs["frame"] = "none" // it never sent one: the gate is all there is
	} else {
		frame = *c.Frame
	}
	attrs["bound"] = seconds(frame.Bound)
	m.record(at, results.Record{Time: frame.Wall, Name: silence, Attrs: attrs})
}

func seconds(ns int64) string { return strconv.FormatFloat(float64(ns)/1e9, 'g', -1, 64) }
