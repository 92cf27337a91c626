package qemu

import (
	"context"
	"sync"

	"github.com/digitalocean/go-qemu/qmp"
)

// Events implements qmp.Monitor: the channel delivers every event since the greeting, in order, and is closed
// when ctx is done or the connection ended. A subscriber that does not read holds up nobody. The events of a
// guest's life are few, so all are kept.
func (m *Monitor) Events(ctx context.Context) (<-chan qmp.Event, error) {
	ch := make(chan qmp.Event)
	go m.events.feed(ctx, ch, 0)
	return ch, nil
}

// An eventLog keeps events for any number of readers.
type eventLog struct {
	mu     sync.Mutex
	events []qmp.Event
	ended  bool
	more   chan struct{} // closed at the next change; nil until a reader waits
}

func (l *eventLog) add(e qmp.Event) { l.change(func() { l.events = append(l.events, e) }) }
func (l *eventLog) end()            { l.change(func() { l.ended = true }) }

func (l *eventLog) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}

// from returns the events from the i-th on and, if there are none yet, a channel that is closed when there are.
func (l *eventLog) from(i int) (events []qmp.Event, ended bool, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i < len(l.events) || l.ended {
		return l.events[i:], l.ended, nil
	}
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return nil, false, l.more
}

func (l *eventLog) feed(ctx context.Context, ch chan<- qmp.Event, i int) {
	defer close(ch)
	for {
		events, ended, more := l.from(i)
		for _, e := range events {
			select {
			case ch <- e:
				i++
			case <-ctx.Done():
				return
			}
		}
		if len(events) > 0 {
			continue
		}
		if ended {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
	}
}

// eventsFromNow delivers the events that come after the call, like Events.
func (m *Monitor) eventsFromNow(ctx context.Context) <-chan qmp.Event {
	ch := make(chan qmp.Event)
	go m.events.feed(ctx, ch, m.events.len())
	return ch
}

func (l *eventLog) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events)
}
