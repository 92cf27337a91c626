package stream

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// A Block is one of the guest's RAM blocks.
type Block struct {
	Name string `json:"name"`
	// Length in B, and the page size of the memory behind it in B; 0 if the stream did not tell.
	Length float64 `json:"length_b"`
	Page   int64   `json:"page_b,omitempty"`
}

func (l *log) blocks() ([]Block, quantity.Quantity) {
	var list []Block
	var sum float64
	for _, name := range l.values(results.WireBlock, "block") {
		r, _ := l.last(results.WireBlock, "block", name)
		list = append(list, Block{Name: name, Length: r.Value, Page: number(r, "page")})
		sum += r.Value
	}
	if len(list) == 0 {
		return nil, quantity.Unknown(results.Bytes, "the list of RAM blocks was not seen")
	}
	return list, quantity.Exactly(sum, results.Bytes)
}

// A Device is the state of one device.
type Device struct {
	Name     string            `json:"name"`
	Instance string            `json:"instance,omitempty"`
	Bytes    quantity.Quantity `json:"bytes"` // B, with section header and footer
}

func (l *log) devices() []Device {
	var list []Device
	for _, r := range l.byName[results.WireDevice] {
		d := Device{Name: r.Attrs["device"], Instance: r.Attrs["instance"], Bytes: sum(r)}
		i := slices.IndexFunc(list, func(have Device) bool { return have.Name == d.Name && have.Instance == d.Instance })
		if i >= 0 {
			list[i] = d
			continue
		}
		list = append(list, d)
	}
	slices.SortStableFunc(list, func(a, b Device) int { return cmp.Compare(b.Bytes.Value, a.Bytes.Value) })
	return list
}

// PostCopy is what the destination asked for while the guest ran there, and how long it waited.
type PostCopy struct {
	Requests quantity.Quantity `json:"requests"` // 1: pages that were asked for
	// Answers are the requests by what became of them, as far as the decoder tells.
	Answers map[string]quantity.Quantity `json:"answers,omitempty"`
	// Faults says how long from a request to the page's last byte: key count in 1, all others (min, p50, …) in s.
	Faults map[string]quantity.Quantity `json:"faults,omitempty"`
}

func (l *log) postCopy() *PostCopy {
	if len(l.byName[results.WirePageRequests]) == 0 && len(l.byName[results.WirePageFault]) == 0 {
		return nil
	}
	p := &PostCopy{
		Requests: l.total(results.WirePageRequests, results.One, "no page request was recorded", "answer", ""),
		Answers:  Pages{}, Faults: Pages{},
	}
	for _, answer := range l.values(results.WirePageRequests, "answer") {
		p.Answers[answer] = l.total(results.WirePageRequests, results.One, "", "answer", answer)
	}
	for _, stat := range l.values(results.WirePageFault, "stat") {
		u := results.Seconds
		if stat == "count" {
			u = results.One
		}
		p.Faults[stat] = l.total(results.WirePageFault, u, "", "stat", stat)
	}
	return p
}

// Damage is where the stream makes no sense or bytes are missing, or where decoding goes on.
type Damage struct {
	Time    int64  `json:"t"` // ns since the Unix epoch
	Resync  bool   `json:"resync,omitempty"`
	Channel string `json:"channel"`
	Dir     string `json:"dir"`
	Offset  int64  `json:"offset_b"`            // in the TCP stream
	Packet  int64  `json:"packet"`              // in the capture, from 1
	Skipped int64  `json:"skipped_b,omitempty"` // B that were not understood until here
	Detail  string `json:"detail,omitempty"`
}

func (l *log) damage() []Damage {
	var list []Damage
	for _, name := range []string{results.WireDamage, results.WireResync} {
		for _, r := range l.byName[name] {
			list = append(list, Damage{
				Time: r.Time, Resync: name == results.WireResync, Channel: r.Attrs["channel"], Dir: r.Attrs["dir"],
				Offset: number(r, "offset"), Packet: number(r, "packet"), Skipped: number(r, "skipped"), Detail: r.Attrs["detail"],
			})
		}
	}
	slices.SortStableFunc(list, func(a, b Damage) int {
		return cmp.Or(cmp.Compare(a.Packet, b.Packet), cmp.Compare(a.Time, b.Time))
	})
	return list
}

// A Bin is the payload that passed from source to destination in a stretch of time. Empty ones are left out.
type Bin struct {
	Begin int64   `json:"t"` // ns since the Unix epoch
	Width int64   `json:"width_ns"`
	Bytes float64 `json:"b"`
}

func (l *log) bins() []Bin {
	var list []Bin
	for _, r := range l.byName[results.WireBytes] {
		width, _ := strconv.ParseFloat(r.Attrs["bin"], 64) // check has seen it
		list = append(list, Bin{Begin: r.Time, Width: max(1, int64(math.Round(width*1e9))), Bytes: r.Value})
	}
	return list
}
