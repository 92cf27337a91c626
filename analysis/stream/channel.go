package stream

import (
	"strings"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Channel is a TCP connection of a migration.
type Channel struct {
	Name    string    `json:"name"` // main, multifd-<n>, preempt, nbd-<n>
	Client  string    `json:"client,omitempty"`
	Server  string    `json:"server,omitempty"`
	Begin   *Moment   `json:"begin,omitempty"`
	Forward Direction `json:"forward"` // source host to destination host
	Reverse Direction `json:"reverse"`
}

// A Direction is what passed one way.
type Direction struct {
	Bytes     quantity.Quantity `json:"bytes"`     // B: distinct payload that passed
	Resent    quantity.Quantity `json:"resent"`    // B: payload that passed again
	Missing   quantity.Quantity `json:"missing"`   // B: passed, and not in the capture
	Undecoded quantity.Quantity `json:"undecoded"` // B: captured, and not understood
	Reordered quantity.Quantity `json:"reordered"` // 1: segments that came behind a later one
	Last      *Moment           `json:"last,omitempty"`
}

func (l *log) channels() []Channel {
	list := []Channel{}
	names := l.values(results.WireChannel, "channel")
	for _, name := range []string{results.WireChannelBytes, results.WireChannelLast} {
		for _, n := range l.values(name, "channel") {
			names = appendNew(names, n)
		}
	}
	for _, name := range names {
		c := Channel{Name: name, Forward: l.direction(name, "forward"), Reverse: l.direction(name, "reverse")}
		if r, ok := l.last(results.WireChannel, "channel", name); ok {
			begin := momentOf(r)
			c.Begin, c.Client, c.Server = &begin, r.Attrs["client"], r.Attrs["server"]
		}
		list = append(list, c)
	}
	return list
}

func (l *log) direction(channel, dir string) Direction {
	const why = "it was not recorded: the connection had not ended, or nothing passed this way"
	get := func(name string, u results.Unit) quantity.Quantity {
		return l.total(name, u, why, "channel", channel, "dir", dir)
	}
	d := Direction{
		Bytes: get(results.WireChannelBytes, results.Bytes), Resent: get(results.WireChannelResent, results.Bytes),
		Missing: get(results.WireChannelMissing, results.Bytes), Undecoded: get(results.WireChannelUndecoded, results.Bytes),
		Reordered: get(results.WireChannelReordered, results.One),
	}
	if r, ok := l.last(results.WireChannelLast, "channel", channel, "dir", dir); ok {
		last := momentOf(r)
		d.Last = &last
	}
	return d
}

// payload adds up what the migration's own channels carried to the destination; a storage mirror is none of them.
func payload(channels []Channel) quantity.Quantity {
	var all float64
	n := 0
	why := ""
	for _, c := range channels {
		if strings.HasPrefix(c.Name, "nbd") {
			continue
		}
		b := c.Forward.Bytes
		if !b.Known {
			why = "channel " + c.Name + ": " + b.Why
			continue
		}
		n++
		all += b.Value
		if b.Censored {
			why = b.Why
		}
	}
	switch {
	case n == 0:
		return quantity.Unknown(results.Bytes, "no channel's bytes were recorded")
	case why != "":
		return quantity.AtLeast(all, results.Bytes, why)
	}
	return quantity.Exactly(all, results.Bytes)
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
