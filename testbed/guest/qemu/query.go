package qemu

import (
	"context"
	"strconv"
	"time"
	"virtscope/results"
)

// MigrationInfo is the part of QAPI MigrationInfo (qapi/migration.json, query-migrate) that virtscope reads.
// Everything is a pointer: what a QEMU does not say is absent, not zero. go-qemu's own type reads absent counters
// as 0 and refuses statuses that are newer than it.
type MigrationInfo struct {
	Status    *string         `json:"status"`
	RAM       *MigrationStats `json:"ram"`
	TotalTime *int64          `json:"total-time"` // ms
	Downtime  *int64          `json:"downtime"`   // ms
	SetupTime *int64          `json:"setup-time"` // ms
	ErrorDesc *string         `json:"error-desc"`
}

// MigrationStats is the part of QAPI MigrationStats that virtscope reads.
type MigrationStats struct {
	Transferred    *int64   `json:"transferred"`      // B
	Remaining      *int64   `json:"remaining"`        // B
	Total          *int64   `json:"total"`            // B
	Duplicate      *int64   `json:"duplicate"`        // zero pages
	Normal         *int64   `json:"normal"`           // pages
	DirtyPagesRate *int64   `json:"dirty-pages-rate"` // pages/s
	DirtySyncCount *int64   `json:"dirty-sync-count"` // 1
	Mbps           *float64 `json:"mbps"`             // 10^6 bit/s
	PageSize       *int64   `json:"page-size"`        // B
}

// Why a counter was read; the attr "trigger" of its records.
const (
	triggerPass  = "pass"
	triggerPoll  = "poll"
	triggerFinal = "final"
)

func queryMigrate(ctx context.Context, m *Monitor) (MigrationInfo, error) {
	var info MigrationInfo
	err := m.Execute(ctx, "query-migrate", nil, &info)
	return info, err
}

// recordInfo records what info holds, and nothing for what it does not. At is when the reply came.
func recordInfo(rec results.Recorder, host string, info MigrationInfo, at time.Time, trigger string, round int64) {
	attrs := map[string]string{"trigger": trigger}
	if trigger == triggerPass {
		attrs["round"] = strconv.FormatInt(round, 10)
	}
	s := sampler{rec: rec, record: results.Record{Time: at.UnixNano(), Host: host, Source: results.SourceQMP, Attrs: attrs}}
	if ram := info.RAM; ram != nil {
		s.integer(results.MigrationTransferred, ram.Transferred, results.Bytes)
		s.integer(results.MigrationRemaining, ram.Remaining, results.Bytes)
		s.integer(results.MigrationTotal, ram.Total, results.Bytes)
		s.integer(results.MigrationSyncCount, ram.DirtySyncCount, results.One)
		s.pages("normal", ram.Normal)
		s.pages("zero", ram.Duplicate)
		if ram.DirtyPagesRate != nil && ram.PageSize != nil {
			s.value(results.MigrationDirtyRate, float64(*ram.DirtyPagesRate)*float64(*ram.PageSize), results.BytesPerSecond)
		}
		if ram.Mbps != nil {
			s.value(results.MigrationRate, *ram.Mbps*1e6/8, results.BytesPerSecond)
		}
	}
	if trigger != triggerFinal {
		return
	}
	s.milliseconds(results.ReportedTotalTime, info.TotalTime)
	s.milliseconds(results.ReportedDowntime, info.Downtime)
	s.milliseconds(results.ReportedSetupTime, info.SetupTime)
}

type sampler struct {
	rec    results.Recorder
	record results.Record
}

func (s sampler) value(name string, v float64, u results.Unit) {
	r := s.record
	r.Name, r.Value, r.Unit = name, v, u
	s.rec.Record(r)
}

func (s sampler) integer(name string, v *int64, u results.Unit) {
	if v != nil {
		s.value(name, float64(*v), u)
	}
}

func (s sampler) milliseconds(name string, v *int64) {
	if v != nil {
		s.value(name, float64(*v)/1e3, results.Seconds)
	}
}

func (s sampler) pages(kind string, v *int64) {
	if v == nil {
		return
	}
	r := s.record
	r.Attrs = map[string]string{"kind": kind}
	for k, a := range s.record.Attrs {
		r.Attrs[k] = a
	}
	s.record = r
	s.value(results.MigrationPages, float64(*v), results.One)
}
