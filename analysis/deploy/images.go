package deploy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"virtscope/analysis/edges"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

// An Image is what a host had of images across its link.
type Image struct {
	Host       string            `json:"host"`
	Wire       quantity.Quantity `json:"wire"`       // B: frames to it, at the capture
	Prefetched quantity.Quantity `json:"prefetched"` // B: fetched ahead
	// Series is the frames so far, in B, over s from the action's begin.
	Series []Point `json:"series,omitempty"`
}

// Served is what an image server sent.
type Served struct {
	Server string  `json:"server"`
	From   string  `json:"from"` // store, or the server that it asks
	Bytes  float64 `json:"bytes"`
}

// readImages finds what images cost. What was counted before the action is not the action's.
func (d *Deployment) readImages(log *edges.Log, action edges.Window) {
	byHost := map[string]*Image{}
	at := func(host string) *Image {
		if byHost[host] == nil {
			byHost[host] = &Image{
				Host:       host,
				Wire:       quantity.Unknown(results.Bytes, "the capture saw no frame of an image to this host"),
				Prefetched: quantity.Unknown(results.Bytes, "nothing was fetched ahead"),
			}
		}
		return byHost[host]
	}
	for _, r := range log.In(results.FlowBytes, action) {
		if r.Attrs["flow"] != results.FlowImage || r.Source != results.SourceCaptureSwitch || r.Attrs["dir"] == "forward" || r.Value < 0 {
			continue
		}
		i := at(r.Attrs["host"])
		so := r.Value
		if i.Wire.Known {
			so += i.Wire.Value
		}
		i.Wire = quantity.Exactly(so, results.Bytes)
		i.Series = append(i.Series, Point{float64(r.Time-action.From) / 1e9, so})
	}
	for _, r := range log.In(results.ImagePrefetched, action) {
		if i := at(r.Attrs["host"]); i.Prefetched.Known {
			i.Prefetched = quantity.Exactly(i.Prefetched.Value+r.Value, results.Bytes)
		} else {
			i.Prefetched = quantity.Exactly(r.Value, results.Bytes)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		byHost[host].Series = thinned(byHost[host].Series)
		d.Images = append(d.Images, *byHost[host])
	}
	d.Fetched = fetched(log, action)
	d.Served = served(log, action)
}

// grown is by how much a cumulative counter that began at 0 grew in the action: its last reading there, less the last before.
func grown(log *edges.Log, name string, action edges.Window, key func(results.Record) string) map[string]float64 {
	before, now := map[string]float64{}, map[string]float64{}
	for _, r := range log.Named(name) {
		switch {
		case r.Time < action.From:
			before[key(r)] = r.Value
		case r.Time <= action.To:
			now[key(r)] = r.Value
		}
	}
	for k := range now {
		now[k] = max(0, now[k]-before[k])
	}
	return now
}

func fetched(log *edges.Log, action edges.Window) []Amount {
	var list []Amount
	for guest, b := range grown(log, results.ImageFetched, action, func(r results.Record) string { return r.Attrs[results.AttrGuest] }) {
		list = append(list, Amount{guest, b})
	}
	slices.SortFunc(list, func(a, b Amount) int { return strings.Compare(a.Guest, b.Guest) })
	return list
}

func served(log *edges.Log, action edges.Window) []Served {
	var list []Served
	key := func(r results.Record) string { return r.Attrs["server"] + "\x00" + r.Attrs["from"] }
	for k, b := range grown(log, results.ImageServed, action, key) {
		server, from, _ := strings.Cut(k, "\x00")
		list = append(list, Served{server, from, b})
	}
	slices.SortFunc(list, func(a, b Served) int {
		return cmp.Or(strings.Compare(a.Server, b.Server), strings.Compare(a.From, b.From))
	})
	return list
}

// mostPoints bounds a series: no figure shows more.
const mostPoints = 600

// thinned leaves out points of a cumulative series, never the last.
func thinned(list []Point) []Point {
	step := len(list)/mostPoints + 1
	var kept []Point
	for i, p := range list {
		if i%step == 0 || i == len(list)-1 {
			kept = append(kept, p)
		}
	}
	return kept
}

// imageMetrics are there where an image was fetched.
func (d *Deployment) imageMetrics() []metric.Metric {
	if len(d.Images) == 0 && len(d.Fetched) == 0 && len(d.Served) == 0 {
		return nil
	}
	var wire, ahead, each []quantity.Quantity
	for _, i := range d.Images {
		if i.Wire.Known {
			wire = append(wire, i.Wire)
		}
		if i.Prefetched.Known {
			ahead = append(ahead, i.Prefetched)
		}
	}
	for _, f := range d.Fetched {
		each = append(each, quantity.Exactly(f.Bytes, results.Bytes))
	}
	store := quantity.Unknown(results.Bytes, "no image server said what it sent")
	for _, s := range d.Served {
		if s.Server == "store" {
			if !store.Known {
				store = quantity.Exactly(0, results.Bytes)
			}
			store = quantity.Exactly(store.Value+s.Bytes, results.Bytes)
		}
	}
	const noGuest = "no hypervisor said what its guest read of the template"
	list := []metric.Metric{
		{Name: metric.ImageWire, Quantity: quantity.Sum(wire, results.Bytes, "the capture saw no frame of an image")},
		{Name: metric.ImageFetched, Quantity: quantity.Sum(each, results.Bytes, noGuest)},
		{Name: metric.ImageFetched50, Quantity: quantity.Median(each, results.Bytes, noGuest)},
		{Name: metric.ImageServed, Quantity: store},
	}
	if len(ahead) > 0 {
		list = append(list, metric.Metric{Name: metric.ImagePrefetched, Quantity: quantity.Sum(ahead, results.Bytes, "")})
	}
	return list
}
