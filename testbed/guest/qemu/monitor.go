package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/digitalocean/go-qemu/qmp"
)

// ErrMonitorClosed is wrapped by every command that was cut off because the QMP connection ended.
var ErrMonitorClosed = errors.New("qmp connection closed")

// maxLine bounds one QMP message. query-qmp-schema, the longest reply known, is about 200 kB.
const maxLine = 64 << 20

// commandTimeout bounds a command that is run without a context, through qmp.Monitor.
const commandTimeout = 30 * time.Second

var _ qmp.Monitor = (*Monitor)(nil)

// A Monitor is a QMP connection. It implements go-qemu's qmp.Monitor, so that go-qemu's typed commands run on
// it, and adds contexts. Commands may run concurrently; replies are matched by id. Events are kept from the
// greeting on, so that a late subscriber misses none, and a slow one holds up nobody.
type Monitor struct {
	dial       func(context.Context) (net.Conn, error)
	transcript *Transcript

	conn    net.Conn
	version qmp.Version
	greeted time.Time // when the greeting was read
	oob     bool      // QEMU takes commands out of band
	writing sync.Mutex
	lastID  atomic.Int64
	events  eventLog

	mu      sync.Mutex
	waiting map[string]chan reply
	done    chan struct{} // closed when the reader has ended
	err     error         // why, set before done is closed
}

