package spec

import (
	"slices"
	"strings"
	"time"
)

// profiles are what Link.Profile sets.
var profiles = map[string]Link{
	"lan-1g":  {Rate: 1e9 / 8},
	"lan-10g": {Rate: 10e9 / 8},
	"wan":     {Rate: 100e6 / 8, Delay: Duration(12500 * time.Microsecond), Jitter: millisecond, Loss: 0.0001},
}

// Effective is l with its profile filled in under its own values. An own value of 0 where the profile has another is refused
// when the experiment is read, so that a 0 here means what it says.
func (l Link) Effective() Link {
	p := profiles[l.Profile]
	l.Rate = orElse(l.Rate, p.Rate)
	l.Delay = orElse(l.Delay, p.Delay)
	l.Jitter = orElse(l.Jitter, p.Jitter)
	l.Loss = orElse(l.Loss, p.Loss)
	return l
}

func orElse[T comparable](x, std T) T {
	var zero T
	if x == zero {
		return std
	}
	return x
}

// emulated reports whether l delays, varies or loses, which takes an emulator.
func (l Link) emulated() bool {
	e := l.Effective()
	return e.Delay > 0 || e.Jitter > 0 || e.Loss > 0
}

// Sends is the rate in B/s at which a host may send into the link, 0 is not limited: upload, or rate where that is not set.
func (l Link) Sends() Rate {
	return orElse(l.Upload, l.Effective().Rate)
}

// OfMigration is the link that the migration takes: the migration's own, or the one of the guest's traffic.
func (t Testbed) OfMigration() Link {
	if t.MigrationLink != nil {
		return *t.MigrationLink
	}
	return t.Link
}

// Parts are the kinds of a mix in the order of the file, or w's own kind alone. The text of a mix is taken as it is: see
// Parse for what is valid.
func (w Workload) Parts() []string {
	if w.Kind != "mix" {
		return []string{w.Kind}
	}
	parts := strings.Split(w.Mix, "+")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// Has reports whether kind is w's kind, or one of its parts.
func (w Workload) Has(kind string) bool { return slices.Contains(w.Parts(), kind) }

// clients are the workloads that a client outside asks.
var clients = []string{"net", "kv", "redis"}

// Serves is the part of w that a client outside asks, net, kv or redis, or "" if there is none. There is at most one.
func (w Workload) Serves() string {
	for _, kind := range w.Parts() {
		if slices.Contains(clients, kind) {
			return kind
		}
	}
	return ""
}
