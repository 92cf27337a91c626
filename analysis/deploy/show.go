package deploy

import (
	"fmt"
	"virtscope/analysis/quantity"
	"virtscope/analysis/start"
	"virtscope/analysis/text"
	"virtscope/results"
)

// Sections write the deployment for reading.
func (d *Deployment) Sections() []text.Section {
	var list []text.Section
	if len(d.Starts) != 1 {
		list = append(list, d.together())
	}
	list = append(list, start.Sections(d.Starts)...)
	return append(list, d.hostSection(), d.imageSection(), d.poolSection())
}

// together is when how many guests were ready.
func (d *Deployment) together() text.Section {
	n := len(d.Starts)
	s := text.Section{Title: fmt.Sprintf("%d guests, %d of them ready", n, len(d.Kth)), Rows: [][]string{{"ready", "since the first arrival", "truth within"}}}
	seen := 0
	for _, share := range []int{0, 10, 25, 50, 75, 90, 100} {
		k := max(1, (n*share+99)/100)
		if k == seen || n == 0 {
			continue
		}
		seen = k
		q := d.ready(k)
		s.Rows = append(s.Rows, []string{fmt.Sprint(k), quantity.Cell(q), text.Dash(quantity.ShowBounds(q))})
		if q.Censored || !q.Known {
			s.Notes = append(s.Notes, fmt.Sprintf("%d ready: %s", k, q.Why))
		}
	}
	return s
}

func (d *Deployment) hostSection() text.Section {
	s := text.Section{Title: "machines in the action", Rows: [][]string{{"machine", "CPUs busy", "most memory in use"}}}
	for _, h := range d.Hosts {
		s.Rows = append(s.Rows, []string{h.Name, quantity.Percent(h.Busy), quantity.Cell(h.Memory)})
	}
	return s
}

func (d *Deployment) imageSection() text.Section {
	s := text.Section{Title: "images across the links", Rows: [][]string{{"host", "frames at the capture", "fetched ahead"}}}
	for _, i := range d.Images {
		s.Rows = append(s.Rows, []string{text.Dash(i.Host), quantity.Cell(i.Wire), quantity.Cell(i.Prefetched)})
	}
	var each []quantity.Quantity
	for _, f := range d.Fetched {
		each = append(each, quantity.Exactly(f.Bytes, results.Bytes))
	}
	if len(each) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("read through the overlay: %s, by %d guests, %s by the median one",
			quantity.Show(quantity.Sum(each, results.Bytes, "")), len(each), quantity.Show(quantity.Median(each, results.Bytes, ""))))
	}
	for _, v := range d.Served {
		s.Notes = append(s.Notes, fmt.Sprintf("image server %s, from %s, sent %s", orUnknown(v.Server), orUnknown(v.From), quantity.Show(quantity.Exactly(v.Bytes, results.Bytes))))
	}
	return s
}

func (d *Deployment) poolSection() text.Section {
	p := d.Pool
	if p == nil {
		return text.Section{}
	}
	s := text.Section{Title: "memory and identities", Rows: [][]string{{"", ""}}}
	add := func(name string, q quantity.Quantity) {
		if q.Known {
			s.Rows = append(s.Rows, []string{name, quantity.Show(q)})
			return
		}
		s.Notes = append(s.Notes, name+" is unknown: "+q.Why)
	}
	if p.Docked.Known {
		add("docked substrates take", p.Docked)
		add("making one took", p.Made)
	}
	add("a guest takes for itself, median", p.Private)
	add("guests a GiB", p.Density)
	add("identities asked", p.Checked)
	add("conflicts", p.Conflicts)
	for _, c := range p.Told {
		s.Notes = append(s.Notes, "conflict of "+c)
	}
	return s
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
