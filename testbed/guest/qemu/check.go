package qemu

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"virtscope/testbed/guest"
	"virtscope/testbed/host"
)

var _ guest.MigrationChecker = (*Driver)(nil)

// CheckMigration implements guest.MigrationChecker. It starts both binaries without a machine, asks what they can be told, and
// tells them what the migration would be told. What it learned is kept for as long as the driver lives.
func (d *Driver) CheckMigration(ctx context.Context, src, dst host.Host, s guest.Spec, o guest.MigrateOptions) (warnings []string, err error) {
	accel, _, err := d.accel.choose(s.Accel, src.Name())
	if err != nil {
		return nil, err
	}
	if err := refuse(s, o, accel); err != nil {
		return nil, err
	}
	set := settingsFor(o, takesDisk(s, o))
	from := end{host: src, binary: binaryOf(s), side: set.source, what: "migration algorithm " + o.Algorithm, file: viaFile(o)}
	to := end{host: dst, binary: destinationBinaryOf(s), side: set.destination, what: "migration algorithm " + o.Algorithm, file: viaFile(o), args: []string{"-incoming", "defer"}}
	if accel == accelKVM && s.DirtyRing > 0 {
		from.args = []string{"-accel", accelArgument(s, accel)}
	}
	ends := []end{from, to}
	if o.Algorithm == guest.BackgroundSnapshot {
		ends = ends[:1]
	}
	var errs []error
	var known []*dialect
	for _, e := range ends {
		k, problems, err := d.known.check(ctx, e)
		if err != nil {
			return nil, err
		}
		known, errs = append(known, k), append(errs, problems...)
		if w := Advice(k.versionString(), accel); w != "" {
			warnings = append(warnings, e.host.Name()+": "+w)
		}
	}
	if len(known) == 2 && from.binary != to.binary {
		errs = append(errs, sameMachine(s, known[0], known[1], dst.Name()))
	}
	return append(warnings, passedThrough(o)...), errors.Join(errs...)
}

// takesDisk reports whether a disk has to be copied to where the guest goes.
func takesDisk(s guest.Spec, o guest.MigrateOptions) bool {
	return movesDisk(s) && o.Algorithm != guest.BackgroundSnapshot
}

