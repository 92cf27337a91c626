package qemu

import (
	"math"
	"virtscope/results"

	"github.com/digitalocean/go-qemu/qmp"
)

// QMP events that virtscope records (QAPI qapi/run-state.json and qapi/migration.json).
const (
	eventStop          = "STOP"
	eventResume        = "RESUME"
	eventMigration     = "MIGRATION"
	eventMigrationPass = "MIGRATION_PASS"
)

// eventTime is QEMU's own stamp, in ns since the epoch; its resolution is 1 µs.
func eventTime(e qmp.Event) int64 {
	return e.Timestamp.Seconds*1e9 + e.Timestamp.Microseconds*1e3
}

// eventRecord maps an event to its record; ok is false for events that say nothing about the guest's run.
func eventRecord(host string, e qmp.Event) (r results.Record, ok bool) {
	r = results.Record{Time: eventTime(e), Host: host, Source: results.SourceQMP}
	switch e.Event {
	case eventStop:
		r.Name = results.VMStop
	case eventResume:
		r.Name = results.VMResume
	case eventMigration:
		r.Name = results.MigrationStatus
		r.Attrs = map[string]string{"status": eventStatus(e)}
	case eventMigrationPass:
		pass, known := eventPass(e)
		if !known {
			return r, false
		}
		r.Name, r.Value = results.PreCopyRound, float64(pass)
	default:
		return r, false
	}
	return r, true
}

func eventStatus(e qmp.Event) string {
	status, _ := e.Data["status"].(string)
	return status
}

func eventPass(e qmp.Event) (int64, bool) {
	pass, ok := e.Data["pass"].(float64)
	if !ok || pass < 0 || pass != math.Trunc(pass) {
		return 0, false
	}
	return int64(pass), true
}
