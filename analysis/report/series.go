package report

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"virtscope/analysis/timeline"
)

// Series are a trial's traces and marks as the viewer reads them: a gzip stream of
//
//	the head's length (uint32), the head (JSON), and for each trace its times, then its values
//
// Times are steps in µs (uint32; the first is 0, after the head's t0), values are float32 times the head's scale; NaN is a gap. Of n
// numbers, all first bytes are written, then all second ones, and so on, which packs better. All is little-endian.
type Series []byte

// stepUnit is what times are counted in, in ns.
const stepUnit = 1000

// A seriesHead is what the viewer must know beside the numbers. Times are in s since the action began.
type seriesHead struct {
	From   float64       `json:"from"`
	To     float64       `json:"to"`
	Traces []seriesTrace `json:"traces"`
	Phases []seriesSpan  `json:"phases"`
	Views  []seriesSpan  `json:"views"` // of the outage
	Rounds []seriesRound `json:"rounds"`
}

type seriesTrace struct {
	Panel string  `json:"panel"`
	Label string  `json:"label"`
	Unit  string  `json:"unit"`
	Rate  bool    `json:"rate,omitempty"`
	Hold  bool    `json:"hold,omitempty"`
	N     int     `json:"n"`
	T0    float64 `json:"t0"` // µs
	Scale float64 `json:"scale"`
	Of    int     `json:"of,omitempty"` // points that the records have, where they are more
	By    int     `json:"by,omitempty"` // of so many points in a row, the least and the largest are kept
}

type seriesSpan struct {
	Name  string  `json:"name"`
	Color string  `json:"color,omitempty"`
	From  float64 `json:"from"`
	To    float64 `json:"to"`
}

type seriesRound struct {
	N int     `json:"n"`
	T float64 `json:"t"`
}

// A trace in the form in which it is packed.
type packable struct {
	seriesTrace
	t []int64 // in stepUnit
	v []float32
}

// Pack packs what a trial's viewer shows; nil if there is no trace.
func Pack(tl *timeline.Timeline, traces timeline.Traces) (Series, error) {
	var list []packable
	for _, t := range traces.List {
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("pack series: %w", err)
		}
		list = append(list, newPackable(t))
	}
	if len(list) == 0 {
		return nil, nil
	}
	return packSeries(newSeriesHead(tl, traces), list)
}

func newPackable(t timeline.Trace) packable {
	p := packable{seriesTrace: seriesTrace{Panel: t.Panel, Label: t.Label, Unit: string(t.Unit), Rate: t.Rate, Hold: t.Hold, Scale: 1}}
	most := 0.0
	for _, v := range t.V {
		if !math.IsNaN(v) {
			most = max(most, math.Abs(v))
		}
	}
	if most > math.MaxFloat32/2 {
		p.Scale = most / math.MaxFloat32 * 2
	}
	for i, at := range t.T {
		step := int64(math.Round(float64(at) / stepUnit))
		if n := len(p.t); n > 0 {
			for step-p.t[n-1] > math.MaxUint32 { // more than an hour without a point
				between := math.NaN()
				if t.Rate {
					between = t.V[i]
				}
				p.t, p.v = append(p.t, p.t[len(p.t)-1]+math.MaxUint32), append(p.v, float32(between/p.Scale))
				n++
			}
		}
		p.t, p.v = append(p.t, step), append(p.v, float32(t.V[i]/p.Scale))
	}
	p.N = len(p.t)
	return p
}

func packSeries(head seriesHead, list []packable) (Series, error) {
	head.Traces = nil
	for _, p := range list {
		p.N, p.T0 = len(p.t), float64(p.t[0])
		head.Traces = append(head.Traces, p.seriesTrace)
	}
	text, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("pack series: %w", err)
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("pack series: %w", err)
	}
	raw := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	_, err = z.Write(append(raw, text...))
	for _, p := range list {
		_, e := z.Write(p.planes())
		err = errors.Join(err, e)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("pack series: %w", err)
	}
	return b.Bytes(), nil
}

// planes are the steps of time and the values, byte by byte.
func (p packable) planes() []byte {
	n := len(p.t)
	b := make([]byte, 8*n)
	last := p.t[0]
	for i, at := range p.t {
		step, value := uint32(at-last), math.Float32bits(p.v[i])
		last = at
		for k := range 4 {
			b[k*n+i] = byte(step >> (8 * k))
			b[(4+k)*n+i] = byte(value >> (8 * k))
		}
	}
	return b
}

// unpack is the inverse of packSeries.
func (s Series) unpack() (head seriesHead, list []packable, err error) {
	z, err := gzip.NewReader(bytes.NewReader(s))
	if err != nil {
		return head, nil, fmt.Errorf("unpack series: %w", err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return head, nil, fmt.Errorf("unpack series: %w", err)
	}
	const cut = "unpack series: it is cut off"
	if len(b) < 4 {
		return head, nil, errors.New(cut)
	}
	n := int(binary.LittleEndian.Uint32(b))
	if b = b[4:]; n > len(b) {
		return head, nil, errors.New(cut)
	}
	if err := json.Unmarshal(b[:n], &head); err != nil {
		return head, nil, fmt.Errorf("unpack series: %w", err)
	}
	b = b[n:]
	for _, t := range head.Traces {
		if t.N < 1 || t.N > len(b)/8 {
			return head, nil, errors.New(cut)
		}
		list = append(list, readPlanes(t, b[:8*t.N]))
		b = b[8*t.N:]
	}
	return head, list, nil
}

func readPlanes(t seriesTrace, b []byte) packable {
	p := packable{seriesTrace: t}
	at := int64(t.T0)
	for i := range t.N {
		var step, value uint32
		for k := range 4 {
			step |= uint32(b[k*t.N+i]) << (8 * k)
			value |= uint32(b[(4+k)*t.N+i]) << (8 * k)
		}
		at += int64(step)
		p.t, p.v = append(p.t, at), append(p.v, math.Float32frombits(value))
	}
	return p
}
