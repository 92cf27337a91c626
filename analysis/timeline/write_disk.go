package timeline

import (
	"bytes"
	"fmt"
	"slices"
	"virtscope/analysis/quantity"
	"virtscope/analysis/text"
)

// A DiskText is the figures of a trial's disk for reading: name, value, bounds, and what must be read beside it.
type DiskText struct {
	Rows  [][]string
	Notes []string // why figures are not known or are lower bounds, each reason once
}

// NewDiskText is nil for a trial without a copy of a disk and without a workload on one.
func NewDiskText(t *Timeline) *DiskText {
	d, w := &DiskText{}, whys{}
	add := func(metric, name, beside string) {
		q, ok := t.find(metric)
		if !ok {
			return
		}
		w.add(name, q)
		if q.Known {
			d.Rows = append(d.Rows, []string{name, quantity.Show(q), quantity.ShowBounds(q), beside})
		}
	}
	add(BytesDisk, "disk, at the switch", t.diskFrames())
	add(BytesMemory, "memory and device state, there", "")
	add(DiskCopiedBytes, "copied, as the hypervisor counts", "what was copied again counts again")
	add(DiskPasses, "passes", "")
	add(DiskReadyTime, "until memory could follow", "since the copy began")
	add(DiskCopyTime, "until the destination's disk was complete", "since the copy began")
	add(DiskStall, "the guest's longest write", t.diskFloor())
	add(DiskComparedBytes, "compared at both ends", "")
	add(DiskDiffering, "differ", t.diskVerdict())
	d.Notes = w.texts()
	if len(d.Rows)+len(d.Notes) == 0 {
		return nil
	}
	return d
}

// find is a metric that the trial has, known or not.
func (t *Timeline) find(name string) (q quantity.Quantity, ok bool) {
	i := slices.IndexFunc(t.Metrics, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return q, false
	}
	return t.Metrics[i].Quantity, true
}

func (t *Timeline) diskFrames() string {
	if q, _ := t.find(BytesDiskWire); q.Known {
		return "in frames of " + quantity.Show(q)
	}
	return ""
}

func (t *Timeline) diskFloor() string {
	q, ok := t.find(DiskStall + FloorSuffix)
	switch {
	case !ok:
		return ""
	case !q.Known:
		return "noise floor unknown: " + q.Why
	}
	return "noise floor " + quantity.Show(q)
}

// diskVerdict holds what differs against what the guest wrote at the destination.
func (t *Timeline) diskVerdict() string {
	differs, _ := t.find(DiskDiffering)
	wrote, ok := t.find(DiskWrittenAfter)
	switch {
	case !ok || !wrote.Known || !differs.Known:
		return "what the guest wrote at the destination is not known"
	case differs.Value > wrote.Value:
		return fmt.Sprintf("the guest wrote only %s at the destination: the copy is not the same", quantity.Show(wrote))
	case differs.Value == 0:
		return "both ends are the same"
	}
	return fmt.Sprintf("the guest wrote %s at the destination: as much may differ", quantity.Show(wrote))
}

func writeDisk(b *bytes.Buffer, t *Timeline) {
	d := NewDiskText(t)
	if d == nil {
		return
	}
	b.WriteString("\nthe disk\n")
	writeFacts(b, "  ", d.Rows)
	for _, n := range d.Notes {
		text.Wrapped(b, "  — ", n)
	}
}
