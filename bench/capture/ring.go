package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"virtscope/probes/capture"
	"virtscope/probes/capture/packet"
	"virtscope/probes/wire"
	"virtscope/results"
)

// A reader looks at each frame that was captured.
type reader interface {
	see(f capture.Frame) error
}

// ready is what a tool prints once it captures.
const ready = "listening on"

// ring captures until it is interrupted, and prints what it saw.
func ring(ctx context.Context, s setup) error {
	live, err := capture.Open(capture.LiveOptions{
		Interface: s.device, Direction: capture.Both, RingBytes: s.ring << 20,
	})
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, live.Stop)()
	fmt.Println(ready, s.device)
	h := &headers{port: s.address.Port()}
	var see reader = h
	var d *decoded
	if s.decode {
		d = newDecoded()
		see = d
	}
	if err := drink(live, see); err != nil {
		return errors.Join(err, live.Close())
	}
	if d != nil {
		d.session.End()
		h.payload = int64(d.bytes)
		if err := d.check(); err != nil {
			return errors.Join(err, live.Close())
		}
	}
	stats, err := live.Stats()
	if err != nil {
		return errors.Join(err, live.Close())
	}
	fmt.Printf("%d captured, %d dropped, %d B of payload, ring full %d times\n", stats.Frames, stats.Dropped, h.payload, stats.Full)
	return live.Close()
}

func drink(src capture.Source, r reader) error {
	for {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.see(f); err != nil {
			return err
		}
	}
}

// headers decodes each frame's headers and sums the payload that went to a port.
type headers struct {
	p       packet.Packet
	port    uint16
	payload int64
}

func (h *headers) see(f capture.Frame) error {
	if err := h.p.Decode(f.Link, f.Data, f.Length); err != nil {
		return fmt.Errorf("decode a frame of %d B: %w", f.Length, err)
	}
	if h.p.Kind == packet.TCP && h.p.Dst.Port() == h.port {
		h.payload += int64(h.p.PayloadLength)
	}
	return nil
}

// decoded decodes the migration.
type decoded struct {
	session *wire.Session
	bytes   float64 // stream bytes of page records
	damages int
	whole   bool
}

func newDecoded() *decoded {
	d := &decoded{}
	d.session = wire.New(wire.Config{Guests: true}, results.RecorderFunc(func(r results.Record) {
		switch r.Name {
		case results.WirePageBytes:
			d.bytes += r.Value
		case results.WireDamage:
			d.damages++
		case results.WireMigrationEnd:
			d.whole = r.Attrs["how"] == "complete"
		}
	}))
	return d
}

func (d *decoded) see(f capture.Frame) error {
	d.session.Frame(0, f)
	return nil
}

// check fails if the migration was not decoded whole.
func (d *decoded) check() error {
	if !d.whole || d.damages > 0 {
		return fmt.Errorf("decode: %d damages, whole: %v", d.damages, d.whole)
	}
	return nil
}
