package guestperf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// MaxSize is the largest report that is read, in B: 300 s of samples of a few hundred threads are a few MB.
const MaxSize = 64 << 20

// A Report is what guestperf writes (report.py, Report.serialize). What older versions do not write is nil.
type Report struct {
	Hardware map[string]any `json:"hardware"` // hardware.py; mem is in GiB
	Scenario map[string]any `json:"scenario"` // scenario.py
	// Progress is a reply to query-migrate each time that a look, every 50 ms, found that another round had begun, and the
	// last one.
	Progress     []Progress `json:"progress_history"`
	GuestTimings []Timing   `json:"guest_timings"` // ms that a guest's thread took to write 1 GiB, on the guest's own clock
	QEMUTimings  []Timing   `json:"qemu_timings"`  // CPU time of the source's process in ms, cumulative
	VCPUTimings  []Timing   `json:"vcpu_timings"`  // CPU time of the source's vCPU threads in ms, cumulative
	Binary       string     `json:"binary"`
	DstHost      string     `json:"dst_host"`
	Kernel       string     `json:"kernel"`
	Initrd       string     `json:"initrd"`
	Transport    string     `json:"transport"`
	Sleep        *float64   `json:"sleep"` // s that the guest ran before and after the migration
}

// A Progress is one reply (progress.py, engine.py). guestperf writes 0 for a figure that a reply lacks; a reply without any of
// memory has a total of 0.
type Progress struct {
	Status    string   `json:"status"`
	RAM       RAM      `json:"ram"`
	Now       *float64 `json:"now"`            // s since the Unix epoch: the reply had come
	Duration  *float64 `json:"duration"`       // ms: total-time
	Downtime  *float64 `json:"downtime"`       // ms
	SetupTime *float64 `json:"setup_time"`     // ms
	Throttle  *float64 `json:"throttle_pcent"` // %
}

// RAM is a reply's part of that name.
type RAM struct {
	Transferred *float64 `json:"transferred_bytes"`
	Remaining   *float64 `json:"remaining_bytes"`
	Total       *float64 `json:"total_bytes"`
	Duplicate   *float64 `json:"duplicate_pages"`
	Normal      *float64 `json:"normal_pages"`
	NormalBytes *float64 `json:"normal_bytes"`
	DirtyRate   *float64 `json:"dirty_rate_pps"`    // pages/s
	Rate        *float64 `json:"transfer_rate_mbs"` // Mbit/s: mbps
	Iterations  *float64 `json:"iterations"`        // dirty-sync-count
}

// A Timing is one sample (timings.py).
type Timing struct {
	TID       *float64 `json:"tid"`
	Timestamp *float64 `json:"timestamp"` // s since the Unix epoch
	Value     *float64 `json:"value"`     // ms
}

// Parse reads one report. What it returns can be made a trial: every time and figure that it needs is there and in range. The
// error says what is missing or wrong.
func Parse(data []byte) (*Report, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("read guestperf report: want at most %d MiB; it has %d B", MaxSize>>20, len(data))
	}
	r := &Report{}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("read guestperf report: want the JSON that guestperf.py writes: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read guestperf report: want one report a file; more follows")
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("read guestperf report: %w", err)
	}
	return r, nil
}

// check refuses a report that lacks what makes it one.
func (r *Report) check() error {
	if r.Hardware == nil || r.Scenario == nil {
		return errors.New("want the keys hardware and scenario: is this a report of guestperf?")
	}
	if len(r.Progress) == 0 {
		return errors.New("want at least one entry in progress_history: the migration never began")
	}
	for i, p := range r.Progress {
		if err := p.check(); err != nil {
			return fmt.Errorf("progress_history[%d]: %w", i, err)
		}
		if i > 0 && *p.Now < *r.Progress[i-1].Now {
			return fmt.Errorf("progress_history[%d]: want now in order of time: the clock of that machine was set back", i)
		}
	}
	for name, list := range map[string][]Timing{"qemu_timings": r.QEMUTimings, "vcpu_timings": r.VCPUTimings} {
		for i, t := range list {
			if err := t.check(); err != nil {
				return fmt.Errorf("%s[%d]: %w", name, i, err)
			}
		}
	}
	return nil
}

func (p Progress) check() error {
	if p.Status == "" {
		return errors.New("want a status")
	}
	if err := within("now", p.Now, minTime, maxTime); err != nil {
		return err
	}
	for name, v := range map[string]*float64{"duration": p.Duration, "downtime": p.Downtime, "setup_time": p.SetupTime} {
		if err := within(name, v, 0, maxMilliseconds); err != nil {
			return err
		}
	}
	m := p.RAM
	for name, v := range map[string]*float64{
		"transferred_bytes": m.Transferred, "remaining_bytes": m.Remaining, "total_bytes": m.Total, "duplicate_pages": m.Duplicate,
		"normal_pages": m.Normal, "normal_bytes": m.NormalBytes, "dirty_rate_pps": m.DirtyRate, "transfer_rate_mbs": m.Rate,
		"iterations": m.Iterations,
	} {
		if err := within("ram."+name, v, 0, maxCount); err != nil {
			return err
		}
	}
	if p.Throttle == nil {
		return nil // older than auto-converge's figure
	}
	return within("throttle_pcent", p.Throttle, 0, 100)
}

func (t Timing) check() error {
	return errors.Join(
		within("tid", t.TID, 0, math.MaxInt32), within("timestamp", t.Timestamp, minTime, maxTime), within("value", t.Value, 0, maxMilliseconds),
	)
}

// The range of what is believed.
const (
	minTime         = 1e9     // s: 2001
	maxTime         = 2.2e9   // s: 2039
	maxMilliseconds = 1e12    // 30 years
	maxCount        = 1 << 53 // whole in a float64
)

func within(name string, v *float64, least, most float64) error {
	if v == nil {
		return fmt.Errorf("want the key %s", name)
	}
	if !(*v >= least && *v <= most) {
		return fmt.Errorf("want %s from %g to %g, got %g", name, least, most, *v)
	}
	return nil
}

// ended reports whether a status is a migration's last.
func ended(status string) bool {
	return slices.Contains([]string{"completed", "failed", "cancelled"}, status)
}