func passedThrough(o guest.MigrateOptions) (warnings []string) {
	for _, name := range slices.Sorted(maps.Keys(o.Capabilities)) {
		warnings = append(warnings, fmt.Sprintf("capability %s is passed through to qemu as it stands (%s)", name, o.Capabilities[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Parameters)) {
		warnings = append(warnings, fmt.Sprintf("parameter %s is passed through to qemu as it stands (%s)", name, o.Parameters[name]))
	}
	return warnings
}

// An end is one QEMU of a migration to be checked.
type end struct {
	host   host.Host
	binary string
	args   []string // of its command line
	side   side
	what   string // the feature that needs it
	file   bool   // the migration goes by way of a file
}

// A knowledge keeps what was learned of QEMUs.
type knowledge struct {
	mu       sync.Mutex
	dialects map[string]*dialect // by host and binary
	trials   map[string]error    // by host, binary, arguments and settings: a *CommandError or nil
}

// check returns what the end's QEMU is and everything that it lacks.
func (k *knowledge) check(ctx context.Context, e end) (*dialect, []error, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, err := k.dialect(ctx, e.host, e.binary)
	if err != nil {
		return nil, nil, err
	}
	if problems := lacks(d, e); len(problems) > 0 {
		return d, problems, nil
	}
	err = k.try(ctx, d, e)
	var refusal *CommandError
	if errors.As(err, &refusal) {
		return d, []error{e.unsupported(d, "", errors.New(refusal.Desc))}, nil
	}
	return d, nil, err
}

func (k *knowledge) dialect(ctx context.Context, h host.Host, binary string) (*dialect, error) {
	key := h.Name() + "\x00" + binary
	if d := k.dialects[key]; d != nil {
		return d, nil
	}
	var d *dialect
	err := withScratch(ctx, h, binary, nil, func(ctx context.Context, m *Monitor) (err error) {
		d, err = learn(ctx, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	if k.dialects == nil {
		k.dialects, k.trials = map[string]*dialect{}, map[string]error{}
	}
	k.dialects[key] = d
	return d, nil
}

// try sets the end's settings on a QEMU without a machine: it knows what goes with what, and what its kernel lacks.
func (k *knowledge) try(ctx context.Context, d *dialect, e end) error {
	parameters, err := typedParameters(e.side.parameters, d.parameters)
	if err != nil {
		return e.unsupported(d, "", err)
	}
	raw, err := json.Marshal([]any{e.host.Name(), e.binary, e.args, e.side.capabilities, parameters})
	if err != nil {
		return err
	}
	if err, done := k.trials[string(raw)]; done {
		return err
	}
	err = withScratch(ctx, e.host, e.binary, e.args, func(ctx context.Context, m *Monitor) error {
		if err := setCapabilities(ctx, m, e.side.capabilities); err != nil {
			return err
		}
		return m.Execute(ctx, "migrate-set-parameters", parameters, nil)
	})
	var refusal *CommandError
	if err == nil || errors.As(err, &refusal) {
		k.trials[string(raw)] = err
	}
	return err
}

// lacks compares an end's settings with what its QEMU says that it has.
func lacks(d *dialect, e end) []error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(e.side.capabilities)) {
		if !d.hasCapability(name) {
			errs = append(errs, e.unsupported(d, "capability "+name, nil))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.side.parameters)) {
		t, ok := d.parameter(name)
		if !ok {
			errs = append(errs, e.unsupported(d, "parameter "+name, nil))
			continue
		}
		if v := fmt.Sprint(e.side.parameters[name]); len(t.Values) > 0 && !slices.Contains(t.Values, v) {
			errs = append(errs, e.unsupported(d, "parameter "+name+": "+v, fmt.Errorf("it knows %s", strings.Join(t.Values, ", "))))
		}
	}
	if e.file && !slices.Contains(d.transports(), "file") {
		errs = append(errs, e.unsupported(d, "transport file", nil))
	}
	return errs
}

// remedies by what is missing; the versions are those of qapi/migration.json.
var remedies = map[string]string{
	"capability compress":           "use multifd with compression, or a QEMU before 9.1",
	"capability switchover-ack":     "use QEMU 8.1 or newer",
	"capability dirty-limit":        "use QEMU 8.1 or newer, or auto-converge",
	"capability mapped-ram":         "use QEMU 9.0 or newer",
	"capability postcopy-preempt":   "use QEMU 7.1 or newer",
	"parameter zero-page-detection": "use QEMU 9.0 or newer, or leave zero-page-detection at its default",
	"transport file":                "use QEMU 8.2 or newer",
}

// unsupported says that an end lacks something; what is empty where QEMU's own words, why, name it.
func (e end) unsupported(d *dialect, what string, why error) error {
	feature := e.what
	if what != "" {
		feature += " (" + what + ")"
	}
	remedy, known := remedies[what]
	switch {
	case what == "":
		remedy = "change what it names, or use a host or a QEMU that can"
	case !known:
		remedy = "use a " + DefaultBinary + " that has it (guest.qemu.binary, guest.qemu.destination-binary), or leave it out"
	}
	return &guest.NotSupportedError{Feature: feature, Where: fmt.Sprintf("%s (QEMU %s)", e.host.Name(), d.versionString()), Remedy: remedy, Err: why}
}

// sameMachine refuses two QEMUs that understand different machines by one name: the stream would not fit.
func sameMachine(s guest.Spec, src, dst *dialect, where string) error {
	machine := cmp.Or(s.Machine, defaultMachine)
	from, to := src.machines[machine], dst.machines[machine]
	if from == to && from != "" {
		return nil
	}
	older := src
	if newer := dst.version.QEMU; newer.Major < src.version.QEMU.Major || newer.Major == src.version.QEMU.Major && newer.Minor < src.version.QEMU.Minor {
		older = dst
	}
	return &guest.NotSupportedError{
		Feature: fmt.Sprintf("a guest of machine %s (%s at the source, %s here)", machine, cmp.Or(from, "unknown"), cmp.Or(to, "unknown")),
		Where:   fmt.Sprintf("%s (QEMU %s)", where, dst.versionString()),
		Remedy:  "set guest.qemu.machine to one that both have, such as " + cmp.Or(older.machines[defaultMachine], "one that -machine help lists"),
	}
}
