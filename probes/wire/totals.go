package wire

import (
	"virtscope/probes/wire/tcp"
	"virtscope/results"
)

// Directions of a channel.
const (
	forward = "forward"
	reverse = "reverse"
)

// totals records what passed on one channel.
func (c *connection) totals(m *migration) {
	there, back := c.stats()
	c.direction(m, forward, there)
	c.direction(m, reverse, back)
	if m.qemu == nil || c.decoder == nil {
		return
	}
	m.emit(results.Record{
		Time: there.Last.Time, Name: results.WireChannelUndecoded, Value: float64(m.qemu.Undecoded(c.decoder)), Unit: results.Bytes,
		Attrs: map[string]string{"channel": c.channel, "dir": forward},
	})
}

func (c *connection) direction(m *migration, dir string, s tcp.Stats) {
	give := func(name string, value int64, u results.Unit, at int64) {
		m.emit(results.Record{
			Time: at, Name: name, Value: float64(value), Unit: u,
			Attrs: map[string]string{"channel": c.channel, "dir": dir},
		})
	}
	if s.Segments == 0 && s.Missing == 0 {
		return
	}
	give(results.WireChannelBytes, s.Bytes+s.Missing+s.Cut, results.Bytes, s.Last.Time)
	give(results.WireChannelResent, s.Resent, results.Bytes, s.Last.Time)
	give(results.WireChannelMissing, s.Missing+s.Cut+s.Unseen, results.Bytes, s.Last.Time)
	give(results.WireChannelReordered, s.Reordered, results.One, s.Last.Time)
	if s.LastData.Packet != 0 {
		give(results.WireChannelLast, 0, results.Event, s.LastData.Time)
	}
}
