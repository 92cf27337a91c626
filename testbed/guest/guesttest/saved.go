package guesttest

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"
)

// savedGuest is the address at which a guest waits that takes over from one that was saved.
const savedGuest = "saved"

// A snapshot goes before the memory of a guest that is saved; the memory's CRC-32 (IEEE, 4 bytes, big endian) comes after it.
type snapshot struct {
	manifest
	State state `json:"state"`
}

// save sends the memory of a guest that stands still. It returns how many B were sent.
func (m *memory) save(ctx context.Context, path string, s state) (n int64, err error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "unix", path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	m.mu.Lock()
	defer m.mu.Unlock()
	head, err := json.Marshal(snapshot{manifest{m.seed, int64(len(m.region))}, s})
	if err != nil {
		return 0, err
	}
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(m.region))
	all := net.Buffers{append(head, '\n'), m.region, sum}
	if n, err = all.WriteTo(conn); err != nil {
		return n, fmt.Errorf("send memory: %w", err)
	}
	return n, nil
}

// load takes what save sent. It returns how many B were read, and the guest's state.
func (m *memory) load(ctx context.Context, path string) (n int64, s state, err error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "unix", path)
	if err != nil {
		return 0, s, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read(conn)
}

func (m *memory) read(from io.Reader) (n int64, s state, err error) {
	bad := func(err error) (int64, state, error) { return 0, s, fmt.Errorf("read the saved guest: %w", err) }
	r := bufio.NewReaderSize(from, 256<<10)
	line, err := r.ReadSlice('\n')
	if err != nil {
		return bad(err)
	}
	n = int64(len(line))
	var head snapshot
	if err := json.Unmarshal(line, &head); err != nil {
		return bad(err)
	}
	if head.Bytes < 0 || head.Bytes > maxReserve || head.Bytes%memPage != 0 {
		return bad(fmt.Errorf("%d B announced", head.Bytes))
	}
	if region, err := io.ReadAll(io.LimitReader(r, head.Bytes)); err != nil { // grows: what is announced may not be there
		return bad(err)
	} else if int64(len(region)) < head.Bytes {
		return bad(io.ErrUnexpectedEOF)
	} else {
		m.seed, m.region = head.Seed, region
	}
	var sum [4]byte
	if _, err := io.ReadFull(r, sum[:]); err != nil {
		return bad(err)
	}
	if got := crc32.ChecksumIEEE(m.region); got != binary.BigEndian.Uint32(sum[:]) {
		return bad(fmt.Errorf("its memory has the checksum %08x, not %x", got, sum))
	}
	return n + head.Bytes + int64(len(sum)), head.State, nil
}

// save sends the guest, which must stand still.
func (p *process) save(ctx context.Context, o order) {
	var s state
	still := make(chan bool, 1)
	if !p.machine.deliver(func() { s = p.machine.state; still <- !p.machine.running }) {
		return
	}
	r := report{ID: o.ID}
	var err error
	if !<-still {
		err = errors.New("save: the guest runs")
	} else {
		r.Bytes, err = p.memory.save(ctx, o.Address, s)
	}
	p.answer(r, err)
}

// load takes over from a guest that was saved, and stands still.
func (p *process) load(ctx context.Context, o order) {
	r := report{ID: o.ID}
	n, s, err := p.memory.load(ctx, o.Address)
	if err != nil {
		p.answer(r, err)
		return
	}
	r.Bytes = n
	p.machine.deliver(func() { p.answer(r, p.machine.adopt(s)) })
}

func (p *process) answer(r report, err error) {
	if err != nil {
		r.Error = err.Error()
	}
	p.control.say(r)
}