type reply struct {
	ID     string          `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *CommandError   `json:"error"`
	line   []byte
}

// A CommandError is QEMU's refusal of a command.
type CommandError struct {
	Command string `json:"-"`
	Class   string `json:"class"` // QAPI QapiErrorClass
	Desc    string `json:"desc"`
}

func (e *CommandError) Error() string { return e.Command + ": " + e.Desc }

// NewMonitor makes a monitor that connects with dial. Transcript may be nil.
func NewMonitor(dial func(context.Context) (net.Conn, error), transcript *Transcript) *Monitor {
	return &Monitor{dial: dial, transcript: transcript, waiting: map[string]chan reply{}, done: make(chan struct{})}
}

// Connect implements qmp.Monitor with a time limit of 30 s.
func (m *Monitor) Connect() error {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	return m.Open(ctx)
}

// Open connects, reads the greeting and leaves capability negotiation. A Monitor is opened once.
func (m *Monitor) Open(ctx context.Context) error {
	conn, err := m.dial(ctx)
	if err != nil {
		return fmt.Errorf("connect to qmp: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	r := bufio.NewReaderSize(conn, 64<<10)
	if err := m.greet(r); err != nil {
		stop()
		_ = conn.Close()
		return errors.Join(err, ctx.Err())
	}
	if !stop() {
		_ = conn.Close()
		return fmt.Errorf("connect to qmp: %w", ctx.Err())
	}
	m.conn = conn
	go m.read(r)
	var enable any
	if m.oob {
		enable = map[string][]string{"enable": {outOfBand}}
	}
	if err := m.Execute(ctx, "qmp_capabilities", enable, nil); err != nil {
		_ = m.Disconnect()
		return err
	}
	return nil
}

func (m *Monitor) greet(r *bufio.Reader) error {
	line, err := readLine(r)
	if err != nil {
		return fmt.Errorf("read qmp greeting: %w", err)
	}
	m.greeted = time.Now()
	m.transcript.received(line)
	var greeting struct {
		QMP *struct {
			Version      qmp.Version `json:"version"`
			Capabilities []string    `json:"capabilities"`
		} `json:"QMP"`
	}
	if err := json.Unmarshal(line, &greeting); err != nil || greeting.QMP == nil {
		return fmt.Errorf("read qmp greeting: got %.80q: is this a QMP socket?", line)
	}
	m.version, m.oob = greeting.QMP.Version, slices.Contains(greeting.QMP.Capabilities, outOfBand)
	return nil
}

// Version is QEMU's version. It is valid once the monitor is open.
func (m *Monitor) Version() qmp.Version { return m.version }

// Done is closed when the connection has ended.
func (m *Monitor) Done() <-chan struct{} { return m.done }

// Disconnect closes the connection and waits for the reader. It is idempotent, and never hangs on events that
// nobody reads.
func (m *Monitor) Disconnect() error {
	if m.conn == nil {
		return nil
	}
	_ = m.conn.Close()
	<-m.done
	return nil
}

// Run implements qmp.Monitor: it runs one JSON command and returns QEMU's whole reply, with a time limit of 30 s.
func (m *Monitor) Run(command []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	var c map[string]json.RawMessage
	if err := json.Unmarshal(command, &c); err != nil {
		return nil, fmt.Errorf("run qmp command %.80q: %w", command, err)
	}
	var name string
	_ = json.Unmarshal(c["execute"], &name)
	rep, err := m.exchange(ctx, name, c)
	if err != nil {
		return nil, err
	}
	return rep.line, nil
}

// Execute runs a command and decodes what it returns into out. Args and out may be nil. A refusal by QEMU is a
// *CommandError; a connection that ended wraps ErrMonitorClosed.
func (m *Monitor) Execute(ctx context.Context, name string, args, out any) error {
	return m.execute(ctx, "execute", name, args, out)
}

// outOfBand is QAPI QMPCapability oob: commands that need not wait for the main loop (docs/interop/qmp-spec).
const outOfBand = "oob"

// executeOutOfBand runs a command even while QEMU's main loop hangs, if QEMU can and allows it for this command.
func (m *Monitor) executeOutOfBand(ctx context.Context, name string, args any) error {
	if !m.oob {
		return m.Execute(ctx, name, args, nil)
	}
	return m.execute(ctx, "exec-oob", name, args, nil)
}

func (m *Monitor) execute(ctx context.Context, how, name string, args, out any) error {
	c := map[string]json.RawMessage{}
	c[how], _ = json.Marshal(name)
	if args != nil {
		raw, err := json.Marshal(args)
		if err != nil {
			return fmt.Errorf("encode arguments of %s: %w", name, err)
		}
		c["arguments"] = raw
	}
	rep, err := m.exchange(ctx, name, c)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(rep.Return, out); err != nil {
		return fmt.Errorf("decode reply to %s: %w", name, err)
	}
	return nil
}

func (m *Monitor) exchange(ctx context.Context, name string, c map[string]json.RawMessage) (reply, error) {
	if m.conn == nil {
		return reply{}, fmt.Errorf("%s: %w: connect first", name, ErrMonitorClosed)
	}
	id := strconv.FormatInt(m.lastID.Add(1), 10)
	c["id"], _ = json.Marshal(id)
	line, err := json.Marshal(c)
	if err != nil {
		return reply{}, fmt.Errorf("encode %s: %w", name, err)
	}
	ch := make(chan reply, 1)
	m.mu.Lock()
	m.waiting[id] = ch
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.waiting, id)
		m.mu.Unlock()
	}()
	if err := m.send(ctx, line); err != nil {
		return reply{}, fmt.Errorf("%s: %w", name, err)
	}
	select {
	case rep := <-ch:
		return rep, rep.refusal(name)
	case <-ctx.Done():
		return reply{}, fmt.Errorf("%s: no reply: %w", name, context.Cause(ctx))
	case <-m.done:
	}
	select { // the reply may have come just before the end
	case rep := <-ch:
		return rep, rep.refusal(name)
	default:
		return reply{}, fmt.Errorf("%s: %w", name, m.err)
	}
}

func (r reply) refusal(name string) error {
	if r.Error == nil {
		return nil
	}
	r.Error.Command = name
	return r.Error
}

// send writes a line, or gives up with ctx. A partly written command would garble the next, so giving up ends
// the connection.
func (m *Monitor) send(ctx context.Context, line []byte) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	m.transcript.sent(line)
	stop := context.AfterFunc(ctx, func() { _ = m.conn.SetWriteDeadline(time.Now()) })
	_, err := m.conn.Write(append(line, '\n'))
	if !stop() && err != nil {
		_ = m.conn.Close()
		return errors.Join(ctx.Err(), err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMonitorClosed, err)
	}
	_ = m.conn.SetWriteDeadline(time.Time{})
	return nil
}

func (m *Monitor) read(r *bufio.Reader) {
	err := m.readAll(r)
	m.mu.Lock()
	m.err = fmt.Errorf("%w: %w", ErrMonitorClosed, err)
	m.mu.Unlock()
	close(m.done)
	m.events.end()
}

func (m *Monitor) readAll(r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		m.transcript.received(line)
		if err := m.dispatch(line); err != nil {
			return err
		}
	}
}

func (m *Monitor) dispatch(line []byte) error {
	var kind struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(line, &kind); err != nil {
		return fmt.Errorf("read qmp message %.80q: %w", line, err)
	}
	if kind.Event != "" {
		var e qmp.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("read qmp event %.80q: %w", line, err)
		}
		m.events.add(e)
		return nil
	}
	rep := reply{line: line}
	if err := json.Unmarshal(line, &rep); err != nil {
		return fmt.Errorf("read qmp reply %.80q: %w", line, err)
	}
	m.mu.Lock()
	ch := m.waiting[rep.ID]
	m.mu.Unlock()
	if ch != nil {
		ch <- rep
	}
	return nil // a reply that nobody waits for was given up on
}

// readLine returns the next line in memory of its own.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			return line, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) && len(line) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if len(line) > maxLine {
			return nil, fmt.Errorf("qmp message longer than %d bytes", maxLine)
		}
	}
}
