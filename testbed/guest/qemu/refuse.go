package qemu

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"virtscope/testbed/guest"
)

var algorithms = []string{
	guest.PreCopy, guest.PostCopy, guest.Hybrid, guest.XBZRLE, guest.Multifd, guest.Compress, guest.AutoConverge,
	guest.DirtyLimit, guest.StopAndCopy, guest.MappedRAM, guest.BackgroundSnapshot,
}

// refuse says what QEMU, whichever it is, cannot do or be told; nil if there is nothing.
func refuse(s guest.Spec, o guest.MigrateOptions, accel string) error {
	var errs []error
	no := func(holds bool, feature, remedy string) {
		if holds {
			errs = append(errs, &guest.NotSupportedError{Feature: feature, Where: "driver " + Name, Remedy: remedy})
		}
	}
	no(!slices.Contains(algorithms, o.Algorithm), "migration algorithm "+strconv.Quote(o.Algorithm), "use one of "+strings.Join(algorithms, ", "))
	no(o.Outage != 0, "a scripted outage", "set guest.driver: scripted")
	no(viaFile(o) && o.File == "", o.Algorithm+" without a file", "name a file that both hosts see")
	no(viaFile(o) && o.TLS, "tls with "+o.Algorithm, "leave out tls: a file is not encrypted")
	no(o.Algorithm == guest.BackgroundSnapshot && o.KillDestinationAfter > 0, "kill-destination-after with "+o.Algorithm, "leave it out: there is no destination")
	no(o.SwitchoverAck && viaFile(o), "switchover-ack with "+o.Algorithm, "leave it out: a file does not answer")
	for name, d := range map[string]bool{
		"downtime-limit":     wholeMilliseconds(o.DowntimeLimit),
		"dirty-limit-period": wholeMilliseconds(o.DirtyLimitPeriod),
	} {
		no(!d, name+" in fractions of a millisecond", "give whole milliseconds")
	}
	if o.Algorithm == guest.DirtyLimit {
		limit := o.DirtyLimit
		no(limit != 0 && (limit < dirtyLimitUnit || limit != float64(int64(limit)/dirtyLimitUnit*dirtyLimitUnit)),
			fmt.Sprintf("a dirty-limit of %g B/s", limit), "give a multiple of 1MiB/s: QEMU takes no other")
		no(accel == accelTCG, "migration algorithm dirty-limit under tcg", "use a host with KVM: it needs KVM's dirty ring (guest.qemu.dirty-ring), or use auto-converge")
		no(accel != accelTCG && s.DirtyRing == 0, "migration algorithm dirty-limit without a dirty ring", "set guest.qemu.dirty-ring, such as 4096")
	}
	no(s.DirtyRing > 0 && accel == accelTCG, "a dirty ring under tcg", "leave out guest.qemu.dirty-ring, or use a host with KVM")
	for _, name := range slices.Sorted(maps.Keys(o.Capabilities)) {
		v := o.Capabilities[name]
		no(v != "true" && v != "false", fmt.Sprintf("capability %s: %q", name, v), "give true or false")
	}
	overridden(s, o, func(feature, remedy string) { no(true, feature, remedy) })
	if takesDisk(s, o) {
		errs = append(errs, checkDiskCopy(s, o))
	}
	return errors.Join(errs...)
}
