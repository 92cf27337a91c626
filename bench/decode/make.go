package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"virtscope/bench/migration"
	"virtscope/probes/capture"
	"virtscope/probes/capture/file"
)

const (
	headers = 54 // Ethernet, IPv4 and TCP without options
	guest   = 256 << 20
	gap     = 1000      // ns between frames
	window  = 128 << 10 // B that the destination acknowledges at once
	began   = int64(1.7e18)
)

// TCP flags.
const (
	ack = 0x10
	syn = 0x02
	fin = 0x01
)

// A cutter cuts what is written into TCP segments of a capture.
type cutter struct {
	out     *file.Writer
	segment int
	frame   []byte
	held    []byte // less than a segment
	unacked int    // B since the destination's last answer
	seq     uint32
	at      int64
}

// makeCapture writes the capture of a migration of size B.
func makeCapture(path string, size int64, segment int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make capture: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := bufio.NewWriterSize(f, 1<<20)
	w, err := file.NewWriter(b)
	if err != nil {
		return err
	}
	if _, err := w.Add(file.Interface{Name: "eth0", LinkType: 1}); err != nil {
		return err
	}
	c := &cutter{out: w, segment: segment, seq: 1000, at: began, frame: make([]byte, headers+segment)}
	stream := migration.New(guest)
	if err := errors.Join(c.emit(syn, nil), c.answer(syn|ack)); err != nil {
		return err
	}
	if _, err := stream.Write(c, size); err != nil {
		return err
	}
	if err := errors.Join(c.emit(ack|fin, c.held), c.answer(ack|fin)); err != nil {
		return err
	}
	return b.Flush()
}

// Write implements io.Writer.
func (c *cutter) Write(p []byte) (int, error) {
	n := len(p)
	if len(c.held) > 0 {
		more := min(len(p), c.segment-len(c.held))
		c.held = append(c.held, p[:more]...)
		p = p[more:]
		if len(c.held) < c.segment {
			return n, nil
		}
		if err := c.emit(ack, c.held); err != nil {
			return 0, err
		}
		c.held = c.held[:0]
	}
	for ; len(p) >= c.segment; p = p[c.segment:] {
		if err := c.emit(ack, p[:c.segment]); err != nil {
			return 0, err
		}
	}
	c.held = append(c.held, p...)
	return n, nil
}

// emit writes a segment of the source.
func (c *cutter) emit(flags byte, payload []byte) error {
	f := c.frame[:headers+len(payload)]
	copy(f[headers:], payload)
	c.head(f, 1, 2, 40000, 49152, c.seq, 501, flags)
	c.seq += uint32(len(payload))
	if flags&(syn|fin) != 0 {
		c.seq++
	}
	if c.unacked += len(payload); c.unacked < window {
		return c.write(f)
	}
	c.unacked = 0
	return errors.Join(c.write(f), c.answer(ack))
}

// answer writes an empty segment of the destination.
func (c *cutter) answer(flags byte) error {
	f := make([]byte, headers)
	seq := uint32(500)
	if flags&syn == 0 {
		seq++
	}
	c.head(f, 2, 1, 49152, 40000, seq, c.seq, flags)
	return c.write(f)
}

func (c *cutter) write(f []byte) error {
	c.at += gap
	return c.out.Write(capture.Frame{Data: f, Length: len(f), Time: c.at})
}

// head fills in the headers of a frame from 10.0.0.src to 10.0.0.dst.
func (c *cutter) head(f []byte, src, dst byte, from, to uint16, seq, acked uint32, flags byte) {
	clear(f[:headers])
	f[5], f[11] = dst, src // the ends of the MAC addresses
	f[12], f[14], f[22], f[23] = 8, 0x45, 64, 6
	binary.BigEndian.PutUint16(f[16:], uint16(len(f)-14))
	copy(f[26:], []byte{10, 0, 0, src, 10, 0, 0, dst})
	binary.BigEndian.PutUint16(f[34:], from)
	binary.BigEndian.PutUint16(f[36:], to)
	binary.BigEndian.PutUint32(f[38:], seq)
	binary.BigEndian.PutUint32(f[42:], acked)
	f[46], f[47] = 5<<4, flags
	binary.BigEndian.PutUint16(f[48:], 0xffff)
}
