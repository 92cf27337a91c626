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
	Status      *string         `json:"status"`
	RAM         *MigrationStats `json:"ram"`
	XBZRLE      *XBZRLEStats    `json:"xbzrle-cache"`            // with xbzrle alone
	Compression *CompressStats  `json:"compression"`             // with compress alone, before QEMU 9.1
	Throttle    *int64          `json:"cpu-throttle-percentage"` // while auto-converge throttles
	TotalTime   *int64          `json:"total-time"`              // ms
	Downtime    *int64          `json:"downtime"`                // ms
	SetupTime   *int64          `json:"setup-time"`              // ms
	ErrorDesc   *string         `json:"error-desc"`
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

	PageRequests  *int64 `json:"postcopy-requests"` // 1
	PrecopyBytes  *int64 `json:"precopy-bytes"`     // B
	DowntimeBytes *int64 `json:"downtime-bytes"`    // B
	PostcopyBytes *int64 `json:"postcopy-bytes"`    // B
	MultifdBytes  *int64 `json:"multifd-bytes"`     // B
}

// XBZRLEStats is the part of QAPI XBZRLECacheStats that virtscope reads.
type XBZRLEStats struct {
	Bytes    *int64 `json:"bytes"`      // B
	Pages    *int64 `json:"pages"`      // 1
	Misses   *int64 `json:"cache-miss"` // 1
	Overflow *int64 `json:"overflow"`   // 1
}

// CompressStats is the part of QAPI CompressionStats that virtscope reads.
type CompressStats struct {
	Rate *float64 `json:"compression-rate"` // 1: uncompressed over compressed size
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
		s.integer(results.MigrationPageRequests, ram.PageRequests, results.One)
		s.integer(results.MigrationPrecopyBytes, ram.PrecopyBytes, results.Bytes)
		s.integer(results.MigrationDowntimeBytes, ram.DowntimeBytes, results.Bytes)
		s.integer(results.MigrationPostcopyBytes, ram.PostcopyBytes, results.Bytes)
		s.integer(results.MigrationMultifdBytes, ram.MultifdBytes, results.Bytes)
	}
	if x := info.XBZRLE; x != nil {
		s.integer(results.MigrationXBZRLEBytes, x.Bytes, results.Bytes)
		s.integer(results.MigrationXBZRLEPages, x.Pages, results.One)
		s.integer(results.MigrationXBZRLEMisses, x.Misses, results.One)
		s.integer(results.MigrationXBZRLEOverflow, x.Overflow, results.One)
	}
	if c := info.Compression; c != nil && c.Rate != nil {
		s.value(results.MigrationCompressRate, *c.Rate, results.One)
	}
	if info.Throttle != nil {
		s.value(results.MigrationThrottle, float64(*info.Throttle)/100, results.One)
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
