package report

import (
	"fmt"
	"slices"
	"strings"
)

// metricFamilies are what the names of metrics begin with. The rest of a name is often a phase's, a service's or a job's, which
// the trials alone tell.
var metricFamilies = []string{
	"total", "downtime", "blackout", "rounds", "bytes", "pages", "cpu", "dirty", "probe", "overhead", "memory", "capture", "records",
	"silence", "postcopy", "throttle", "xbzrle", "compression", "cancel", "failure", "wire", "disk", "load", "work", "benchmark",
	"boot", "checkpoint", "restore", "recovery", "jobs", "deploy", "host", "image", "substrate", "guest", "identity",
}

// WantMetric says what is wanted in place of a name that is no metric's; "" if it may be one.
func WantMetric(name string) string {
	family, _, _ := strings.Cut(name, ".")
	if slices.Contains(metricFamilies, family) {
		return ""
	}
	return fmt.Sprintf("want a metric as trials.csv names it, such as downtime or boot.total; none begins with %s, but with %s", family, strings.Join(metricFamilies, ", "))
}
