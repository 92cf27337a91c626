// Package guestperf reads the reports of QEMU's migration test tool guestperf (tests/migration-stress/guestperf in QEMU's
// source, tests/migration/guestperf before QEMU 10.0) into records.
//
// A report knows the hypervisor's own counters and the CPU times of the source, sampled. What it does not know, events of the
// hypervisor, a client, a capture, the guest's memory, stays unknown.
//
//  1. Parse reads one report (report.go) and refuses what cannot be one.
//  2. Report.Trial turns it into records and an outcome (trial.go, records.go).
//  3. Plan names the trials of several reports by the parameters in which they differ (plan.go).
package guestperf
